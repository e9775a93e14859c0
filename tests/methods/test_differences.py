"""Forward and central differences against mpmath and SymPy, and what they refuse."""

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.errors import NotDifferentiableError, OptionError, ShapeError

FORWARD, CENTRAL = "forward_difference", "central_difference"
BOTH = pytest.mark.parametrize("method", [FORWARD, CENTRAL])

FUNCTIONS = {
    "tanh": (np.tanh, mpmath.tanh, [-3.0, -0.4, 0.0, 0.7, 2.0]),
    "sin": (np.sin, mpmath.sin, [-2.0, 0.0, 1.5]),
    "exp": (np.exp, mpmath.exp, [-4.0, 0.0, 1.0, 5.0]),
    "log": (np.log, mpmath.log, [0.9, 1.0, 7.0, 1e6, 1e20]),
    "sqrt": (np.sqrt, mpmath.sqrt, [0.9, 2.0, 1e8]),
    "arctan": (np.arctan, mpmath.atan, [-1.0, 0.0, 0.5, 3.0]),
    "polynomial": (
        lambda x: x**3 + 2 * x**2 - 3 * x + 1,
        lambda x: x**3 + 2 * x**2 - 3 * x + 1,
        [-2.0, 0.0, 2.0, 100.0],
    ),
    "bell": (lambda x: np.exp(-x * x), lambda x: mpmath.exp(-x * x), [0.0, 0.8, 2.0]),
}
# Error to expect by method, order and accuracy, where f and x are about 1 in size.
EXPECTED = {
    **{(FORWARD, 1, p): e for p, e in {1: 1e-7, 2: 2e-9, 3: 2e-10, 4: 5e-11}.items()},
    **{(FORWARD, 2, p): e for p, e in {1: 2e-4, 2: 3e-6, 3: 1e-6, 4: 1e-7}.items()},
    **{(CENTRAL, 1, p): e for p, e in {2: 1e-9, 4: 1e-11, 6: 1e-11, 8: 1e-11}.items()},
    **{(CENTRAL, 2, p): e for p, e in {2: 1e-6, 4: 1e-8, 6: 1e-9, 8: 1e-9}.items()},
    **{(CENTRAL, 3, p): e for p, e in {2: 1e-4, 4: 1e-6, 6: 1e-7, 8: 1e-7}.items()},
    **{(CENTRAL, 4, p): e for p, e in {2: 1e-2, 4: 1e-4, 6: 1e-5, 8: 1e-5}.items()},
}


def exact(g, x, order):
    with mpmath.workdps(150):
        return float(mpmath.diff(g, mpmath.mpf(x), order))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("method", "order", "accuracy"), EXPECTED)
def test_derivatives_are_those_of_mpmath(method, order, accuracy, name):
    f, g, points = FUNCTIONS[name]
    for x in points:
        df = dm.derivative(f, method=method, order=order, accuracy=accuracy)(x)
        expected = exact(g, x, order)
        distance = max(abs(x), 1) ** order
        size = max(abs(float(g(x))), abs(expected) * distance, 1)
        assert abs(df - expected) * distance <= EXPECTED[method, order, accuracy] * size


@pytest.mark.parametrize(
    ("method", "expected"),
    [(FORWARD, 0.07065075680046107), (CENTRAL, 0.07065082485713248)],
)
def test_the_seed_of_the_chrestomathy_is_reproduced_to_the_last_digit(method, expected):
    assert dm.derivative(np.tanh, method=method, step=1e-6)(2.0) == expected
    assert dm.jvp(np.tanh, method=method, step=1e-6)(2.0, 1.0) == expected


@BOTH
def test_the_stated_error_holds_for_the_seeds_functions(method):
    rtol = dm.get_method(method).rtol
    for name in ("tanh", "polynomial"):
        f, g, _ = FUNCTIONS[name]
        df = dm.derivative(f, method=method)(2.0)
        assert df == pytest.approx(exact(g, 2.0, 1), rel=rtol, abs=0)


@BOTH
@settings(deadline=None)
@given(
    coefficients=st.lists(st.integers(-9, 9), min_size=1, max_size=6),
    x=st.floats(-2, 2),
    order=st.integers(1, 3),
)
def test_polynomials_of_low_degree_have_no_truncation_error(
    method, coefficients, x, order
):
    """A step as long as 1/4 leaves nothing but rounding."""
    p = np.polynomial.Polynomial(coefficients)
    df = dm.derivative(p, method=method, order=order, accuracy=6, step=0.25)(x)
    size = np.sum(np.abs(coefficients)) * 4.0**5
    assert abs(df - p.deriv(order)(x)) <= 1e-11 * max(size, 1)


