"""What Taylor series do beyond the slopes that every method is tested for."""

import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.errors import (
    MissingRuleError,
    NotDifferentiableError,
    OptionError,
)
from diffmethods.methods.taylor_series import taylor

T = sympy.Symbol("t")


def derivative(f, x, order=1):
    return dm.derivative(f, method="taylor_series", order=order)(x)


def exact(expression, order):
    """Taylor coefficients at 0 of a SymPy expression in T, entry by entry."""
    entries = np.array(sympy.Matrix([expression]).tolist(), object).ravel()
    functions = [sympy.lambdify(T, entry, "mpmath") for entry in entries]
    with mpmath.workdps(30):
        c = [mpmath.taylor(f, 0, order, chop=False) for f in functions]
        return np.array(c, float).T


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: np.exp(np.sin(x)), lambda x: mpmath.exp(mpmath.sin(x))),
        (lambda x: np.log(x) / (3 + x), lambda x: mpmath.log(x) / (3 + x)),
        (lambda x: x**x, lambda x: x**x),
        (lambda x: np.sqrt(x) * np.tanh(x), lambda x: mpmath.sqrt(x) * mpmath.tanh(x)),
        (lambda x: np.logaddexp(x, 1), lambda x: mpmath.log(mpmath.exp(x) + mpmath.e)),
        (lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 / (1 + mpmath.exp(-x))),
    ],
)
@pytest.mark.parametrize("x", [0.3, 1.7])
def test_all_orders_at_once(f, name, x):
    with mpmath.workdps(40):
        expected = [float(c) for c in mpmath.taylor(name, x, 12, chop=False)]
    np.testing.assert_allclose(taylor(f, x, 12), expected, rtol=1e-12)
    for order in (3, 12):
        wanted = expected[order] * math.factorial(order)
        assert derivative(f, x, order) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("order", [170, 180, 400, 1000])
def test_orders_whose_factorial_is_infinite(order):
    assert derivative(np.exp, 1.0, order) == pytest.approx(math.e, rel=1e-13)
    assert derivative(lambda x: x**3, 1.0, order) == 0
    sine = [math.sin(0.5), math.cos(0.5), -math.sin(0.5), -math.cos(0.5)]
    for x in (0.5, np.full(3, 0.5)):
        np.testing.assert_allclose(derivative(np.sin, x, order), sine[order % 4], 1e-13)


@pytest.mark.parametrize(
    ("f", "derivatives"),
    [
        (lambda x: np.sqrt(x**4), [0, 2, 0, 0]),
        (lambda x: np.cbrt(x**6 * (1 + x)), [0, 2, 2, -8 / 3]),
        (lambda x: (x**4 * np.exp(x)) ** 0.75, [0, 0, 0, 0]),
        (lambda x: x**0, [0, 0, 0, 0]),
        (lambda x: x**2.5, [0, 0, np.inf, -np.inf]),
        (lambda x: np.sqrt(x), [np.inf, -np.inf, np.inf, -np.inf]),
        (lambda x: 0 * np.sqrt(1 + x) + np.sqrt(0 * x), [0, 0, 0, 0]),
        (lambda x: np.hypot(x, x**2), [0, 0, 0, 0]),
        (lambda x: np.where(x >= 0, x**3, x), [0, 0, 6, 0]),
    ],
)
def test_roots_and_powers_at_zero(f, derivatives):
    with np.errstate(divide="ignore", invalid="ignore"):
        for order, expected in enumerate(derivatives, start=1):
            for x in (0.0, np.zeros(2)):
                np.testing.assert_allclose(derivative(f, x, order), expected, 1e-13)


