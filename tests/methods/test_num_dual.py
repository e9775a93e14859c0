"""num-dual: numbers in arrays of objects, and what keeps them apart."""

import mpmath
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, MissingRuleError, OptionError

num_dual = pytest.importorskip("num_dual")
module = pytest.importorskip("diffmethods.methods.num_dual")

X = np.array([0.3, 0.8, 1.5])
M = np.array([[0.0, 0.3, -0.4], [0.5, 2.1, 0.6], [-0.7, 0.2, 1.7]])

ONE = {
    **dict.fromkeys(module.ONE_OPERAND, 0.6),
    "arccosh": 1.6,
}


@pytest.mark.parametrize("name", module.ONE_OPERAND)
def test_functions_of_one_operand(name):
    f, x = getattr(np, name), ONE[name]
    for point in (x, -x) if name in ("absolute", "fabs", "sinc", "cbrt") else (x,):
        found = dm.jacobian(f, method="num_dual")(np.array([point]))
        want = dm.jacobian(f, method="central_difference")(np.array([point]))
        np.testing.assert_allclose(found, want, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", module.TWO_OPERANDS)
@pytest.mark.parametrize(("a", "b"), [(0.6, 1.7), (1.7, 0.6), (2.0, 3.0)])
def test_functions_of_two_operands(name, a, b):
    """By both operands, and by each beside a constant."""
    f = getattr(np, name)
    cases = [
        (lambda z: f(z[0], z[1]), [a, b]),
        (lambda z: f(z[0], b), [a]),
        (lambda z: f(a, z[0]), [b]),
    ]
    for g, x in cases:
        found = dm.gradient(g, method="num_dual")(x)
        want = dm.gradient(g)(x)
        np.testing.assert_allclose(found, want, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.where(x > 0.5, x**2, x), X),
        (lambda x: np.sum(x**2, where=x > 0.5), X),
        (np.max, X),
        (np.min, np.array([1.0, 1.0, 2.0])),
        (np.linalg.norm, X),
        (lambda a: np.linalg.solve(a, X), M),
        (lambda a: np.linalg.solve(M, a), M),
        (np.linalg.inv, M),
        (np.linalg.det, M),
        (lambda a: np.linalg.slogdet(a)[1], M),
    ],
)
def test_functions_of_arrays(f, x):
    found = dm.jacobian(f, method="num_dual")(x)
    np.testing.assert_allclose(found, dm.jacobian(f)(x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: x**2.0, -3.0, -6.0),
        (lambda x: 0.0**x, 1.0, 0.0),
        (np.abs, 0.0, 0.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: np.arctan2(x, 0.0), 2.0, 0.0),
        (np.sinc, 0.0, 0.0),
    ],
)
def test_at_special_points(f, x, slope):
    assert dm.derivative(f, method="num_dual")(x) == slope


@pytest.mark.parametrize("size", [1, 2, 16, 17, 40])
def test_many_variables(size):
    """Above 16 variables num-dual has numbers of another kind."""
    x = np.linspace(0.5, 1.5, size)
    f = lambda x: np.sum(x**3) + x[0] * x[-1]
    corner = np.zeros((size, size))
    corner[0, -1] += 1.0
    corner[-1, 0] += 1.0
    np.testing.assert_allclose(
        dm.hessian(f, method="num_dual")(x), np.diag(6 * x) + corner, rtol=1e-14
    )
    slope = 3 * x**2
    slope[0] += x[-1]
    slope[-1] += x[0]
    np.testing.assert_allclose(dm.gradient(f, method="num_dual")(x), slope, 1e-14)
    rows = dm.jacobian(lambda x: np.stack([x[0], 2.0, f(x)]), method="num_dual")(x)
    np.testing.assert_allclose(rows, [np.eye(size)[0], 0 * x, slope], rtol=1e-14)


def test_its_own_code_works_too():
    f = lambda z: z[0].tanh() * z[1] ** 2
    x = [2.0, 3.0]
    found = dm.gradient(f, method="num_dual")(x)
    np.testing.assert_array_equal(found, num_dual.gradient(f, x)[1])


@pytest.mark.parametrize("inner", [1, 2])
@pytest.mark.parametrize("outer", [1, 2])
def test_derivatives_at_dual_numbers(outer, inner):
    if outer + inner > 3:
        g = dm.derivative(np.sin, method="num_dual", order=inner)
        with pytest.raises(MissingRuleError, match="to order 3"):
            dm.derivative(g, method="num_dual", order=outer)(0.7)
        return
    g = lambda x: dm.derivative(np.tanh, method="num_dual", order=inner)(x * x)
    found = dm.derivative(g, method="num_dual", order=outer)(0.7)
    with mpmath.workdps(40):
        h = lambda x: mpmath.diff(mpmath.tanh, x * x, inner)
        want = float(mpmath.diff(h, mpmath.mpf(0.7), outer))
    assert found == pytest.approx(want, rel=1e-12)


def test_numbers_of_two_derivatives_are_kept_apart():
    f = lambda x: x * dm.derivative(lambda y: x + y, method="num_dual")(1.0)
    with pytest.raises(InputError, match="cannot differentiate through"):
        dm.derivative(f, method="num_dual")(2.0)
    g = dm.gradient(np.prod, method="num_dual")
    with pytest.raises(InputError, match="use hessian"):
        dm.jacobian(g, method="num_dual")(X)


def test_arrays_are_not_changed():
    """num-dual itself multiplies an array of objects in place."""
    x = X.copy()

    def f(x):
        y = x + 0.0
        return x[0] * y + y

    found = dm.jacobian(f, method="num_dual")(x)
    np.testing.assert_allclose(found, dm.jacobian(f)(x), rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.linalg.norm(x, ord=1), X),
        (np.linalg.det, np.zeros((2, 2))),
        (np.linalg.inv, np.ones((2, 2, 2))),
        (lambda x: np.exp(1j * x).real, X),
        (np.linalg.cholesky, M),
    ],
)
def test_what_it_cannot_do_is_refused(f, x):
    with pytest.raises(MissingRuleError):
        dm.jacobian(f, method="num_dual")(x)


def test_orders_end_at_three():
    with pytest.raises(OptionError, match="to order 3"):
        dm.derivative(np.tanh, method="num_dual", order=4)
