"""Every rule agrees with SymPy's derivative, to a few ulp over the whole float range.

A rule is judged where the result is a normal floating-point number: one that is itself
subnormal or overflows has lost the digits that its rule needs.
Warnings are errors in these tests, so no rule warns where the derivative is finite.
"""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import diffmethods as dm
from diffmethods import rules
from diffmethods.definitions import DEFINITIONS

x, a, b = sp.symbols("x a b", real=True)

UNARY = {
    np.negative: -x,
    np.positive: x,
    np.reciprocal: 1 / x,
    np.square: x**2,
    np.fabs: sp.Piecewise((x, x > 0), (-x, True)),
    np.sqrt: sp.sqrt(x),
    np.cbrt: sp.cbrt(x),
    np.exp: sp.exp(x),
    np.exp2: 2**x,
    np.expm1: sp.exp(x) - 1,
    np.log: sp.log(x),
    np.log2: sp.log(x) / sp.log(2),
    np.log10: sp.log(x) / sp.log(10),
    np.log1p: sp.log(1 + x),
    np.sin: sp.sin(x),
    np.cos: sp.cos(x),
    np.tan: sp.tan(x),
    np.arcsin: sp.asin(x),
    np.arccos: sp.acos(x),
    np.arctan: sp.atan(x),
    np.sinh: sp.sinh(x),
    np.cosh: sp.cosh(x),
    np.tanh: sp.tanh(x),
    np.arcsinh: sp.asinh(x),
    np.arccosh: sp.acosh(x),
    np.arctanh: sp.atanh(x),
    np.sinc: sp.sin(sp.pi * x) / (sp.pi * x),
    np.deg2rad: x * sp.pi / 180,
    np.radians: x * sp.pi / 180,
    np.rad2deg: x * 180 / sp.pi,
    np.degrees: x * 180 / sp.pi,
    np.nan_to_num: x,
}
BINARY = {
    np.add: a + b,
    np.subtract: a - b,
    np.multiply: a * b,
    np.divide: a / b,
    np.power: a**b,
    np.float_power: a**b,
    np.logaddexp: sp.log(sp.exp(a) + sp.exp(b)),
    np.logaddexp2: sp.log(2**a + 2**b) / sp.log(2),
    np.arctan2: sp.atan(a / b),  # but for multiples of pi
    np.hypot: sp.sqrt(a**2 + b**2),
    np.maximum: sp.Piecewise((a, a > b), (b, True)),
    np.minimum: sp.Piecewise((b, a > b), (a, True)),
    np.fmax: sp.Piecewise((a, a > b), (b, True)),
    np.fmin: sp.Piecewise((b, a > b), (a, True)),
}
PIECEWISE_LINEAR = {np.copysign, np.ldexp, np.remainder, np.fmod}  # tested apart
ALLOWED = {
    **dict.fromkeys((np.maximum, np.minimum, np.fmax, np.fmin), lambda u, v: u != v),
    np.power: lambda u, v: u > 0,
    np.float_power: lambda u, v: u > 0,
    np.logaddexp: lambda u, v: max(abs(u), abs(v)) < 1e4,
    np.logaddexp2: lambda u, v: max(abs(u), abs(v)) < 1e4,
}

TINY = float(np.finfo(float).tiny)
EXTREMES = [
    *(5e-324, 1e-310, 3e-308, 1e-300, 1e-150, 1e-20, 1e-8, 0.1, 0.5),
    *(1 - 2.0**-53, 1.0, 1 + 2.0**-52, 1.5, 3.0, 20.0, 100.0, 300.0, 354.0, 372.5),
    *(500.7, 709.5, 740.0, 745.0, 1e8, 1e16, 1e150, 1e155, 1e161, 1e300, 1.7e308),
]


def sample(seed, size):
    """Positive numbers over the unit interval, the range of exp, and all floats."""
    generator = np.random.default_rng(seed)
    spread = (generator.uniform(0, top, size) for top in (1, 10, 745))
    return np.concatenate([*spread, 10.0 ** generator.uniform(-300, 300, size)])


def points():
    positive = np.concatenate([EXTREMES, sample(0, 40)])
    return np.concatenate([[0.0], positive, -positive])


