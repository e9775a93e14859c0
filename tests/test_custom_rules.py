"""A function with a rule of its own is differentiated as if NumPy had it."""

import functools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.custom_rules import CustomFunction
from diffmethods.errors import (
    InputError,
    MissingRuleError,
    OptionError,
    ShapeError,
    TracedValueError,
    WrongDerivativeError,
)

EXACT = ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source", "jax")
BY_RULE = (*EXACT, "complex_step")
NUMERICAL = ("central_difference", "chebyshev", "richardson", "forward_difference")
POINTS = st.floats(0.2, 3.0)


def each(names, kinds):
    return pytest.mark.parametrize(names, kinds)


# exp(a sin b) of plain Python numbers, with its derivative told in every way there is.


def wave(a, b):
    return math.exp(float(a) * math.sin(float(b)))


def push_wave(y, a, b, da, db):
    return y * (np.sin(b) * da + a * np.cos(b) * db)


def pull_wave(y, a, b, w):
    return w * y * np.sin(b), w * y * a * np.cos(b)


SLOPES = (lambda y, a, b: y * np.sin(b), lambda y, a, b: y * a * np.cos(b))
WAVES = {
    "partials": dm.custom_rule(wave, partials=SLOPES),
    "jacobian": dm.custom_rule(wave, jacobian=SLOPES),
    "jvp": dm.custom_rule(wave, jvp=push_wave),
    "vjp": dm.custom_rule(wave, vjp=pull_wave),
    "both": dm.custom_rule(wave, jvp=push_wave, vjp=pull_wave),
}
A, B = sp.symbols("a b")
FORMULA = sp.exp(A * sp.sin(B))


def true(*by, at):
    return float(sp.diff(FORMULA, *by).subs({A: at[0], B: at[1]}).evalf(30))


@each("kind", WAVES)
@each("method", EXACT)
def test_gradient_and_hessian_of_a_black_box(kind, method):
    f = WAVES[kind]
    x = np.array([0.7, 1.2])
    whole = lambda x: f(x[0], x[1])
    gradient = [true(v, at=x) for v in (A, B)]
    hessian = [[true(u, v, at=x) for u in (A, B)] for v in (A, B)]
    np.testing.assert_allclose(
        dm.gradient(whole, method=method)(x), gradient, rtol=1e-14
    )
    np.testing.assert_allclose(dm.hessian(whole, method=method)(x), hessian, rtol=1e-13)
    np.testing.assert_allclose(
        dm.hvp(whole, method=method)(x, x), np.dot(hessian, x), rtol=1e-13
    )


@each("kind", WAVES)
@each("method", BY_RULE)
def test_one_argument_varies_and_either_may_be_named(kind, method):
    f = WAVES[kind]
    for slope, by in (
        (dm.derivative(lambda a: f(a, 1.2), method=method), A),
        (dm.derivative(lambda a: f(b=1.2, a=a), method=method), A),
    ):
        np.testing.assert_allclose(slope(0.7), true(by, at=(0.7, 1.2)), rtol=1e-14)
    slope = dm.derivative(lambda b: f(0.7, b=b), method=method)
    np.testing.assert_allclose(slope(1.2), true(B, at=(0.7, 1.2)), rtol=1e-14)


@each("kind", WAVES)
@each("method", NUMERICAL)
def test_differences_call_the_function_itself(kind, method):
    slope = dm.derivative(lambda b: WAVES[kind](0.7, b), method=method)(1.2)
    rtol = dm.get_method(method).rtol
    np.testing.assert_allclose(slope, true(B, at=(0.7, 1.2)), rtol=10 * rtol)


@each("kind", WAVES)
@settings(max_examples=25)
@given(a=POINTS, b=POINTS)
def test_series_of_any_order_integrate_the_rule(kind, a, b):
    f = lambda b: WAVES[kind](a, b)
    with mpmath.workdps(40):
        terms = mpmath.taylor(lambda b: mpmath.exp(a * mpmath.sin(b)), b, 8)
        size = mpmath.taylor(mpmath.exp, a, 8)  # cancellation is measured against it
    np.testing.assert_allclose(
        dm.taylor(f, b, 8),
        np.array(terms, float),
        rtol=1e-12,
        atol=1e-13 * float(max(map(abs, [*size, *terms]))),
    )