@BOTH
def test_constants_have_derivative_zero_exactly(method):
    for order in (1, 2, 3):
        df = dm.derivative(lambda x: 0.1 + 0 * x, method=method, order=order)
        assert df(0.3) == 0
        np.testing.assert_array_equal(df(np.array([0.3, 1e5])), [0, 0])


@BOTH
def test_arrays_are_differentiated_item_by_item_each_with_its_own_step(method):
    x = np.array([[0.5, 1.0, 3.0], [1e3, 1e6, 1e12]])
    df = dm.derivative(np.cbrt, method=method)(x)
    np.testing.assert_allclose(df, np.cbrt(x) / x / 3, rtol=dm.get_method(method).rtol)
    steps = np.array([[1e-3], [1.0]])
    df = dm.derivative(np.square, method=method, step=steps)(x)
    error = np.broadcast_to(steps, x.shape) if method == FORWARD else np.zeros(x.shape)
    np.testing.assert_allclose((df - 2 * x)[:, :2], error[:, :2], atol=1e-9, rtol=1e-6)


@BOTH
def test_one_call_of_f_does_a_node_for_the_whole_array(method):
    seen = []

    def f(x):
        seen.append(np.shape(x))
        return np.tanh(x)

    module = dm.get_method(method)
    module.derivative(f, np.ones(7), 1)
    assert seen == [(7,)] * 2


@BOTH
def test_scalar_functions_get_numpy_scalars(method):
    kinds = set()

    def f(x):
        kinds.add(type(x))
        return x * x

    dm.derivative(f, method=method, order=2)(3)
    dm.hessian(f, method=method)(3)
    assert kinds == {np.float64}


@BOTH
def test_gradients_evaluate_as_often_as_they_must(method):
    calls = []
    x = np.linspace(0.5, 1.5, 5)
    dm.gradient(lambda z: (calls.append(1), np.sum(np.sin(z)))[1], method=method)(x)
    assert len(calls) == {FORWARD: 6, CENTRAL: 10}[method]
    calls.clear()
    dm.hessian(lambda z: (calls.append(1), np.prod(z))[1], method=method)(x)
    assert len(calls) == 1 + 2 * 5 + 2 * 10


