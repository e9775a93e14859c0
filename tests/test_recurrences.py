"""Every recurrence against the Taylor series that mpmath computes with 30 digits."""

import functools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diffmethods import rules
from diffmethods.recurrences import RECURRENCES, SPECIAL, recurrence_of
from diffmethods.truncated import Truncation

special = pytest.importorskip("scipy.special")

ORDER = 12
NEAR_ONE = (-0.9375, -0.5, 0.0, 0.375, 0.875)
REAL = (-17.5, -3.25, -0.5, 0.0, 0.0625, 1.0, 2.75, 20.0)
POSITIVE = (1e-3, 0.25, 1.0, 2.5, 40.0, 1e6)
ABOVE_ONE = (1.0625, 2.5, 30.0, 1e6)
NOT_ZERO = (-40.0, -2.5, -0.25, 0.125, 3.0, 1e4)


def sinc(x):
    return mpmath.mpf(1) if x == 0 else mpmath.sin(mpmath.pi * x) / (mpmath.pi * x)


class Bessel:
    """A Bessel function by mpmath, which gives most derivatives itself.

    Those of K are sums of neighbours (DLMF 10.29.5), since differences take too long.
    """

    def __init__(self, family, nu):
        self.family, self.nu = family, nu

    def derivative(self, k, x):
        if self.family is not mpmath.besselk:
            return self.family(self.nu, x, derivative=k)
        near = [mpmath.besselk(self.nu - k + 2 * i, x) for i in range(k + 1)]
        return sum(math.comb(k, i) * y for i, y in enumerate(near)) / (-2) ** k

    def expansion(self, x):
        x = mpmath.mpf(x)
        return [self.derivative(k, x) / math.factorial(k) for k in range(ORDER + 1)]


# The function in mpmath, and where to expand it.
OF_ONE = {
    np.negative: (lambda x: -x, REAL),
    np.positive: (lambda x: x, REAL),
    np.square: (lambda x: x * x, REAL),
    np.reciprocal: (lambda x: 1 / x, NOT_ZERO),
    np.sqrt: (mpmath.sqrt, POSITIVE),
    np.cbrt: (lambda x: mpmath.sign(x.real) * mpmath.cbrt(abs(x)), NOT_ZERO),
    np.exp: (mpmath.exp, REAL),
    np.exp2: (lambda x: mpmath.power(2, x), REAL),
    np.expm1: (mpmath.expm1, (-30.0, -1e-9, 1e-12, 0.5, 3.0)),
    np.log: (mpmath.log, POSITIVE),
    np.log2: (lambda x: mpmath.log(x, 2), POSITIVE),
    np.log10: (mpmath.log10, POSITIVE),
    np.log1p: (mpmath.log1p, (-0.9375, -1e-9, 1e-12, 0.5, 3e4)),
    np.sin: (mpmath.sin, REAL),
    np.cos: (mpmath.cos, REAL),
    np.tan: (mpmath.tan, (-7.0, -1.0, 0.0, 0.375, 1.5, 20.0)),
    np.sinh: (mpmath.sinh, REAL),
    np.cosh: (mpmath.cosh, REAL),
    np.tanh: (mpmath.tanh, (*REAL, -300.0)),
    np.arcsin: (mpmath.asin, NEAR_ONE),
    np.arccos: (mpmath.acos, NEAR_ONE),
    np.arctan: (mpmath.atan, (*REAL, 1e9)),
    np.arcsinh: (mpmath.asinh, (*REAL, -1e9)),
    np.arccosh: (mpmath.acosh, ABOVE_ONE),
    np.arctanh: (mpmath.atanh, NEAR_ONE),
    np.sinc: (sinc, (-30.25, -3.0, -0.75, 1e-6, 0.0, 0.25, 1.5, 8.125)),
    np.absolute: (lambda x: x * mpmath.sign(x.real), NOT_ZERO),
    np.fabs: (lambda x: x * mpmath.sign(x.real), NOT_ZERO),
    special.erf: (mpmath.erf, (-4.0, -0.5, 0.0, 0.25, 2.0, 5.5)),
    special.erfc: (mpmath.erfc, (-4.0, -0.5, 0.0, 0.25, 2.0, 25.0)),
    special.ndtr: (mpmath.ncdf, (-30.0, -4.0, 0.0, 0.25, 2.0, 5.5)),
    special.expit: (lambda x: 1 / (1 + mpmath.exp(-x)), (*REAL, -300.0, 300.0)),
    special.j0: (Bessel(mpmath.besselj, 0), (-3.0, 0.0, 0.5, 2.5, 30.0)),
    special.j1: (Bessel(mpmath.besselj, 1), (-3.0, 0.0, 0.5, 2.5, 30.0)),
    special.y0: (Bessel(mpmath.bessely, 0), (0.5, 2.5, 30.0)),
    special.y1: (Bessel(mpmath.bessely, 1), (0.5, 2.5, 30.0)),
    special.i0: (Bessel(mpmath.besseli, 0), (-3.0, 0.5, 12.0)),
    special.i1: (Bessel(mpmath.besseli, 1), (-3.0, 0.5, 12.0)),
    special.k0: (Bessel(mpmath.besselk, 0), (0.5, 2.5, 12.0)),
    special.k1: (Bessel(mpmath.besselk, 1), (0.5, 2.5, 12.0)),
}