@each("kind", ["partials", "jvp", "vjp"])
@each("outer", EXACT)
@each("inner", EXACT)
def test_traces_of_two_methods_are_not_confused(kind, outer, inner):
    """d/da a d/db f(a, b), the inner variable being the outer one plus 1/2."""
    f = WAVES[kind]

    def inside(a):
        return a * dm.derivative(lambda b: f(a, b), method=inner)(a + 0.5)

    formula = sp.diff(A * sp.diff(FORMULA, B).subs(B, A + sp.Rational(1, 2)), A)
    expected = float(formula.subs(A, 0.7).evalf(30))
    if inner == "jax" and outer in ("taylor_series", "numpy_source", "reverse_tape"):
        try:
            slope = dm.derivative(inside, method=outer)(0.7)
        except (TracedValueError, InputError, MissingRuleError):
            return  # as for NumPy's own functions
    else:
        slope = dm.derivative(inside, method=outer)(0.7)
    np.testing.assert_allclose(slope, expected, rtol=1e-13)


# Arrays, and several results


def parts(a, b):
    """A number and a vector from a number and a vector, without NumPy's protocol."""
    b = [float(item) for item in b]
    return float(a) * sum(z * z for z in b), np.array([math.sin(a) * z for z in b])


def push_parts(y, a, b, da, db):
    return (
        da * np.sum(b**2) + 2 * a * np.sum(b * db),
        np.cos(a) * da * b + np.sin(a) * db,
    )


def pull_parts(y, a, b, w):
    return (
        w[0] * np.sum(b**2) + np.cos(a) * np.sum(w[1] * b),
        2 * w[0] * a * b + np.sin(a) * w[1],
    )


PARTS = {
    "jvp": dm.custom_rule(parts, jvp=push_parts),
    "vjp": dm.custom_rule(parts, vjp=pull_parts),
    "both": dm.custom_rule(parts, jvp=push_parts, vjp=pull_parts),
}
X = np.array([0.7, 1.2, -0.4, 2.1])


def both_parts(f):
    def combined(x):
        total, vector = f(x[0], x[1:])
        return total * vector

    return combined


def only_the_vector(f):
    return lambda x: f(x[0], x[1:])[1] * x[0]


def by_numpy(a, b):
    return a * np.sum(b**2), np.sin(a) * b


@each("use", [both_parts, only_the_vector])
@each("kind", PARTS)
@each("method", BY_RULE)
def test_several_results(use, kind, method):
    f, plain = use(PARTS[kind]), use(by_numpy)
    found = dm.jacobian(f, method=method)(X)
    np.testing.assert_allclose(found, dm.jacobian(plain)(X), rtol=1e-14, atol=1e-15)
    if method != "complex_step":
        square = lambda x: np.sum(f(x) ** 2)
        found = dm.hessian(square, method=method)(X)
        true = dm.hessian(lambda x: np.sum(plain(x) ** 2))(X)
        np.testing.assert_allclose(found, true, rtol=1e-12, atol=1e-12)


def matrix_form(m, x):
    return np.array(m, copy=True) @ np.array(x, copy=True)


FORMS = [
    dm.custom_rule(
        matrix_form,
        jacobian=(
            lambda y, m, x: np.einsum("ij,k->ijk", np.eye(2), x),
            lambda y, m, x: m,
        ),
    ),
    dm.custom_rule(matrix_form, jvp=lambda y, m, x, dm, dx: dm @ x + m @ dx),
    dm.custom_rule(
        matrix_form, vjp=lambda y, m, x, w: (w[:, None] * x[None, :], m.T @ w)
    ),
]


@each("f", FORMS)
@each("method", BY_RULE)
def test_arrays_of_other_shapes_than_the_result(f, method):
    x = np.linspace(0.3, 2.0, 9)
    split = lambda f: lambda x: f(np.reshape(x[:6], (2, 3)) ** 2, x[6:])
    found = dm.jacobian(split(f), method=method)(x)
    true = dm.jacobian(split(np.matmul))(x)
    np.testing.assert_allclose(found, true, rtol=1e-14, atol=1e-15)