SYMBOLS = sympy.symbols("a b c")
FIELDS = {
    "rosenbrock": (
        lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        lambda a, b, c: (
            100 * (b - a**2) ** 2 + (1 - a) ** 2 + 100 * (c - b**2) ** 2 + (1 - b) ** 2
        ),
    ),
    "wave": (
        lambda x: np.exp(x[0] * np.sin(x[1])) + x[2] ** 3,
        lambda a, b, c: sympy.exp(a * sympy.sin(b)) + c**3,
    ),
    "far": (
        lambda x: np.log(1 + x[0] ** 2 * x[1]) * x[2],
        lambda a, b, c: sympy.log(1 + a**2 * b) * c,
    ),
}
X = np.array([1.2, 0.7, -0.3])
TOLERANCE = {
    (FORWARD, 1): (1e-6, 1e-3),
    (FORWARD, 2): (1e-8, 1e-5),
    (CENTRAL, 2): (1e-9, 1e-6),
    (CENTRAL, 4): (1e-11, 1e-8),
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(("method", "accuracy"), TOLERANCE)
def test_several_variables_agree_with_sympy(method, accuracy, name):
    f, symbolic = FIELDS[name]
    expression = symbolic(*SYMBOLS)
    at = dict(zip(SYMBOLS, X, strict=True))
    gradient = [float(sympy.diff(expression, s).subs(at)) for s in SYMBOLS]
    hessian = np.array(sympy.hessian(expression, SYMBOLS).subs(at), float)
    options = {"method": method, "accuracy": accuracy}
    v = np.array([0.5, -2.0, 1.0])
    first, second = TOLERANCE[method, accuracy]
    first, second = first * np.max(np.abs(hessian)), second * np.max(np.abs(hessian))
    np.testing.assert_allclose(dm.gradient(f, **options)(X), gradient, atol=first)
    assert dm.jvp(f, **options)(X, v) == pytest.approx(v @ gradient, abs=4 * first)
    np.testing.assert_allclose(dm.hessian(f, **options)(X), hessian, atol=second)
    product = dm.hvp(f, **options)(X, v)
    np.testing.assert_allclose(product, hessian @ v, atol=30 * second)


@BOTH
def test_hessians_reach_across_scales(method):
    """The mixed derivative of a product of powers, at 1e6 and 1e-1."""
    x = np.array([1e6, 0.1])
    hessian = dm.hessian(lambda z: z[0] ** 1.5 * (1 + z[1]) ** 2, method=method)(x)
    expected = [[0.75e-3 * 1.21, 1.5e3 * 2.2], [1.5e3 * 2.2, 2e9]]
    rtol = 1e-2 if method == FORWARD else 1e-5
    np.testing.assert_allclose(hessian, expected, rtol=rtol)


@BOTH
def test_shapes(method):
    x = np.ones((2, 3))
    jacobian = dm.jacobian(lambda z: np.sum(z**2, axis=0), method=method)(x)
    assert jacobian.shape == (3, 2, 3)
    expected = 2 * np.eye(3)[:, None, :].repeat(2, axis=1)
    np.testing.assert_allclose(jacobian, expected, atol=1e-6)
    assert dm.hessian(np.sum, method=method)(x).shape == (2, 3, 2, 3)
    assert dm.hvp(np.sum, method=method)(x, x).shape == (2, 3)
    assert dm.jacobian(np.sin, method=method)(0.0).shape == ()
    assert dm.derivative(lambda t: np.stack([t, t * t]), method=method)(1.0).shape == (
        2,
    )


@BOTH
def test_empty_arrays_give_empty_arrays(method):
    empty = np.zeros((0,))
    assert dm.derivative(np.sin, method=method)(empty).shape == (0,)
    assert dm.gradient(np.sum, method=method)(empty).shape == (0,)
    assert dm.jacobian(np.sin, method=method)(empty).shape == (0, 0)
    assert dm.hessian(np.sum, method=method)(empty).shape == (0, 0)
    assert dm.hvp(np.sum, method=method)(empty, empty).shape == (0,)
    assert dm.jvp(np.sum, method=method)(empty, empty) == 0


@BOTH
def test_directions_of_any_length(method):
    x = np.array([1.0, 1e6])

    def f(z):
        return np.log(z[0]) + np.log(z[1])

    push = dm.jvp(f, method=method)
    for size in (1e-200, 1e-9, 1.0, 1e9, 1e200):
        v = size * np.array([1.0, 1e6])
        assert push(x, v) == pytest.approx(2 * size, rel=1e-6)
    assert push(x, np.zeros(2)) == 0
    np.testing.assert_array_equal(dm.hvp(f, method=method)(x, np.zeros(2)), [0, 0])


@pytest.mark.parametrize("outer", [FORWARD, CENTRAL, "dual_numbers"])
@pytest.mark.parametrize("inner", [FORWARD, CENTRAL, "dual_numbers"])
def test_differences_nest_with_each_other_and_with_traces(outer, inner):
    df = dm.derivative(dm.derivative(np.tanh, method=inner), method=outer)
    inexact = [m for m in (outer, inner) if m != "dual_numbers"]
    tolerance = {0: 1e-14, 1: 1e-6, 2: 10.0}[len(inexact)]  # a first difference twice
    assert df(2.0) == pytest.approx(exact(mpmath.tanh, 2.0, 2), abs=tolerance)
    # the step is as for the plain number: log at 1e6 needs a long one
    slope = dm.derivative(dm.derivative(np.log, method=inner), method=outer)(1e6)
    assert slope == pytest.approx(-1e-12, abs=1e-12 * 100 * tolerance)


@BOTH
def test_traced_arrays_and_directions(method):
    x, v = np.array([0.5, 2.0]), np.array([1.0, -1.0])

    def slope(z):
        return dm.jvp(lambda y: np.sum(y**3), method=method)(z, v * z)

    gradient = dm.gradient(slope)(x)  # of the sum of 3 x^3 v
    np.testing.assert_allclose(gradient, 9 * x**2 * v, rtol=1e-5)
    hessian = dm.jacobian(dm.gradient(lambda y: np.sum(y**3), method=method))(x)
    np.testing.assert_allclose(hessian, np.diag(6 * x), atol=1e-5)


@BOTH
def test_leaving_the_domain_is_an_error_not_a_number(method):
    # forward differences leave through the upper end, central ones through either
    f = np.log if method == CENTRAL else (lambda x: np.log(2e-3 - x))
    with pytest.raises(NotDifferentiableError, match=r"leaves the domain[^=]*step="):
        dm.derivative(f, method=method, step=0.002)(1e-3)
    gradient = dm.gradient(lambda x: np.sum(f(x)), method=method, step=0.002)
    with pytest.raises(NotDifferentiableError, match="leaves the domain"):
        gradient(np.array([1e-3, 1e-3]))
    assert np.isfinite(dm.derivative(f, method=method)(1e-3))


@BOTH
def test_what_is_not_finite_at_x_itself_is_nan(method):
    f = np.errstate(all="ignore")(np.log)
    assert np.isnan(dm.derivative(f, method=method)(-1.0))
    df = dm.derivative(f, method=method)(np.array([-1.0, 1.0, np.nan]))
    np.testing.assert_allclose(df, [np.nan, 1.0, np.nan], rtol=1e-6)


@BOTH
def test_float32_inside_f_gets_a_longer_step(method):
    """With float64's step, rounding would leave one digit, or none."""
    f = lambda x: np.tanh(np.asarray(x, np.float32))
    expected = exact(mpmath.tanh, 2.0, 1)
    assert dm.derivative(f, method=method)(2.0) == pytest.approx(expected, rel=1e-2)
    gradient = dm.gradient(lambda x: np.sum(f(x)), method=method)(np.array([2.0, 2.0]))
    np.testing.assert_allclose(gradient, expected, rtol=1e-2)
    assert gradient.dtype == np.float64


@BOTH
def test_functions_may_reuse_their_buffer_and_change_their_argument(method):
    buffer = np.empty(2)

    def f(x):
        x *= 2
        return np.sin(x, out=buffer)

    df = dm.derivative(f, method=method)(np.array([0.0, 1.0]))
    np.testing.assert_allclose(df, 2 * np.cos([0.0, 2.0]), rtol=1e-6)


@BOTH
def test_integers_lists_and_complex_results(method):
    assert dm.derivative(lambda x: x * x, method=method)(3) == pytest.approx(6.0)
    assert dm.derivative(lambda x: 7, method=method)(3) == 0
    df = dm.derivative(lambda x: [x, x * x], method=method)(1.0)
    np.testing.assert_allclose(df, [1, 2], rtol=1e-6)
    df = dm.derivative(lambda x: np.exp(1j * x), method=method)(1.0)
    assert df == pytest.approx(1j * np.exp(1j), rel=1e-6)


@BOTH
def test_complex_points(method):
    z = 0.3 + 0.8j
    expected = complex(mpmath.diff(mpmath.tanh, z))
    assert dm.derivative(np.tanh, method=method)(z) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(NotDifferentiableError, match="complex derivative"):
        dm.derivative(np.abs, method=method)(z)


@BOTH
@pytest.mark.parametrize(
    ("step", "message"),
    [
        (0, "positive"),
        (-1e-6, "positive"),
        (np.nan, "positive"),
        (np.inf, "positive"),
        (1e-17, "too small"),
        (1.7e308, "too large"),
        ("small", "must be a number"),
        ([1e-6, 1e-6, 1e-6], "broadcasts"),
    ],
)
def test_bad_steps_are_refused(method, step, message):
    x = np.array([2.0, 1e308])
    with pytest.raises(OptionError, match=message):
        dm.gradient(np.sum, method=method, step=step)(x)


@pytest.mark.parametrize(
    ("method", "accuracy", "message"),
    [(CENTRAL, a, "an even number from 2") for a in (0, -2, 3, 2.0, True, "2")]
    + [(FORWARD, a, "a whole number from 1") for a in (0, -1, 1.0, True, "1")],
)
def test_bad_accuracies_are_refused(method, accuracy, message):
    with pytest.raises(OptionError, match=message):
        dm.derivative(np.tanh, method=method, accuracy=accuracy)(2.0)


@BOTH
def test_orders_beyond_float64_are_refused_unless_a_step_is_given(method):
    with pytest.raises(OptionError, match=r"no digit .* order 9.*dual_numbers"):
        dm.derivative(np.sin, method=method, order=9)(1.0)
    slow = dm.derivative(lambda x: np.sin(x / 99), method=method, order=9, step=9.0)
    assert slow(1.0) * 99**9 == pytest.approx(np.cos(1 / 99), rel=0.7)


@BOTH
def test_hessians_of_vectors_are_refused(method):
    with pytest.raises(ShapeError, match="scalar result"):
        dm.hessian(np.sin, method=method)(np.ones(2))
    with pytest.raises(ShapeError, match="scalar result"):
        dm.hvp(np.sin, method=method)(np.ones(2), np.ones(2))