# The function in mpmath, and pairs of operands.
PAIRS = ((0.75, 2.0), (3.0, 0.5), (-2.5, 4.0), (1.5, -0.25))
OF_TWO = {
    np.add: (lambda a, b: a + b, PAIRS),
    np.subtract: (lambda a, b: a - b, PAIRS),
    np.multiply: (lambda a, b: a * b, PAIRS),
    np.divide: (lambda a, b: a / b, PAIRS),
    np.power: (mpmath.power, ((0.75, 2.0), (3.0, -1.5), (2.5, 0.0))),
    np.float_power: (mpmath.power, ((0.75, 2.0), (3.0, -1.5))),
    np.arctan2: (mpmath.atan2, ((0.75, 2.0), (3.0, 0.5), (-2.5, 4.0), (1.5, 0.25))),
    np.hypot: (lambda a, b: mpmath.sqrt(a * a + b * b), (*PAIRS, (0.0, 2.0))),
    np.maximum: (lambda a, b: a if a.real > b.real else b, PAIRS),
    np.minimum: (lambda a, b: a if a.real < b.real else b, PAIRS),
    np.fmax: (lambda a, b: a if a.real > b.real else b, PAIRS),
    np.fmin: (lambda a, b: a if a.real < b.real else b, PAIRS),
}


@functools.cache
def expansion(f, x):
    """Taylor coefficients at a point by differences of many digits."""
    with mpmath.workdps(30 + int(abs(x)) if abs(x) < 1e3 else 30):
        if isinstance(f, Bessel):
            return f.expansion(x)
        return mpmath.taylor(f, mpmath.mpf(x), ORDER, chop=False)


def composed(f, x, inner):
    """Those of f(x + inner), inner a polynomial that is 0 at 0, by Horner."""
    with mpmath.workdps(30):
        c = expansion(f, x)
        y = [c[-1]]
        for outer in c[-2::-1]:
            product = [mpmath.mpf(0)] * (ORDER + 1)
            for i, a in enumerate(y):
                for j, b in enumerate(inner, 1):
                    if i + j <= ORDER:
                        product[i + j] += a * b
            y = [product[0] + outer, *product[1:]]
        return [float(mpmath.re(z)) for z in y]


def exact(f, *inner):
    """Taylor coefficients in t of f(inner(t), ...)."""
    with mpmath.workdps(30):
        c = mpmath.taylor(lambda t: f(*(g(t) for g in inner)), 0, ORDER, chop=False)
        return [float(mpmath.re(y)) for y in c]


def line(x, slope=1.0):
    return lambda t: mpmath.mpf(x) + slope * t


def curve(x):
    """x + t - t^2 / 2 + t^4 / 4: its powers run together."""
    return lambda t: mpmath.mpf(x) + t - t * t / 2 + t**4 / 4


CURVE = [1.0, -0.5, 0.0, 0.25]


def agree(found, expected, digits=2e-14):
    """Each coefficient to so many digits of what its neighbours make it."""
    found = [*found, *[0.0] * (len(expected) - len(found))]
    for k, (got, wanted) in enumerate(zip(found, expected, strict=True)):
        sizes = [
            abs(expected[j]) for j in range(max(0, k - 3), min(len(expected), k + 4))
        ]
        slack = digits * max(max(sizes), 1e-300)
        assert abs(got - wanted) <= slack, (k, got, wanted)