@each("method", BY_RULE)
def test_partials_broadcast_like_the_function(method):
    f = dm.custom_rule(
        lambda a, b: np.array(a) * np.array(b) ** 2,
        partials=(lambda y, a, b: b**2, lambda y, a, b: 2 * a * b),
    )
    x = np.array([0.5, 2.0, 3.0])
    column = np.array([[1.0], [2.0]])
    found = dm.jacobian(lambda x: f(column * x[0], x), method=method)(x)
    true = dm.jacobian(lambda x: column * x[0] * x**2)(x)
    np.testing.assert_allclose(found, true, rtol=1e-14)


@each("method", EXACT)
def test_the_rule_counts_and_not_the_function(method):
    """A straight-through estimator: steps that pretend to be a line."""
    rounded = dm.custom_rule(np.round, partials=lambda y, x, *_: 1.0 + 0.0 * x)
    x = np.array([0.4, 1.7])
    slope = dm.derivative(lambda x: rounded(x) * x, method=method)(x)
    np.testing.assert_allclose(slope, x + np.round(x))


# Options and arguments without a derivative


@each("method", BY_RULE)
def test_options_reach_the_rules_that_know_them(method):
    @dm.custom_rule(jvp=lambda y, x, dx, *, power: power * x ** (power - 1) * dx)
    def f(x, *, power=2, label="unused"):
        return float(x) ** power if label == "unused" else np.nan

    slope = dm.derivative(lambda x: f(x) + f(x, power=5), method=method)(1.5)
    np.testing.assert_allclose(slope, 2 * 1.5 + 5 * 1.5**4, rtol=1e-14)


@each("method", BY_RULE)
def test_arguments_may_be_anything_that_does_not_vary(method):
    powers = {"square": 2, "cube": 3}

    @dm.custom_rule(
        partials=(None, lambda y, name, x, n: powers[name] * n * y / x, None)
    )
    def f(name, x, n=1):
        return float(x) ** (powers[name] * n)

    slope = dm.derivative(lambda x: f("square", x) + f("cube", x, 2), method=method)
    np.testing.assert_allclose(slope(1.5), 2 * 1.5 + 6 * 1.5**5, rtol=1e-14)


@each("method", EXACT)
@each(
    "f",
    [
        dm.custom_rule(lambda a, n: a**n, partials=(lambda y, a, n: n * y / a, None)),
        dm.custom_rule(lambda a, n: a**n, partials=lambda y, a, n: n * y / a),
        dm.custom_rule(lambda a, n: a**n, vjp=lambda y, a, n, w: (w * n * y / a, None)),
    ],
)
def test_an_argument_without_derivative_must_not_vary(method, f):
    np.testing.assert_allclose(
        dm.derivative(lambda a: f(a, 2.0), method=method)(3.0), 6.0
    )
    with pytest.raises(MissingRuleError, match=r"argument|is None there"):
        dm.derivative(lambda n: f(3.0, n), method=method)(2.0)


@each("method", EXACT)
def test_an_option_must_not_vary(method):
    f = dm.custom_rule(lambda x, *, k=1.0: k * x, jvp=lambda y, x, dx, *, k: k * dx)
    with pytest.raises(TracedValueError, match="option k="):
        dm.derivative(lambda x: f(1.0, k=x), method=method)(2.0)


@each("method", EXACT)
def test_a_variable_in_a_closure_is_refused(method):
    def outer(x):
        f = dm.custom_rule(lambda z: z * x, partials=lambda y, z: x)
        return f(2.0 * x)

    words = "tracer" if method == "jax" else "not among its arguments"
    with pytest.raises((TracedValueError, MissingRuleError), match=words):
        dm.derivative(outer, method=method)(3.0)


def test_a_plain_call_is_the_function_untouched():
    f = dm.custom_rule(lambda x: [x, "words"], jvp=lambda y, x, dx: dx)
    assert f(3) == [3, "words"]
    assert "custom rule" in repr(f)


