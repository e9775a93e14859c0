"""The rules for SciPy's special functions agree with mpmath, far into the tails."""

import mpmath as mp
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import MissingRuleError

special = pytest.importorskip("scipy.special")

from diffmethods.special import PARTIALS  # noqa: E402

TAILS = [0.0, 1e-300, 1e-20, 0.3, 1.0, 2.7, 5.9, 9.3, 20.1, 26.2, 37.1]
BOTH_TAILS = [*TAILS, *(-x for x in TAILS)]
LOGISTIC = [*BOTH_TAILS, 300.2, 709.1, 744.0, -300.2, -709.1, -744.0]
UNIT = [1e-300, 1e-20, 0.1, 0.5, 0.9, 1 - 2.0**-53]
POSITIVE = [1e-8, 0.1, 0.7, 1.9, 4.3, 11.0, 40.0]
BESSEL = [0.3, 2.9, 7.7, 19.3]


def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def erfinv_slope(x):
    y = mp.erfinv(x)
    return mp.sqrt(mp.pi) / 2 * mp.exp(y * y)


def expit(x):
    return 1 / (1 + mp.exp(-x))


# ufunc: (derivative by mpmath, points, ulp); a less accurate ufunc is allowed more.
EXACT = {
    special.erf: (lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), BOTH_TAILS, 4),
    special.erfc: (lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), BOTH_TAILS, 4),
    special.erfinv: (erfinv_slope, [*UNIT, *(-x for x in UNIT)], 8),
    special.ndtr: (density, BOTH_TAILS, 4),
    special.log_ndtr: (
        lambda x: density(x) / ndtr(x) if x > -1e6 else -x - 1 / x,
        [*BOTH_TAILS, -1e3, -1e8, -1e150, -1e300],
        6,
    ),
    special.expit: (lambda x: expit(x) * expit(-x), LOGISTIC, 6),
    special.log_expit: (lambda x: expit(-x), LOGISTIC, 4),
    special.logit: (lambda x: 1 / (x * (1 - x)), UNIT, 4),
    special.gammaln: (mp.digamma, [0.1, 0.7, 1.9, 11.0, 1e5, 1e150, 1e300], 4),
    special.psi: (lambda x: mp.psi(1, x), [*POSITIVE, 1e10, 1e300, -0.5, -3.3], 6),
    special.gamma: (lambda x: mp.gamma(x) * mp.digamma(x), [*POSITIVE, -0.5, -3.3], 16),
    special.i0: (lambda x: mp.besseli(1, x), [*TAILS, 300.0, 700.0], 8),
    special.k0: (lambda x: -mp.besselk(1, x), [*POSITIVE, 300.0, 700.0], 8),
    special.entr: (lambda x: -mp.log(x) - 1, [1e-300, 1e-20, 0.1, 0.9, 3.0, 1e300], 4),
    special.exp10: (
        lambda x: mp.log(10) * mp.mpf(10) ** x,
        [-300.5, -1.0, 0.3, 300.5],
        4,
    ),
}


@pytest.fixture(autouse=True)
def _thirty_digits():
    with mp.workdps(30):
        yield


@pytest.mark.parametrize("ufunc", EXACT, ids=lambda ufunc: ufunc.__name__)
def test_stays_right_far_into_the_tails(ufunc):
    exact, points, ulps = EXACT[ufunc]
    for x in points:
        expected = float(exact(mp.mpf(x)))
        found = dm.derivative(ufunc)(x)
        assert abs(found - expected) <= ulps * np.spacing(abs(expected)), x


def test_erfcinv_is_right_where_erfc_vanishes():
    for x in [1e-300, 1e-100, 1e-20, 0.1, 1.0, 1.9]:
        y = mp.findroot(
            lambda z, x=x: mp.log(mp.erfc(z)) - mp.log(x), special.erfcinv(x)
        )
        expected = -mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        assert dm.derivative(special.erfcinv)(x) == pytest.approx(
            float(expected), rel=1e-14
        )