def pairs(ufunc):
    """Pairs of operands of very different and of like size, of both signs."""
    extreme = [u for u in EXTREMES if TINY < u < 1e308][::3]
    extreme = [s * u for u in extreme for s in (1, -1)]
    found = [(u, v) for u in extreme for v in extreme]
    left, right = sample(1, 40), sample(2, 40)
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (2, left.size))
    found += list(zip(signs[0] * left, signs[1] * right, strict=True))
    found += list(zip(left[::3], left[::3] * 1.03, strict=True))
    allowed = ALLOWED.get(ufunc, lambda u, v: True)
    return [(float(u), float(v)) for u, v in found if allowed(u, v)]


def value(ufunc, *xs):
    with np.errstate(all="ignore"):
        return ufunc(*xs)


def exact_at(slope, *xs):
    """SymPy's slope to 900 digits, which 1 - tanh(745)**2 needs; None for no number."""
    try:
        expected = mp.mpmathify(slope(*map(mp.mpf, xs)))
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    if not isinstance(expected, mp.mpf) or not mp.isfinite(expected):
        return None
    return expected if abs(expected) < mp.mpf(2) ** 1023 else None


@pytest.fixture(autouse=True)
def _many_digits():
    with mp.workdps(900):
        yield


def test_every_rule_is_in_a_table():
    assert rules.PARTIALS.keys() == UNARY.keys() | BINARY.keys() | PIECEWISE_LINEAR
    for ufunc, partials in rules.PARTIALS.items():
        assert len(partials) == ufunc.nin if isinstance(ufunc, np.ufunc) else 1


def test_no_function_is_in_two_tables():
    tables = [DEFINITIONS, rules.PARTIALS, rules.LINEAR, rules.MULTILINEAR]
    tables += [rules.PUSHFORWARDS.keys() - {np.sign}, rules.CONSTANT]
    everything = [function for table in tables for function in table]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("ufunc", UNARY, ids=lambda ufunc: ufunc.__name__)
def test_partial_of_one_operand(ufunc):
    slope = sp.lambdify(x, sp.diff(UNARY[ufunc], x), "mpmath")
    tested = 0
    for u in points():
        y = value(ufunc, u)
        expected = exact_at(slope, float(u))
        kink = u == 0 and ufunc is np.fabs
        if expected is None or kink or not np.isfinite(y):
            continue
        found = rules.PARTIALS[ufunc][0](y, u)
        # The two terms of sinc' cancel where it crosses 0: the larger is its scale.
        scale = max(
            abs(float(expected)), abs(y / u) if ufunc is np.sinc and abs(u) > 1 else 0.0
        )
        error = abs(mp.mpf(float(found)) - expected)
        assert error <= 4 * np.spacing(scale), u
        tested += 1
    assert tested >= 80


@pytest.mark.parametrize("operand", [0, 1])
@pytest.mark.parametrize("ufunc", BINARY, ids=lambda ufunc: ufunc.__name__)
def test_partial_of_two_operands(ufunc, operand):
    slope = sp.lambdify((a, b), sp.diff(BINARY[ufunc], (a, b)[operand]), "mpmath")
    tested = 0
    for u, v in pairs(ufunc):
        y = value(ufunc, u, v)
        expected = exact_at(slope, u, v)
        if expected is None or not np.isfinite(y) or 0 < abs(y) < TINY:
            continue
        found = rules.PARTIALS[ufunc][operand](y, u, v)
        error = abs(mp.mpf(float(found)) - expected)
        assert error <= 4 * np.spacing(abs(float(expected))), (u, v)
        tested += 1
    assert tested >= 80


def test_a_sign_copied_turns_the_slope():
    by_a, by_b = rules.PARTIALS[np.copysign]
    signs = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, 1.0, -1.0])
    y = np.copysign(*signs)
    assert np.array_equal(by_a(y, *signs), [1.0, -1.0, -1.0, 1.0])
    assert by_b(y, *signs) == 0.0


def test_a_power_of_two_is_the_slope_of_ldexp():
    by_a, by_b = rules.PARTIALS[np.ldexp]
    assert by_a(24.0, 3.0, 3) == 8.0
    assert by_b(24.0, 3.0, 3) == 0.0


@pytest.mark.parametrize(
    ("ufunc", "whole"),
    [(np.remainder, mp.floor), (np.fmod, lambda n: mp.sign(n) * mp.floor(abs(n)))],
)
def test_whole_multiples_are_locally_constant(ufunc, whole):
    by_a, by_b = rules.PARTIALS[ufunc]
    for u, v in [
        (7.3, 2.1),
        (-7.3, 2.1),
        (7.3, -2.1),
        (-7.3, -2.1),
        (1.1, 1e-3),
        (2.0, 9.0),
    ]:
        y = ufunc(u, v)
        assert by_a(y, u, v) == 1.0
        assert by_b(y, u, v) == -whole(mp.mpf(u) / mp.mpf(v))