@each("method", EXACT)
def test_a_method_of_a_class_may_have_a_rule(method):
    class Spring:
        stiffness = 3.0

        @functools.partial(
            dm.custom_rule, partials=(None, lambda y, self, x: self.stiffness * x)
        )
        def energy(self, x):
            return 0.5 * self.stiffness * float(x) ** 2

    assert isinstance(Spring.energy, CustomFunction)
    np.testing.assert_allclose(dm.derivative(Spring().energy, method=method)(2.0), 6.0)


@each("method", EXACT)
def test_whole_numbers_that_a_function_returns_have_slopes(method):
    f = dm.custom_rule(lambda x: int(float(x)), partials=lambda y, x: 2.0 * x)
    np.testing.assert_allclose(dm.derivative(f, method=method)(3.0), 6.0)


@each("method", ["dual_numbers", "taylor_series", "reverse_tape", "jax"])
def test_a_black_box_is_called_once(method):
    calls = []

    def square(x):
        calls.append(x)
        return float(x) ** 2

    f = dm.custom_rule(square, partials=lambda y, x: 2.0 * x)
    order = 5 if method == "taylor_series" else 1
    dm.derivative(f, method=method, order=order)(3.0)
    assert len(calls) == 1


def test_a_program_of_numpy_source_calls_a_black_box_once():
    calls = []

    def square(x):
        calls.append(x)
        return float(x) ** 2

    f = dm.custom_rule(square, partials=lambda y, x: 2.0 * x)
    slope = dm.derivative(lambda x: f(x) ** 2, method="numpy_source")
    slope(2.0)
    calls.clear()
    np.testing.assert_allclose(slope(3.0), 4 * 3.0**3)
    assert len(calls) <= 5


@each("kind", WAVES)
def test_source_takes_the_function_as_an_argument(kind):
    f = lambda x: WAVES[kind](x[0], x[1])
    x = np.array([0.7, 1.2])
    source = dm.to_source(f, x)
    space = {}
    exec(source, space)
    assert "wave" in source.split('"""')[1]
    np.testing.assert_allclose(
        space["gradient"](x, wave), [true(v, at=x) for v in (A, B)], rtol=1e-14
    )


def test_names_in_source_are_free():
    one, two = (
        dm.custom_rule(lambda x, n=n: n * x, partials=(lambda y, x, n: n, None))
        for n in (2.0, 3.0)
    )
    named_x = dm.custom_rule(lambda x: x**2, partials=lambda y, x: 2 * x)
    named_x.__name__ = "x"
    space = {}
    source = dm.to_source(lambda x: one(x) * two(x) * named_x(x), 1.5)
    exec(source, space)
    functions = [f.function for f in (one, two, named_x)]
    np.testing.assert_allclose(space["derivative"](1.5, *functions), 6 * 4 * 1.5**3)


@each("method", ["sympy"])
def test_methods_of_formulas_refuse(method):
    f = dm.custom_rule(np.square, partials=lambda y, x: 2 * x)
    with pytest.raises(MissingRuleError, match=r"square, which .* dual_numbers"):
        dm.derivative(f, method=method)(1.0)


def test_jax_without_numbers_wants_plain_numpy():
    import jax

    black = dm.custom_rule(lambda x: math.sin(x), partials=lambda y, x: np.cos(x))
    plain = dm.custom_rule(lambda x: np.sin(x), partials=lambda y, x: np.cos(x))

    def jitted(f):
        from diffmethods.methods.jax import LIBRARY, Lifted

        return jax.jit(lambda x: LIBRARY.lower(f(Lifted(x, LIBRARY))))

    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.grad(jitted(plain))(1.0), math.cos(1.0))
        with pytest.raises(MissingRuleError, match=r"jax\.jit"):
            jitted(black)(1.0)


def test_another_librarys_arrays_are_refused():
    import jax.numpy as jnp

    f = dm.custom_rule(lambda x: x**2, partials=lambda y, x: 2 * x)
    with pytest.raises(MissingRuleError, match="jax"):
        f(jnp.ones(2))