@pytest.mark.parametrize(
    ("f", "right", "left"),
    [
        (lambda x: abs(x), [1, 0, 0], [-1, 0, 0]),
        (lambda x: abs(x) ** 2, [0, 2, 0], [0, 2, 0]),
        (lambda x: abs(x) ** 3, [0, 0, 6], [0, 0, -6]),
        (lambda x: np.fabs(np.sin(x)), [1, 0, -1], [-1, 0, 1]),
        (lambda x: np.sqrt(x**2), [1, 0, 0], [-1, 0, 0]),
        (lambda x: np.maximum(x, 0), [1, 0, 0], [0, 0, 0]),
        (lambda x: np.maximum(x, -x) ** 2, [0, 2, 0], [0, 2, 0]),
        (lambda x: np.minimum(x, x**2), [0, 2, 0], [1, 0, 0]),
        (lambda x: np.fmin(np.exp(x), 1 + x), [1, 0, 0], [1, 0, 0]),
        (lambda x: np.max(np.stack([x, 2 * x])), [2, 0, 0], [1, 0, 0]),
        (lambda x: np.linalg.norm(np.stack([3 * x, 4 * x])), [5, 0, 0], [-5, 0, 0]),
    ],
)
def test_kinks_give_the_mean_of_both_sides(f, right, left):
    """As a central difference would have it; beside the kink there is no doubt."""
    for order in (1, 2, 3):
        mean = (right[order - 1] + left[order - 1]) / 2
        assert derivative(f, 0.0, order) == pytest.approx(mean, abs=1e-14)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (abs, 0.0),
        (lambda x: abs(abs(x) - x), -1.0),
        (lambda x: np.fabs(np.fabs(x) - x), -1.0),
        (lambda x: np.exp(x) * abs(np.abs(x) + x), 1.0),
        (lambda x: np.sqrt(x**4), 0.0),
        (lambda x: abs(x) ** 1.5, 0.0),
        (lambda x: np.cbrt(x**3), 1.0),
    ],
)
def test_the_short_way_at_a_number_leaves_kinks_to_the_series(f, slope):
    """The mean of the slopes of f itself; at a kink of a kink no rule would know it."""
    assert derivative(f, 0.0) == slope
    assert derivative(f, np.zeros(2)) == pytest.approx([slope, slope])


def test_the_short_way_is_taken_where_f_is_smooth():
    at_number = dm.get_method("taylor_series").at_number
    assert at_number(lambda x: np.tanh(x) * x**2, 0.0) == 0.0
    assert at_number(np.exp, 1.0) == math.e
    assert at_number(lambda x: x * np.inf, 1.0) is None
    with pytest.raises(FloatingPointError):  # the long way follows
        at_number(abs, 0.0)


def test_the_short_way_at_an_array():
    at_array = dm.get_method("taylor_series").at_array
    x, away = np.array([-1.0, 0.0, 2.0]), np.array([-1.0, 2.0])
    f = lambda x: x**3 + np.sin(x)
    np.testing.assert_allclose(at_array(f, x), 3 * x**2 + np.cos(x))
    choice = lambda x: np.maximum(x, 0.0) * abs(x)
    np.testing.assert_array_equal(at_array(choice, away), [0.0, 4.0])
    for kinked in (choice, np.cbrt, np.fabs, lambda x: np.hypot(x, 0.0)):
        with pytest.raises(FloatingPointError):
            at_array(kinked, x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.exp(np.sin(x)) * np.tanh(2.0 * x - 1.0),
        lambda x: np.sqrt(1.0 + x**2) / (3.0 + np.cos(x)),
        lambda x: x**9.0 - np.hypot(x, 1.0 + x * x),
        lambda x: np.tanh(np.sin(x)) + np.arctan2(x, 2.0 + x),
    ],
)
def test_long_arrays_are_as_their_items(f):
    """Long enough for strips; each item as it is alone."""
    x = np.linspace(-2.0, 2.0, 9000).reshape(3, -1)[:, ::-1]
    c = taylor(f, x, 6)
    assert c.shape == (7, *x.shape)
    for place in ((0, 0), (1, 17), (2, 2999)):
        alone = taylor(f, float(x[place]), 6)
        np.testing.assert_allclose(
            c[(slice(None), *place)], alone, rtol=1e-12, atol=1e-13
        )


def test_three_items_that_meet():
    gradient = dm.gradient(np.max, method="taylor_series")(np.ones(3))
    np.testing.assert_allclose(gradient, np.full(3, 1 / 3))
    with pytest.raises(NotDifferentiableError, match="three items"):
        taylor(np.max, np.ones(3), 2, np.arange(3.0))
    equal = taylor(np.max, np.ones(3), 2)
    np.testing.assert_allclose(equal, [1, 1, 0])


def test_wherever_the_branch_not_taken_is_not_a_number():
    for order in (1, 2, 5):
        with np.errstate(invalid="ignore"):
            f = lambda x: np.where(x > 0, np.sqrt(x), 0.0)
            assert derivative(f, -1.0, order) == 0


MATRIX = sympy.Matrix([[2 + T, T**2 - 1, 1], [3 * T, 1 - T, 2], [T, 1, 3 + T**3]])


def matrix(t):
    rows = [[2 + t, t**2 - 1, 1], [3 * t, 1 - t, 2], [t, 1, 3 + t**3]]
    return np.array(rows) + 0 * t  # NumPy's array of series becomes a series