def cases(table):
    return [
        pytest.param(function, f, x, id=f"{function.__name__}-{x}")
        for function, (f, points) in table.items()
        for x in points
    ]


@pytest.mark.parametrize(("function", "f", "x"), cases(OF_ONE))
def test_functions_of_one_series(function, f, x):
    recurrence = recurrence_of(function)
    agree(recurrence(Truncation(ORDER), [x, 1.0]), composed(f, x, [1]))
    lines = np.array([[x, x], [1.0, 1.0]])
    agree(recurrence(Truncation(ORDER), lines)[:, 1], composed(f, x, [1]))
    lines[1] = -0.5, 0.25
    for k, slope in enumerate((-0.5, 0.25)):
        expected = composed(f, x, [slope])
        agree(recurrence(Truncation(ORDER), lines)[:, k], expected, 1e-13)
    inner = CURVE if abs(x) <= 3 else [-0.5]
    operand, expected = [x, *inner], composed(f, x, inner)
    agree(recurrence(Truncation(ORDER), operand), expected, 1e-12)
    stacked = recurrence(Truncation(ORDER), np.array([operand] * 2).T)
    np.testing.assert_allclose(stacked[:, 0], stacked[:, 1], rtol=0)
    agree(stacked[:, 0], expected, 1e-12)


@pytest.mark.parametrize(("function", "f", "pair"), cases(OF_TWO))
def test_functions_of_two_series(function, f, pair):
    recurrence, (a, b) = recurrence_of(function), pair
    for u, v in (([a, *CURVE], [b]), ([a], [b, *CURVE]), ([a, 1.0], [b, *CURVE])):
        inner = [
            curve(c[0]) if len(c) > 2 else line(c[0]) if len(c) == 2 else line(c[0], 0)
            for c in (u, v)
        ]
        expected = exact(f, *inner)
        if function in (np.power, np.float_power) and a < 0:
            continue
        agree(recurrence(Truncation(ORDER), u, v), expected, 1e-12)
        columns = [np.array([c] * 2).T for c in (u, v)]
        agree(recurrence(Truncation(ORDER), *columns)[:, 0], expected, 1e-12)


def test_no_recurrence_is_without_a_test():
    assert set(RECURRENCES) == {f for f in (*OF_ONE, *OF_TWO) if f in RECURRENCES}
    tested = {f.__name__ for f in OF_ONE} | {"jv", "yv", "iv", "kv"}
    assert set(SPECIAL) <= tested


@pytest.mark.parametrize(
    ("function", "f"),
    [
        (special.jv, mpmath.besselj),
        (special.yv, mpmath.bessely),
        (special.iv, mpmath.besseli),
        (special.kv, mpmath.besselk),
    ],
)
@pytest.mark.parametrize("nu", [0.0, 1.5, 3.0])
def test_bessel_functions_of_any_order(function, f, nu):
    found = recurrence_of(function)(Truncation(ORDER), [nu], [2.5, 1.0])
    agree(found, composed(Bessel(f, nu), 2.5, [1]), 1e-13)


@pytest.mark.parametrize("order", [10, 100])
@pytest.mark.parametrize("x", [-3.0, -0.5, 0.25, 2.0])
def test_high_orders_of_tanh(order, x):
    """The tenth derivative to 1e-14, and the hundredth to 1e-13."""
    with mpmath.workdps(250):
        # tanh = 1 - 2 / (e^(2x) + 1), the quotient by exact arithmetic
        e = [
            mpmath.exp(2 * mpmath.mpf(x)) * mpmath.mpf(2) ** k / mpmath.factorial(k)
            for k in range(order + 1)
        ]
        e[0] += 1
        q = [1 / e[0]]
        for k in range(1, order + 1):
            q.append(-mpmath.fsum(e[j] * q[k - j] for j in range(1, k + 1)) / e[0])
        expected = [float(-2 * c) for c in q]
        expected[0] += 1
    found = RECURRENCES[np.tanh](Truncation(order), [x, 1.0])
    digits = 1e-14 if order == 10 else 1e-13
    agree(found, expected, digits)