# What is wrong is said


def test_a_rule_is_needed_and_one_is_enough():
    with pytest.raises(OptionError, match="needs one of"):
        dm.custom_rule(np.sin)
    with pytest.raises(OptionError, match="partials= and jvp="):
        dm.custom_rule(np.sin, partials=np.cos, jvp=np.cos)
    with pytest.raises(InputError, match="jvp= must be a function, not float"):
        dm.custom_rule(np.sin, jvp=1.0)
    with pytest.raises(InputError, match="partials= must be a function, not str"):
        dm.custom_rule(np.sin, partials=("cos",))
    with pytest.raises(InputError, match="not to float"):
        dm.custom_rule(1.0, jvp=np.cos)


WRONG_SHAPES = [
    (dm.custom_rule(lambda x: x[:2], jvp=lambda y, x, dx: dx), "<lambda> gave shape"),
    (dm.custom_rule(np.square, jvp=lambda y, x, dx: 1.0), "jvp of square gave shape"),
    (dm.custom_rule(lambda x: x + 0, vjp=lambda y, x, w: 1.0), "vjp of <lambda> gave"),
    (dm.custom_rule(lambda x: x + 0, vjp=lambda y, x, w: (w, w)), "gave 2 cotangents"),
    (
        dm.custom_rule(lambda x: x + 0, jacobian=lambda y, x: np.ones(3)),
        "jacobian of <lambda> by argument 0",
    ),
    (
        dm.custom_rule(lambda x: (x + 0, x + 0), jvp=lambda y, x, dx: dx),
        "tuple of 2 parts",
    ),
    (
        dm.custom_rule(lambda x: (x + 0, x + 0), jacobian=lambda y, x: np.eye(3)),
        "several results",
    ),
]


@each("method", EXACT)
@each("f, words", WRONG_SHAPES)
def test_a_rule_of_the_wrong_shape(method, f, words):
    with pytest.raises(ShapeError, match=words):
        dm.jacobian(lambda x: 1.0 * f(x)[0], method=method)(np.ones(3))


def test_a_rule_that_is_no_numpy_serves_its_own_mode():
    @dm.custom_rule(jvp=lambda y, x, dx: math.cos(x) * dx)
    def f(x):
        return math.sin(x)

    np.testing.assert_allclose(
        dm.derivative(f, method="dual_numbers")(1.0), math.cos(1.0)
    )
    np.testing.assert_allclose(
        dm.derivative(f, method="reverse_tape")(1.0), math.cos(1.0)
    )
    with pytest.raises(MissingRuleError, match="jvp of f does not follow"):
        dm.derivative(f, method="dual_numbers", order=2)(1.0)

    g = dm.custom_rule(lambda x: math.sin(x), jvp=lambda y, x, dx: y * float(dx))
    with pytest.raises(MissingRuleError, match="vjp= beside it"):
        dm.derivative(g, method="reverse_tape")(1.0)


@each("method", EXACT)
@each(
    "rule, words",
    [
        ({"jvp": lambda y, dx: dx}, r"jvp of absolute does not take the 3 values"),
        ({"vjp": lambda w: w}, r"vjp of absolute .* \(y, \*xs, w\)"),
        ({"partials": lambda x: x}, r"partials of absolute does not take the 2"),
    ],
)
def test_a_rule_without_places_for_its_arguments(method, rule, words):
    with pytest.raises(InputError, match=words):
        dm.derivative(dm.custom_rule(np.absolute, **rule), method=method)(1.0)


def test_an_error_inside_a_rule_is_told():
    scipy_linalg = pytest.importorskip("scipy.linalg")
    f = dm.custom_rule(np.square, jvp=lambda y, x, dx: scipy_linalg.solve(x, dx))
    with pytest.raises(MissingRuleError, match="object arrays are not supported"):
        dm.jacobian(f, method="reverse_tape")(np.eye(2))
    g = dm.custom_rule(np.square, jvp=lambda y, x, dx: x.nonsense)
    with pytest.raises(AttributeError, match="nonsense"):
        dm.derivative(g, method="dual_numbers")(1.0)