# Functions of one argument of which the other is fixed: the function and mpmath's own.
ORDERS = [0, 2.5]
FUNCTIONS = {
    "erfcx": (
        special.erfcx,
        lambda x: mp.exp(x * x) * mp.erfc(x),
        [-3.0, 0.0, 0.4, 2.1],
    ),
    "j0": (special.j0, lambda x: mp.besselj(0, x), BESSEL),
    "j1": (special.j1, lambda x: mp.besselj(1, x), [0.0, *BESSEL]),
    "y0": (special.y0, lambda x: mp.bessely(0, x), BESSEL),
    "y1": (special.y1, lambda x: mp.bessely(1, x), [2.9]),
    "i1": (special.i1, lambda x: mp.besseli(1, x), [0.0, *BESSEL]),
    "k1": (special.k1, lambda x: mp.besselk(1, x), [2.9]),
    "i0e": (special.i0e, lambda x: mp.exp(-x) * mp.besseli(0, x), BESSEL),
    "i1e": (special.i1e, lambda x: mp.exp(-x) * mp.besseli(1, x), BESSEL),
    "yn": (lambda x: special.yn(2, x), lambda x: mp.bessely(2, x), BESSEL),
    "zeta": (lambda x: special.zeta(2.5, x), lambda x: mp.zeta(2.5, x), BESSEL),
    "beta by a": (lambda x: special.beta(x, 1.3), lambda x: mp.beta(x, 1.3), BESSEL),
    "beta by b": (lambda x: special.beta(1.3, x), lambda x: mp.beta(1.3, x), BESSEL),
    "betaln by a": (
        lambda x: special.betaln(x, 1.3),
        lambda x: mp.log(mp.beta(x, 1.3)),
        BESSEL,
    ),
    "betaln by b": (
        lambda x: special.betaln(1.3, x),
        lambda x: mp.log(mp.beta(1.3, x)),
        BESSEL,
    ),
    "xlogy by x": (lambda x: special.xlogy(x, 0.3), lambda x: x * mp.log(0.3), BESSEL),
    "xlogy by y": (lambda x: special.xlogy(0.3, x), lambda x: 0.3 * mp.log(x), BESSEL),
    "xlog1py by x": (
        lambda x: special.xlog1py(x, 1e-9),
        lambda x: x * mp.log1p(mp.mpf(1e-9)),
        BESSEL,
    ),
    "xlog1py by y": (
        lambda x: special.xlog1py(0.3, x),
        lambda x: 0.3 * mp.log1p(x),
        BESSEL,
    ),
    "rel_entr by x": (
        lambda x: special.rel_entr(x, 0.3),
        lambda x: x * mp.log(x / 0.3),
        BESSEL,
    ),
    "rel_entr by y": (
        lambda x: special.rel_entr(0.3, x),
        lambda x: 0.3 * mp.log(0.3 / x),
        BESSEL,
    ),
    "erf": (special.erf, mp.erf, BESSEL[:3]),
    "erfc": (special.erfc, mp.erfc, BESSEL[:4]),
    "erfinv": (special.erfinv, mp.erfinv, [-0.7, 0.2, 0.9]),
    "ndtr": (special.ndtr, ndtr, [-3.3, 0.0, 1.2]),
    "log_ndtr": (special.log_ndtr, lambda x: mp.log(ndtr(x)), [-5.1, -0.4, 1.2]),
    "expit": (special.expit, expit, [-7.0, 0.0, 2.0]),
    "log_expit": (special.log_expit, lambda x: mp.log(expit(x)), [-7.0, 0.0, 2.0]),
    "gamma": (special.gamma, mp.gamma, [-0.5, *BESSEL]),
    "psi": (special.psi, mp.digamma, [-0.5, *BESSEL]),
    "exp2": (special.exp2, lambda x: mp.mpf(2) ** x, BESSEL),
    "expm1": (special.expm1, mp.expm1, BESSEL),
    "log1p": (special.log1p, mp.log1p, BESSEL),
    "cbrt": (special.cbrt, mp.cbrt, BESSEL),
} | {
    f"{name}({order}, x)": (
        lambda x, order=order, ufunc=ufunc: ufunc(order, x),
        lambda x, order=order, exact=exact: exact(order, x),
        BESSEL,
    )
    for order in ORDERS
    for name, ufunc, exact in [
        ("jv", special.jv, mp.besselj),
        ("yv", special.yv, mp.bessely),
        ("iv", special.iv, mp.besseli),
        ("kv", special.kv, mp.besselk),
        ("ive", special.ive, lambda v, x: mp.exp(-x) * mp.besseli(v, x)),
    ]
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_nest(name):
    function, exact, points = FUNCTIONS[name]
    for x in points:
        value, *slopes = map(float, mp.diffs(exact, mp.mpf(x), 3))
        for order, expected in enumerate(slopes, start=1):
            found = dm.derivative(function, order=order)(x)
            scale = max(abs(expected), abs(value), 1e-3)
            assert abs(found - expected) <= 2e-13 * scale, (x, order)


def test_every_rule_is_tested():
    named = {name.split("(")[0].split(" ")[0] for name in FUNCTIONS}
    named |= {ufunc.__name__ for ufunc in EXACT} | {"erfcinv"}
    assert {ufunc.__name__.removeprefix("_") for ufunc in PARTIALS} <= named


@pytest.mark.parametrize("name", ["jv", "yn", "yv", "iv", "ive", "kv", "zeta"])
def test_an_order_has_no_derivative(name):
    with pytest.raises(MissingRuleError, match=rf"scipy\.special\.{name} .* by its"):
        dm.derivative(lambda v: getattr(special, name)(v, 2.5))(2.0)


def test_nothing_times_its_logarithm_has_a_slope():
    assert dm.derivative(lambda b: special.xlogy(0.0, b))(0.0) == 0.0
    assert dm.derivative(lambda b: special.xlog1py(0.0, b))(-1.0) == 0.0


def test_a_function_without_a_rule_is_named():
    with pytest.raises(MissingRuleError, match=r"scipy\.special\.sici"):
        dm.derivative(lambda x: special.sici(x)[0])(1.0)
