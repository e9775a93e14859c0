"""An independent reference: the same function run on 50-digit numbers by mpmath."""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

from diffmethods.lifted import Library, Lifted
from diffmethods.traced import joined

DIGITS = 50

SAME = "sin cos tan sinh cosh tanh exp log sqrt expm1 log1p log10 hypot sign floor ceil"
MEND: dict[str, Callable[..., Any]] = {
    **{name: getattr(mp, name) for name in SAME.split()},
    **{
        f"arc{name}": getattr(mp, f"a{name}")
        for name in "sin cos tan sinh cosh tanh".split()
    },
    "arctan2": mp.atan2,
    "absolute": mp.fabs,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "exp2": lambda x: mp.mpf(2) ** x,
    "log2": lambda x: mp.log(x, 2),
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "positive": lambda x: x,
    "negative": lambda x: -x,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": mp.power,
    "maximum": max,
    "minimum": min,
    "sinc": lambda x: mp.sincpi(x),
    "less": lambda a, b: bool(a < b),
    "less_equal": lambda a, b: bool(a <= b),
    "greater": lambda a, b: bool(a > b),
    "greater_equal": lambda a, b: bool(a >= b),
    "equal": lambda a, b: bool(a == b),
    "not_equal": lambda a, b: bool(a != b),
    "where": lambda condition, a, b: a if condition else b,
    "heaviside": lambda x, half: half if x == 0 else mp.mpf(x > 0),
    "deg2rad": mp.radians,
    "rad2deg": mp.degrees,
    "scipy.special.erf": mp.erf,
    "scipy.special.erfc": mp.erfc,
    "scipy.special.gamma": mp.gamma,
    "scipy.special.gammaln": mp.loggamma,
    "scipy.special.psi": mp.digamma,
    "scipy.special.j0": lambda x: mp.besselj(0, x),
    "scipy.special.j1": lambda x: mp.besselj(1, x),
    "scipy.special.expit": lambda x: 1 / (1 + mp.exp(-x)),
}


def as_number(x: Any) -> Any:
    """A float64 is exact in 50 digits; an array is not for mpmath."""
    if isinstance(x, np.ndarray) and x.ndim:
        raise TypeError("mpmath takes numbers, not arrays")
    return (
        mp.mpf(float(x)) if isinstance(x, (float, int, np.ndarray, np.generic)) else x
    )


LIBRARY = Library("mpmath", {"np": None}, asarray=as_number, mend=MEND)


def derivative(f: Callable[..., Any], x: float, order: int = 1) -> mp.mpf:
    """Differentiate plain NumPy code at a number, to about 50 digits.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from a number to a number.
    x : float
        The point, taken as exact.
    order : int
        Which derivative.

    Returns
    -------
    mpmath.mpf
        Half of the working digits remain after the differences that mpmath takes.

    Raises
    ------
    MissingRuleError
        If mpmath lacks a function that `f` calls.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.reference import derivative
    >>> print(float(derivative(np.tanh, 20.0)))
    1.6993417021166355e-17
    """

    def on_mpmath(z: mp.mpf) -> mp.mpf:
        return LIBRARY.lower(joined(f(Lifted(z, LIBRARY))))

    with mp.workdps(DIGITS):
        return mp.diff(on_mpmath, mp.mpf(float(x)), order)