def test_options_are_checked_with():
    f = dm.custom_rule(
        lambda x, *, k: np.sin(k * x), partials=lambda y, x, *, k: k * np.cos(k * x)
    )
    f.check(0.7, k=3.0)
    with pytest.raises(TypeError):
        f.check(0.7)


def test_the_function_must_return_numbers():
    f = dm.custom_rule(lambda x: "words", partials=lambda y, x: 1.0)
    with pytest.raises(InputError, match="must return numbers"):
        dm.derivative(f)(1.0)


# Checking


@each("f", [*WAVES.values()])
@settings(max_examples=25)
@given(a=POINTS, b=POINTS)
def test_a_right_rule_passes_its_check(f, a, b):
    f.check(a, b)


@each("f", [*PARTS.values()])
def test_each_result_is_checked(f):
    f.check(0.7, X)


def test_a_wrong_rule_fails_its_check():
    f = dm.custom_rule(
        np.hypot, partials=(lambda y, a, b: a / y, lambda y, a, b: a / y)
    )
    with pytest.raises(WrongDerivativeError, match="hypot by argument 1"):
        f.check(3.0, 4.0)
    with pytest.raises(WrongDerivativeError, match="parts by argument 0"):
        dm.custom_rule(
            parts, vjp=lambda *args: (0.0 * args[1], pull_parts(*args)[1])
        ).check(0.7, X)


@each("method", EXACT)
def test_arrays_of_whole_numbers_are_arguments(method):
    taken = dm.custom_rule(
        lambda x, places: np.array([float(x[int(k)]) for k in places]),
        jacobian=(lambda y, x, places: np.eye(len(x))[places], None),
    )
    x, places = np.array([1.0, 2.0, 3.0]), np.array([2, 0])
    found = dm.jacobian(lambda x: taken(x, places), method=method)(x)
    np.testing.assert_array_equal(found, np.eye(3)[places])


def test_source_refuses_what_it_cannot_write():
    class Table:
        def look(self, x):
            return float(x) ** 2

    f = dm.custom_rule(lambda t, x: t.look(x), partials=(None, lambda y, t, x: 2 * x))
    table = Table()
    slope = dm.derivative(lambda x: f(table, x) ** 2, method="numpy_source")
    assert [slope(x) for x in (1.0, 2.0, 2.0)] == [4.0, 32.0, 32.0]
    with pytest.raises(MissingRuleError, match="Table down as an argument"):
        dm.to_source(lambda x: f(table, x) ** 2, 1.0)


def test_a_rule_that_calls_its_own_function_wants_both_modes():
    matrix = np.array([[2.0, 0.5], [0.25, 1.0]])

    def solution(b):
        return np.linalg.inv(matrix) @ np.array([float(item) for item in b])

    one = dm.custom_rule(solution, jvp=lambda y, b, db: one(db))
    with pytest.raises(MissingRuleError, match="calls solution itself"):
        dm.jacobian(one, method="reverse_tape")(np.ones(2))
    transposed = dm.custom_rule(
        lambda b: np.linalg.inv(matrix.T) @ np.array([float(item) for item in b]),
        jvp=lambda y, b, db: transposed(db),
        vjp=lambda y, b, w: both(w),
    )
    both = dm.custom_rule(
        solution, jvp=lambda y, b, db: both(db), vjp=lambda y, b, w: transposed(w)
    )
    x = np.array([0.5, 2.0])
    for method in ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source"):
        found = dm.hessian(lambda b: np.sum(both(b * b) ** 2), method=method)(x)
        plain = lambda b: np.sum(np.linalg.solve(matrix, b * b) ** 2)
        np.testing.assert_allclose(found, dm.hessian(plain)(x), rtol=1e-13)


@each("method", ["dual_numbers", "taylor_series", "reverse_tape", "numpy_source"])
@each("rule", [{"partials": lambda y, z: y}, {"vjp": lambda y, z, w: w * y}])
def test_a_complex_point(rule, method):
    f = dm.custom_rule(lambda z: np.exp(np.asarray(z)), **rule)
    found = dm.derivative(lambda z: f(z * z), method=method)(0.5 + 1j)
    np.testing.assert_allclose(found, (1 + 2j) * np.exp((0.5 + 1j) ** 2), rtol=1e-14)