@pytest.mark.parametrize(
    ("f", "expression"),
    [
        (lambda a: np.linalg.inv(a), MATRIX.inv()),
        (lambda a: np.linalg.det(a), MATRIX.det()),
        (lambda a: np.linalg.slogdet(a)[1], sympy.log(MATRIX.det())),
        (lambda a: np.linalg.solve(a, np.ones(3)), MATRIX.inv() * sympy.ones(3, 1)),
        (lambda a: np.linalg.solve(a, a.T), MATRIX.inv() * MATRIX.T),
        (lambda a: a @ a, MATRIX * MATRIX),
        (lambda a: np.einsum("ij,jk,kl->il", a, a, a), MATRIX**3),
        (lambda a: np.linalg.matrix_power(a, -2), (MATRIX**2).inv()),
        (
            lambda a: np.prod(a, axis=0),
            sympy.Matrix([[*map(sympy.prod, MATRIX.T.tolist())]]),
        ),
        (lambda a: np.linalg.det(a @ np.diag([1.0, 0, 1])), sympy.Integer(0)),
        (lambda a: np.convolve(a[0], a[2])[0], MATRIX[0, 0] * MATRIX[2, 0]),
    ],
)
def test_matrices(f, expression):
    found = taylor(lambda t: f(matrix(t)), 0.0, 6)
    expected = exact(expression, 6)
    np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=1e-11, atol=1e-11)


def test_singular_matrices_have_derivatives():
    """det(1 + t D) of a matrix of ones: 11 t^2 + 6 t^3 for D of 1, 2, 3."""
    c = taylor(
        lambda t: np.linalg.det(np.ones((3, 3)) + t * np.diag([1, 2, 3])), 0.0, 4
    )
    np.testing.assert_allclose(c, [0, 0, 11, 6, 0], atol=1e-12)


@pytest.mark.parametrize("f", [np.linalg.eigvalsh, lambda a: np.linalg.svd(a)[1][::-1]])
def test_eigenvalues_to_fourth_order(f):
    """Those of [[2, t], [t, 3 + t]], in closed form."""
    root = sympy.sqrt((1 + T) ** 2 / 4 + T**2)
    expected = exact(sympy.Matrix([(5 + T) / 2 - root, (5 + T) / 2 + root]), 4)
    found = taylor(lambda t: f(np.array([[2, t], [t, 3 + t]]) + 0 * t), 0.0, 4)
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_cholesky_factor_gives_its_matrix_back():
    a = lambda t: matrix(t) @ matrix(t).T
    lower = lambda t: np.linalg.cholesky(a(t))
    c = taylor(lambda t: lower(t) @ lower(t).T, 0.0, 5)
    np.testing.assert_allclose(c.reshape(6, 9), exact(MATRIX * MATRIX.T, 5), atol=1e-11)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
@pytest.mark.parametrize("kind", [float, complex])
def test_orthogonal_and_triangular_factors(shape, kind):
    """Their product is the matrix, Q* Q is 1 and R is a triangle, to all orders."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, *shape)).astype(kind)
    if kind is complex:
        a += 1j * rng.normal(size=a.shape)
    a[0] += 3.0 * np.eye(*shape)
    matrix = lambda t: a[0] + a[1] * t + a[2] * t * t
    q, r = (taylor(lambda t, i=i: np.linalg.qr(matrix(t))[i], 0.0, 5) for i in (0, 1))
    assert np.all(np.tril(r, -1) == 0)
    for k in range(6):
        product = sum(q[j] @ r[k - j] for j in range(k + 1))
        np.testing.assert_allclose(product, a[k] if k < 3 else 0 * a[0], atol=1e-11)
        square = sum(q[j].conj().T @ q[k - j] for j in range(k + 1))
        one = np.eye(min(shape)) if k == 0 else 0.0
        np.testing.assert_allclose(square, one * np.ones_like(square), atol=1e-11)
    only = taylor(lambda t: np.linalg.qr(matrix(t), mode="r"), 0.0, 5)
    np.testing.assert_allclose(only, r, atol=1e-11)


@pytest.mark.parametrize("method", ["dual_numbers", "taylor_series", "reverse_tape"])
def test_the_triangular_factor_knows_the_determinant(method):
    """The log of abs(det) is the sum of those of R's diagonal; its slope A^-T."""
    a = np.random.default_rng(1).normal(size=(4, 4))
    f = lambda x: np.sum(np.log(np.abs(np.diag(np.linalg.qr(x).R))))
    np.testing.assert_allclose(
        dm.gradient(f, method=method)(a), np.linalg.inv(a).T, rtol=1e-12, atol=1e-13
    )
    upper = lambda x: np.sum(
        np.log(np.diag(np.linalg.cholesky(x + x.T + 20 * np.eye(4), upper=True)))
    )
    spd = a + a.T + 20 * np.eye(4)
    np.testing.assert_allclose(
        dm.gradient(upper, method=method)(a), np.linalg.inv(spd), rtol=1e-12
    )


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,), (2, 0, 3)])
def test_shapes(shape):
    x = np.full(shape, 0.25)[()]
    c = taylor(np.exp, x, 3)
    assert c.shape == (4, *shape)
    np.testing.assert_allclose(c[3], np.exp(x) / 6, rtol=1e-14)
    got = derivative(np.exp, x, 3)
    np.testing.assert_allclose(got, np.exp(x), rtol=1e-14)
    assert np.shape(got) == shape