SLOPES = {
    np.arctan2: (lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
    np.hypot: (
        lambda a, b: a / mpmath.sqrt(a * a + b * b),
        lambda a, b: b / mpmath.sqrt(a * a + b * b),
    ),
    np.divide: (lambda a, b: 1 / b, lambda a, b: -a / b**2),
    np.power: (lambda a, b: b * a ** (b - 1), lambda a, b: a**b * mpmath.log(a)),
}
SIZES = (1e-307, 1e-200, 1e-155, 1e-20, 0.3, 1.5, 7.0, 1e8, 1e152, 1e200, 1e307)


@pytest.mark.parametrize("function", SLOPES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("place", [0, 1])
def test_slopes_over_the_whole_range_of_floats(function, place):
    """Within 4 ulp wherever the value and the slope are in range."""
    tested, largest = 0, np.finfo(float).max / 4
    for a in SIZES:
        for b in SIZES:
            with mpmath.workdps(700), np.errstate(all="ignore"):
                value = function(a, b)
                slope = SLOPES[function][place](mpmath.mpf(a), mpmath.mpf(b))
                size = abs(float(slope)) if abs(slope) < largest else 0.0
                if size < 1e-307 or not np.isfinite(value):
                    continue
                operands = [[a], [b]]
                operands[place].append(1.0)
                rows = [np.array([c] * 2).T for c in operands]
                for order in (1, 3):
                    c = recurrence_of(function)(Truncation(order), *operands)
                    d = recurrence_of(function)(Truncation(order), *rows)
                    for found in (c[1], d[1, 1]):
                        error = abs(mpmath.mpf(float(found)) - slope)
                        assert error <= 4 * np.spacing(size), (a, b, found)
            tested += 1
    assert tested > 40


@pytest.mark.parametrize("r", [9.0, 12.0, 1.5, 3.5])
def test_powers_whose_value_underflows(r):
    """(1e-80)^r is 0 in floats, and some of its derivatives are not."""
    x = 1e-80 if r > 4 else 1e-300
    with mpmath.workdps(30):
        expected = [
            float(mpmath.binomial(r, k) * mpmath.mpf(x) ** (r - k)) for k in range(10)
        ]
    for operand in ([x, 1.0], np.array([[x, x], [1.0, 1.0]])):
        with np.errstate(over="ignore"):  # some are infinite
            found = RECURRENCES[np.power](Truncation(9), operand, [r])
        for k, wanted in enumerate(expected):
            if 1e-300 < abs(wanted) < 1e300:
                np.testing.assert_allclose(found[k], wanted, 1e-13)


@pytest.mark.parametrize("r", [0, 1, 2, 3, 7, 8, 9, 20])
@pytest.mark.parametrize("x", [0.0, -1.25, 2.5])
def test_whole_powers_are_polynomials(r, x):
    found = RECURRENCES[np.power](Truncation(ORDER), [x, 1.0], [float(r)])
    expected = [
        math.comb(r, k) * x ** (r - k) if k <= r else 0.0 for k in range(ORDER + 1)
    ]
    np.testing.assert_allclose(
        [*found, *[0.0] * (ORDER + 1 - len(found))], expected, rtol=1e-13
    )


@given(
    st.lists(
        st.sampled_from(["exp", "sin", "cos", "tanh", "arctan", "arcsinh"]),
        min_size=1,
        max_size=4,
    ),
    st.floats(-1.0, 1.0),
)
def test_compositions(names, x):
    """Function after function, against mpmath's series of the whole."""
    counterpart = {"arctan": "atan", "arcsinh": "asinh"}
    c, inner = [x, 1.0], line(x)
    for name in names:
        assume(abs(c[0]) < 50.0)
        c = RECURRENCES[getattr(np, name)](Truncation(8), c)
        inner = (lambda g, outer: lambda t: outer(g(t)))(
            inner, getattr(mpmath, counterpart.get(name, name))
        )
    with mpmath.workdps(40):
        expected = [float(y) for y in mpmath.taylor(inner, 0, 8)]
    size = max(map(abs, expected))
    np.testing.assert_allclose(c, expected, rtol=1e-11, atol=1e-12 * size)


def test_leading_slopes_are_those_of_the_rules():
    """One coefficient more is one more test of the tables against each other."""
    for function, (_, points) in OF_ONE.items():
        for x in points:
            partials = rules.partials(function)
            if partials is None or x == 0:
                continue
            y = np.float64(function(x))
            c = recurrence_of(function)(Truncation(1), [x, 1.0])
            slope = float(partials[0](y, np.float64(x)))
            assert c[1] == pytest.approx(slope, rel=1e-14), (function, x)