def test_slope_of_tanh_over_its_whole_range():
    points = np.linspace(-300.0, 300.0, 2001)
    found = dm.derivative(np.tanh, method="dual_numbers")(points)
    for u, slope in zip(points, found, strict=True):
        expected = mp.sech(mp.mpf(u)) ** 2
        assert abs(mp.mpf(slope) - expected) <= 4 * np.spacing(float(expected))


POINTS_OF_NESTING = [0.0, 1e-9, 0.05, 0.4, 0.63, 0.65, 0.9, 1.1, 2.3, -0.3, -1.7, 8.2]


def test_the_slope_of_tanh_on_a_long_array_is_that_on_a_short_one():
    x = np.concatenate([np.linspace(-30, 30, 9_000), [0.0, 400, -1e308, np.inf]])
    long = rules.sech_squared(None, x)
    short = np.concatenate(
        [rules.sech_squared(None, x[k : k + 9]) for k in range(0, len(x), 9)]
    )
    np.testing.assert_allclose(long, short, rtol=1e-15)
    assert np.isnan(rules.sech_squared(None, np.full(9_000, np.nan))).all()


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("ufunc", UNARY, ids=lambda ufunc: ufunc.__name__)
def test_rules_nest(ufunc, order):
    slope = sp.lambdify(x, sp.diff(UNARY[ufunc], x, order), "mpmath")
    at_zero = {2: -(np.pi**2) / 3, 3: 0.0, 4: np.pi**4 / 5}  # of sinc, by its series
    for u in POINTS_OF_NESTING:
        if not np.isfinite(value(ufunc, u)) or (u == 0 and ufunc is np.fabs):
            continue
        expected = at_zero[order] if u == 0 and ufunc is np.sinc else exact_at(slope, u)
        if expected is not None:
            found = dm.derivative(ufunc, order=order)(u)
            assert found == pytest.approx(float(expected), rel=1e-13, abs=1e-13), u


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda ufunc: ufunc.__name__)
def test_rules_of_two_operands_nest(ufunc):
    formula = BINARY[ufunc]
    second = [
        [sp.lambdify((a, b), sp.diff(formula, s, t), "mpmath") for s in (a, b)]
        for t in (a, b)
    ]
    for point in [(0.4, 1.3), (1.3, 0.4), (2.1, 3.7), (0.7, 0.2)]:
        found = dm.hessian(lambda z: ufunc(z[0], z[1]))(np.array(point))
        expected = [
            [float(slope(*map(mp.mpf, point))) for slope in row] for row in second
        ]
        assert found == pytest.approx(np.array(expected), rel=1e-13, abs=1e-14)


def test_a_smooth_choice_nests_where_its_operands_meet():
    """logaddexp(x, 0) is smooth at a tie: its derivative is the logistic function."""
    slopes = [
        dm.derivative(lambda t: np.logaddexp(t, 0.0), order=n)(0.0)
        for n in (1, 2, 3, 4)
    ]
    assert slopes == [0.5, 0.25, 0.0, -0.125]