def test_integers_and_constants():
    assert derivative(lambda x: x**3, 2, 2) == 12
    assert derivative(lambda x: 3, 2.0, 2) == 0
    assert derivative(lambda x: x, 2.0, 2) == 0
    np.testing.assert_array_equal(taylor(lambda x: 0 * x + 1, np.arange(3), 2)[1:], 0)


@given(
    st.sampled_from(
        [np.exp, np.sin, np.tanh, np.sqrt, np.log, np.arctan, np.reciprocal]
    ),
    st.builds(complex, st.floats(0.5, 2.0), st.floats(-2.0, 2.0)),
    st.integers(1, 4),
)
def test_complex_points(f, z, order):
    """By Cauchy's integral over a small circle in the right half-plane."""
    circle = np.exp(2j * np.pi * np.arange(64) / 64)
    values = f(z + 0.25 * circle) / (0.25 * circle) ** order
    expected = math.factorial(order) * np.mean(values)
    found = derivative(f, z, order)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    stacked = derivative(f, np.array([z, z]), order)
    np.testing.assert_allclose(stacked, found, rtol=1e-13)


def test_directions_give_mixed_partials():
    """Griewank, Utke and Walther (2000): u_xy from x, y and x + y."""
    f = lambda p: np.exp(p[0]) * np.sin(p[1])
    p, axes = np.array([0.3, 0.7]), np.eye(2)
    both, x, y = (taylor(f, p, 2, v)[2] for v in (axes[0] + axes[1], *axes))
    assert both - x - y == pytest.approx(math.exp(0.3) * math.cos(0.7), rel=1e-14)


INNER = ["dual_numbers", "taylor_series", "complex_step", "sympy", "jax"]


@pytest.mark.parametrize("other", INNER)
def test_nesting_with_other_methods(other):
    """d/dx of x d/dy tanh(x y), at y = 1/2: one inside the other, both ways round."""
    x, y = sympy.symbols("x y")
    f = sympy.diff(
        x * sympy.diff(sympy.tanh(x * y), y).subs(y, sympy.Rational(1, 2)), x
    )
    expected = float(f.subs(x, sympy.Rational(7, 10)))
    for outer, inner in ((other, "taylor_series"), ("taylor_series", other)):
        slope = dm.derivative(
            lambda x, inner=inner: (
                x * dm.derivative(lambda y: np.tanh(x * y), method=inner)(0.5)
            ),
            method=outer,
        )(0.7)
        assert slope == pytest.approx(expected, rel=1e-13)


def test_perturbations_are_not_confused():
    d = lambda f: lambda x: derivative(f, x)
    assert d(lambda x: x * d(lambda y: x + y)(1.0))(1.0) == 1
    third = d(d(d(np.tanh)))(0.5)
    assert third == pytest.approx(derivative(np.tanh, 0.5, 3), rel=1e-14)


def test_lists_of_series_are_arrays():
    gradient = dm.gradient(
        lambda x: np.dot([x[0], x[1]], x[:2]), method="taylor_series"
    )
    np.testing.assert_allclose(gradient(np.array([1.0, 2.0, 3.0])), [2, 4, 0])
    jacobian = dm.jacobian(lambda x: np.add([x[0], 1.0], x), method="taylor_series")
    np.testing.assert_allclose(jacobian(np.array([1.0, 2.0])), [[2, 0], [0, 1]])


def test_what_has_no_rule_is_named():
    with pytest.raises(MissingRuleError, match=r"np\.linalg\.eigvals"):
        taylor(lambda t: np.linalg.eigvals(t * np.eye(2)), 1.0, 2)
    with pytest.raises(MissingRuleError, match=r"np\.nextafter"):
        derivative(lambda x: np.nextafter(x, 2.0), 1.0)


@pytest.mark.parametrize("order", [-1, 1.5, True])
def test_orders_that_there_are_not(order):
    with pytest.raises(OptionError, match="whole number from 0"):
        taylor(np.exp, 0.0, order)
