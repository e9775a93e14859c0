"""Derivatives of SciPy's special functions, each said once.

`PARTIALS` has the form of `diffmethods.rules.PARTIALS` and is loaded when a special
function is first met.  Orders of Bessel functions have no derivative here: asking for
one is an error, never 0.
"""

import math

import numpy as np
from scipy import special

from diffmethods.errors import MissingRuleError
from diffmethods.rules import LN10, away_from_zero
from diffmethods.rules import PARTIALS as ELEMENTARY

ROOT_PI, ROOT_TWO_PI = math.sqrt(math.pi), math.sqrt(2.0 * math.pi)
ZETA = getattr(special._ufuncs, "_zeta", special.zeta)  # the ufunc inside the function


def no_rule_by(name, argument):
    """Refuse the derivative of a function by one of its arguments."""

    def partial(y, *xs):
        raise MissingRuleError(
            f"scipy.special.{name} has no rule for its derivative by {argument}; "
            "numerical methods such as central_difference take it"
        )

    return partial


def exp_of_square(x, scale):
    """exp(scale x^2), split as by Cody (1969): rounding x^2 would magnify."""
    if not np.iscomplexobj(x):
        x = np.clip(x, -40.0, 40.0)  # beyond, it is 0 or infinite
    coarse = np.rint(16.0 * x) / 16.0  # its square is exact
    rest = (x - coarse) * (x + coarse)
    return np.exp(scale * coarse * coarse) * np.exp(scale * rest)


def erf_slope(y, x):
    return 2.0 / ROOT_PI * exp_of_square(x, -1.0)


def erfc_slope(y, x):
    return -2.0 / ROOT_PI * exp_of_square(x, -1.0)


def inverse_slope(y, missing):
    """1 / erfc'(y), where erfc(y) exceeds its argument by `missing`.

    The rounding of y, which exp(y^2) magnifies 2 y^2 times, is put back.
    """
    slope = 0.5 * ROOT_PI * exp_of_square(y, 1.0)
    return slope * (1.0 + 2.0 * y * missing * slope)


def erfinv_slope(y, x):
    missing = special.erfc(away_from_zero(y)) - (1.0 - away_from_zero(x))
    return inverse_slope(away_from_zero(y), missing)


def erfcinv_slope(y, x):
    return -inverse_slope(y, special.erfc(y) - x)


def log_ndtr_slope(y, x):
    """Density over distribution; in the lower tail both vanish, and erfcx does not."""
    lower = math.sqrt(2.0 / math.pi) / special.erfcx(away_from_zero(x) / math.sqrt(2.0))
    density = exp_of_square(x, -0.5) / ROOT_TWO_PI
    upper = density / special.ndtr(away_from_zero(x))
    return np.where(x < 0, lower, upper)


def bessel(function, sign=1.0):
    """f'(v, x) = (f(v - 1, x) - sign f(v + 1, x)) / 2."""
    return (
        no_rule_by(function.__name__, "its order v"),
        lambda y, v, x: 0.5 * (function(v - 1, x) - sign * function(v + 1, x)),
    )


PARTIALS = {
    # error functions and the normal distribution
    special.erf: (erf_slope,),
    special.erfc: (erfc_slope,),
    special.erfcx: (lambda y, x: 2.0 * x * y - 2.0 / ROOT_PI,),
    special.erfinv: (erfinv_slope,),
    special.erfcinv: (erfcinv_slope,),
    special.ndtr: (lambda y, x: exp_of_square(x, -0.5) / ROOT_TWO_PI,),
    special.log_ndtr: (log_ndtr_slope,),
    # logistic functions
    special.expit: (lambda y, x: y * special.expit(-x),),
    special.logit: (lambda y, x: 1.0 / (x * (1.0 - x)),),
    special.log_expit: (lambda y, x: special.expit(-x),),
    # gamma functions
    special.gamma: (lambda y, x: y * special.psi(x),),
    special.gammaln: (lambda y, x: special.psi(x),),
    special.psi: (lambda y, x: special.zeta(2.0, x),),
    ZETA: (
        no_rule_by("zeta", "its exponent x"),
        lambda y, s, q: -s * special.zeta(s + 1.0, q),
    ),
    special.beta: (
        lambda y, a, b: y * (special.psi(a) - special.psi(a + b)),
        lambda y, a, b: y * (special.psi(b) - special.psi(a + b)),
    ),
    special.betaln: (
        lambda y, a, b: special.psi(a) - special.psi(a + b),
        lambda y, a, b: special.psi(b) - special.psi(a + b),
    ),
    # entropies
    special.xlogy: (
        lambda y, a, b: np.log(b),
        lambda y, a, b: a / (b + ((a == 0) & (b == 0))),
    ),
    special.xlog1py: (
        lambda y, a, b: np.log1p(b),
        lambda y, a, b: a / (1.0 + b + ((a == 0) & (b == -1))),
    ),
    special.entr: (lambda y, x: -np.log(x) - 1.0,),
    special.rel_entr: (lambda y, a, b: np.log(a / b) + 1.0, lambda y, a, b: -a / b),
    # Bessel functions
    special.j0: (lambda y, x: -special.j1(x),),
    special.j1: (lambda y, x: 0.5 * (special.j0(x) - special.jv(2.0, x)),),
    special.jv: bessel(special.jv),
    special.y0: (lambda y, x: -special.y1(x),),
    special.y1: (lambda y, x: 0.5 * (special.y0(x) - special.yv(2.0, x)),),
    special.yn: bessel(special.yn),
    special.yv: bessel(special.yv),
    special.i0: (lambda y, x: special.i1(x),),
    special.i1: (lambda y, x: 0.5 * (special.i0(x) + special.iv(2.0, x)),),
    special.iv: bessel(special.iv, -1.0),
    special.i0e: (lambda y, x: special.i1e(x) - np.sign(x) * y,),
    special.i1e: (
        lambda y, x: 0.5 * (special.i0e(x) + special.ive(2.0, x)) - np.sign(x) * y,
    ),
    special.ive: (
        no_rule_by("ive", "its order v"),
        lambda y, v, x: (
            0.5 * (special.ive(v - 1, x) + special.ive(v + 1, x)) - np.sign(x) * y
        ),
    ),
    special.k0: (lambda y, x: -special.k1(x),),
    special.k1: (lambda y, x: -0.5 * (special.k0(x) + special.kv(2.0, x)),),
    special.kv: (
        no_rule_by("kv", "its order v"),
        lambda y, v, x: -0.5 * (special.kv(v - 1, x) + special.kv(v + 1, x)),
    ),
    # SciPy's own copies of elementary functions
    special.exp10: (lambda y, x: y * LN10,),
    special.exp2: ELEMENTARY[np.exp2],
    special.expm1: ELEMENTARY[np.expm1],
    special.log1p: ELEMENTARY[np.log1p],
    special.cbrt: ELEMENTARY[np.cbrt],
}

# Some of those forms hold on the real line alone; a complex operand takes these.
COMPLEX_PARTIALS = {
    special.log_ndtr: (
        lambda y, x: math.sqrt(2.0 / math.pi) / special.erfcx(x * -math.sqrt(0.5)),
    ),
    special.psi: (no_rule_by("psi", "a complex argument"),),
    special.ive: (
        no_rule_by("ive", "its order v"),
        no_rule_by("ive", "a complex argument"),
    ),
}