# At kinks, jumps and other special points: docs/explanation/conventions.md.
CONVENTIONS = [
    (np.abs, 0.0, 0.0),
    (np.fabs, 0.0, 0.0),
    (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
    (lambda x: np.minimum(0.0, x), 0.0, 0.5),
    (lambda x: np.fmax(x, 0.0), 0.0, 0.5),
    (lambda x: np.maximum(x, x), 0.3, 1.0),
    (lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.5),
    (lambda x: np.max(np.stack([x, 2 * x, -x])), 0.0, 2 / 3),
    (lambda x: np.linalg.norm(x * np.ones(3)), 0.0, 0.0),
    (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
    (np.floor, 2.0, 0.0),
    (np.sign, 0.0, 0.0),
    (lambda x: np.heaviside(x, 0.5), 0.0, 0.0),
    (np.round, 0.5, 0.0),
    (lambda x: x % 1.0, 2.0, 1.0),
    (lambda x: np.where(x > 0, x, 0.0), 0.0, 0.0),
    (lambda x: np.where(x > 0, x, -x), 0.0, -1.0),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x**0.0, 5e-324, 0.0),
    (lambda x: x**1, 0.0, 1.0),
    (lambda x: x**2, 0.0, 0.0),
    (lambda x: x**1.5, 0.0, 0.0),
    (lambda x: 0.0**x, 0.0, 0.0),
    (lambda x: 0.0**x, 2.0, 0.0),
    (lambda x: np.prod(x * np.array([1.0, 2.0, 0.0])), 3.0, 0.0),
    (lambda x: np.prod(np.stack([x, x + 2.0, x + 3.0])), 0.0, 6.0),
    (lambda x: np.sum(np.cumprod(np.stack([x + 2.0, x, x + 3.0]))), 0.0, 9.0),
    (
        lambda x: np.linalg.det(x * np.eye(2) + np.array([[1.0, 2.0], [2.0, 4.0]])),
        0.0,
        5.0,
    ),
    (lambda x: np.interp(x, np.arange(3.0), np.arange(3.0) ** 2), 1.0, 3.0),
    (np.sinc, 0.0, 0.0),
    (np.arctan, np.inf, 0.0),
    (np.tanh, -np.inf, 0.0),
    (np.exp, -np.inf, 0.0),
    (lambda x: np.logaddexp(x, 0.0), -np.inf, 0.0),
    (lambda x: np.logaddexp(x, 0.0), np.inf, 1.0),
]


@pytest.mark.parametrize(("f", "point", "expected"), CONVENTIONS)
def test_conventions(f, point, expected):
    assert dm.derivative(f)(point) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("function", [np.max, np.min, np.ptp, np.linalg.norm, np.std])
def test_equal_items_share(function):
    found = dm.gradient(function)(np.full(4, 0.7))
    assert np.all(found == found[0])


def test_the_branch_not_taken_leaves_no_trace():
    f = lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)
    assert np.array_equal(dm.derivative(f)(np.array([-1.0, 0.0, 2.0])), [0.0, 0.0, 0.5])
    unguarded = lambda x: np.where(x > 0, np.log(x), 0.0)
    with np.errstate(all="ignore"):
        assert np.array_equal(
            dm.derivative(unguarded)(np.array([-1.0, 0.0, 2.0])), [0.0, 0.0, 0.5]
        )


def test_not_a_number_stays_not_a_number():
    for f in [
        np.sin,
        np.exp,
        lambda x: x * x,
        lambda x: x**1.5,
        np.sqrt,
        np.log,
        np.sinc,
    ]:
        with np.errstate(all="ignore"):
            assert np.isnan(dm.derivative(f)(np.nan))


def test_determinants_of_singular_matrices_nest():
    """The Hessian of a determinant is made of minors, at any matrix."""
    matrix = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 1.0, 1.0]])
    symbols = sp.Matrix(3, 3, sp.symbols("m:9"))
    at = dict(zip(symbols, map(int, matrix.ravel()), strict=True))
    exact = np.array(sp.hessian(symbols.det(), list(symbols)).subs(at), float)
    assert dm.hessian(np.linalg.det)(matrix).reshape(9, 9) == pytest.approx(
        exact, abs=1e-14
    )
    gradient = np.array([symbols.det().diff(m).subs(at) for m in symbols], float)
    assert dm.gradient(np.linalg.det)(matrix).ravel() == pytest.approx(
        gradient, abs=1e-13
    )


def test_one_eigenvalue_of_a_pair_keeps_the_sum():
    """Where eigenvalues meet only symmetric functions of them are differentiable."""
    f = lambda x: np.sum(np.linalg.eigvalsh(x * np.eye(3)) ** 2)
    assert dm.derivative(f)(0.5) == pytest.approx(3.0, rel=1e-15)


def on_a_circle(f):
    return lambda t: f(2.0 * np.exp(1j * t))


@pytest.mark.parametrize(
    ("f", "slopes"),
    [
        (lambda z: np.imag(np.sign(z)), [np.cos(0.4), -np.sin(0.4)]),
        (lambda z: np.abs(z), [0.0, 0.0]),
        (lambda z: np.angle(z), [1.0, 0.0]),
        (lambda z: np.abs(z + 1), [-2 * np.sin(0.4) / np.sqrt(5 + 4 * np.cos(0.4))]),
    ],
)
def test_a_complex_number_that_turns(f, slopes):
    for order, expected in enumerate(slopes, start=1):
        found = dm.derivative(on_a_circle(f), order=order)(0.4)
        assert found == pytest.approx(expected, rel=1e-14, abs=1e-14)