@each("method", EXACT)
def test_a_number_that_counts_for_a_whole_array(method):
    """Its cotangent is a sum already, which nothing is to multiply."""
    c = np.array([1.0, 2.0, 3.0])
    f = dm.custom_rule(
        lambda a, x: np.exp(a) * np.asarray(x),
        vjp=lambda y, a, x, w: (np.sum(w * y), w * np.exp(a)),
    )
    found = dm.derivative(lambda a: np.sum(f(a * a, c) ** 2), method=method)(0.3)
    np.testing.assert_allclose(found, 14 * 4 * 0.3 * np.exp(2 * 0.09), rtol=1e-14)


@each("method", EXACT)
def test_a_list_of_variables_is_an_array(method):
    norm = dm.custom_rule(
        lambda v: math.hypot(*map(float, v)), jacobian=lambda y, v: v / y
    )
    found = dm.gradient(lambda x: norm([x[0], 2.0 * x[1], 1.0]), method=method)
    np.testing.assert_allclose(
        found(np.array([2.0, 1.0])), np.array([2.0, 4.0]) / 3, rtol=1e-15
    )


@each("method", EXACT)
def test_nested_results(method):
    f = dm.custom_rule(
        lambda x: (float(x), (float(x) ** 2, float(x) ** 3)),
        vjp=lambda y, x, w: w[0] + 2 * x * w[1][0] + 3 * x**2 * w[1][1],
    )
    slope = dm.derivative(lambda x: f(x)[1][0] * f(x)[0] + f(x)[1][1], method=method)
    np.testing.assert_allclose(slope(1.5), 6 * 1.5**2, rtol=1e-14)


# Random programs: the same with black boxes and with NumPy's functions


def item_by_item(f):
    return lambda *xs: np.vectorize(f, otypes=[float])(*xs)


BOXES = [
    (np.sin, dm.custom_rule(item_by_item(math.sin), partials=lambda y, x: np.cos(x))),
    (
        np.tanh,
        dm.custom_rule(item_by_item(math.tanh), vjp=lambda y, x, w: w * (1 - y * y)),
    ),
    (
        np.multiply,
        dm.custom_rule(
            item_by_item(lambda a, b: a * b),
            jvp=lambda y, a, b, da, db: da * b + a * db,
        ),
    ),
    (
        np.cumsum,
        dm.custom_rule(
            lambda x: np.cumsum([float(item) for item in x]),
            jacobian=lambda y, x: np.tri(len(x)),
        ),
    ),
    (np.add, np.add),
    (np.exp, np.exp),
    (np.flip, np.flip),
]


@settings(max_examples=40, deadline=None)
@given(
    program=st.lists(
        st.tuples(st.integers(0, len(BOXES) - 1), st.integers(0, 2), st.integers(0, 2)),
        min_size=1,
        max_size=5,
    ),
    x=st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3),
)
def test_random_programs(program, x):
    def run(box, x):
        values = [x, x * x, np.cos(x)]
        for place, a, b in program:
            function = BOXES[place][box]
            several = BOXES[place][0] in (np.multiply, np.add)
            operands = (values[-1 - a], values[b]) if several else (values[-1 - a],)
            values.append(np.sin(0.5 * function(*operands)))
        return np.sum(values[-1] * np.array([1.0, -2.0, 0.5]))

    x = np.array(x)
    gradient = dm.gradient(lambda x: run(0, x))(x)
    hessian = dm.hessian(lambda x: run(0, x))(x)
    for method in ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source"):
        f = lambda x: run(1, x)
        found = dm.gradient(f, method=method)(x)
        np.testing.assert_allclose(found, gradient, rtol=1e-12, atol=1e-13)
        found = dm.hessian(f, method=method)(x)
        np.testing.assert_allclose(found, hessian, rtol=1e-11, atol=1e-12)
