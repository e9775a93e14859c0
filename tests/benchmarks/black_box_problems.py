"""Problems for methods that know f only by its values: common functions, and traps.

The functions are those that numdifftools and SciPy test with, and some that vary fast,
slowly or near an end of their domain.  Each comes with its exact derivative in mpmath.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np
from scipy import special

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Problem:
    """A function, a point, the exact derivative there, and the error that passes."""

    name: str
    f: Function
    x: float
    exact: float
    rtol: float = 1e-6

    def error(self, value: float) -> float:
        """Relative error; absolute where the derivative is 0."""
        return abs(float(value) - self.exact) / (abs(self.exact) or 1.0)


# name, f, f in mpmath, the ends of the interval, whether it is sampled logarithmically
COMMON: tuple[tuple[str, Function, Function, float, float, bool], ...] = (
    ("cos", np.cos, mp.cos, -3, 3, False),
    ("sin", np.sin, mp.sin, -3, 3, False),
    ("tan", np.tan, mp.tan, -1.2, 1.2, False),
    ("cosh", np.cosh, mp.cosh, -3, 3, False),
    ("sinh", np.sinh, mp.sinh, -3, 3, False),
    ("tanh", np.tanh, mp.tanh, -3, 3, False),
    ("exp", np.exp, mp.exp, -3, 3, False),
    ("expm1", np.expm1, mp.expm1, -2, 2, False),
    ("exp2", np.exp2, lambda x: mp.mpf(2) ** x, -3, 3, False),
    ("log", np.log, mp.log, 0.05, 50, True),
    ("log1p", np.log1p, mp.log1p, -0.8, 5, False),
    ("log10", np.log10, mp.log10, 0.05, 50, True),
    ("log2", np.log2, lambda x: mp.log(x) / mp.log(2), 0.05, 50, True),
    ("sqrt", np.sqrt, mp.sqrt, 0.05, 50, True),
    ("square", np.square, lambda x: x * x, -5, 5, False),
    ("reciprocal", np.reciprocal, lambda x: 1 / x, 0.05, 50, True),
    ("arctan", np.arctan, mp.atan, -4, 4, False),
    ("arcsinh", np.arcsinh, mp.asinh, -4, 4, False),
    ("arcsin", np.arcsin, mp.asin, -0.9, 0.9, False),
    ("arccos", np.arccos, mp.acos, -0.9, 0.9, False),
    ("arctanh", np.arctanh, mp.atanh, -0.9, 0.9, False),
    ("arccosh", np.arccosh, mp.acosh, 1.2, 6, False),
    ("normal distribution", special.ndtr, mp.ncdf, -3, 3, False),
    (
        "cubic",
        lambda x: x * x * x + 2 * x * x - 3 * x + 1,
        lambda x: x**3 + 2 * x**2 - 3 * x + 1,
        *(-3, 3, False),
    ),
    (
        "exp(sin x)",
        lambda x: np.exp(np.sin(x)),
        lambda x: mp.exp(mp.sin(x)),
        *(-3, 3, False),
    ),
    (
        "Squire and Trapp",
        lambda x: np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3),
        lambda x: mp.exp(x) / (mp.sin(x) ** 3 + mp.cos(x) ** 3),
        *(0, 1.4, False),
    ),
    (
        "Runge",
        lambda x: 1 / (1 + 25 * x * x),
        lambda x: 1 / (1 + 25 * x * x),
        *(-1, 1, False),
    ),
    (
        "sin(50 x)",
        lambda x: np.sin(50 * x),
        lambda x: mp.sin(50 * x),
        *(-1, 1, False),
    ),
    (
        "exp(-x^2)",
        lambda x: np.exp(-x * x),
        lambda x: mp.exp(-x * x),
        *(-3, 3, False),
    ),
    (
        "sin(x / 1e6)",
        lambda x: np.sin(x / 1e6),
        lambda x: mp.sin(x / 10**6),
        *(-3e6, 3e6, False),
    ),
    ("erf", special.erf, mp.erf, -2, 2, False),
    ("gamma", special.gamma, mp.gamma, 0.3, 6, False),
    ("Bessel J0", special.j0, lambda x: mp.besselj(0, x), 0.3, 15, False),
    (
        "logistic",
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: 1 / (1 + mp.exp(-x)),
        *(-6, 6, False),
    ),
    (
        "x exp(-1/x)",
        lambda x: x * np.exp(-1 / x),
        lambda x: x * mp.exp(-1 / x),
        *(0.1, 5, True),
    ),
)


def common(samples: int) -> Iterator[Problem]:
    """Each common function at some points, the same in every run."""
    rng = np.random.default_rng(7)
    for name, f, exact_f, low, high, logarithmic in COMMON:
        ends = np.log([low, high]) if logarithmic else [low, high]
        points = rng.uniform(*ends, samples)
        for x in np.exp(points) if logarithmic else points:
            with mp.workdps(40):
                exact = mp.diff(exact_f, mp.mpf(float(x)))
                if abs(exact) >= 1e-8 * abs(exact_f(mp.mpf(float(x)))):
                    yield Problem(name, f, float(x), float(exact))


def exactly(expression: Callable[[], Any]) -> float:
    with mp.workdps(40):
        return float(expression())


def traps() -> Iterator[Problem]:
    """Functions that vary fast, hardly, with noise, near a kink or near a pole."""
    yield Problem("sin(1e3 x)", lambda x: np.sin(1e3 * x), 0.3, 1e3 * np.cos(300.0))
    yield Problem("exp(50 x)", lambda x: np.exp(50 * x), 1.0, 50 * np.exp(50.0))
    yield Problem("sin(1e6 x)", lambda x: np.sin(x * 1e6), 1e-7, 1e6 * np.cos(0.1))
    yield Problem("sin(1e8 x)", lambda x: np.sin(x * 1e8), 0.0, 1e8)
    yield Problem("sqrt near 0", np.sqrt, 1e-12, 0.5e6)
    yield Problem("log near 0", np.log, 1e-10, 1e10)
    yield Problem("sin at 1e6", np.sin, 1e6, exactly(lambda: mp.cos(10**6)))
    yield Problem("sin at 1e10", np.sin, 1e10, exactly(lambda: mp.cos(10**10)))
    yield Problem("x^2 at 1e8", lambda x: x * x, 1e8, 2e8)
    yield Problem("1/x near 0", lambda x: 1 / x, 1e-8, -1e16)
    yield Problem("sin in float32", single_sine, 1.0, np.cos(1.0), 1e-2)
    yield Problem("exp to 8 digits", lambda x: np.round(np.exp(x), 8), 1, np.e, 1e-4)
    yield Problem("|x| near its kink", np.abs, 1e-3, 1.0)
    yield Problem("|x - 0.5| near its kink", lambda x: np.abs(x - 0.5), 0.5001, 1.0)
    yield Problem("x |x|", lambda x: x * np.abs(x), 1e-4, 2e-4)
    yield Problem("a constant", lambda x: 0 * x + 3.0, 1.0, 0.0)
    yield Problem("cos at 0", np.cos, 0.0, 0.0)
    x = mp.mpf(1.5707)
    yield Problem("tan near its pole", np.tan, 1.5707, exactly(lambda: mp.sec(x) ** 2))
    yield Problem(
        "exp(-1/x)",
        lambda x: np.exp(-1 / x),
        0.02,
        exactly(lambda: mp.exp(-1 / mp.mpf(0.02)) / mp.mpf(0.02) ** 2),
    )
    yield Problem("a narrow peak", lambda x: 1 / (1 + 1e4 * x * x), 0.01, -50.0)
    yield Problem(
        "a small wave on a large constant",
        lambda x: 1 + 1e-6 * np.sin(x),
        *(1.0, 1e-6 * np.cos(1.0)),
    )
    yield Problem(
        "(x - 1)^20",
        lambda x: (x - 1) ** 20,
        *(1.1, exactly(lambda: 20 * (mp.mpf(1.1) - 1) ** 19)),
    )


def single_sine(x: Any) -> Any:
    return np.sin(np.asarray(x, np.float32)).astype(np.float64)
