"""280 problems for black boxes: smooth functions at random points, solved by mpmath.

The functions are those that numerical differentiation is usually shown on: the examples
of numdifftools, the tests of scipy.differentiate, the function of Lyness and Moler, and
a few of other scales.
"""

import functools
from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest

special = pytest.importorskip("scipy.special")

POINTS = 8  # of each function
LOGARITHMIC = "logarithmic"


def lyness(np, x):
    return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)


# Function, the same in mpmath, where the points lie and how they are spread.
FUNCTIONS = [
    ("cos", np.cos, mp.cos, -3, 3),
    ("sin", np.sin, mp.sin, -3, 3),
    ("tan", np.tan, mp.tan, -1.2, 1.2),
    ("cosh", np.cosh, mp.cosh, -3, 3),
    ("sinh", np.sinh, mp.sinh, -3, 3),
    ("tanh", np.tanh, mp.tanh, -3, 3),
    ("exp", np.exp, mp.exp, -3, 3),
    ("expm1", np.expm1, mp.expm1, -2, 2),
    ("exp2", np.exp2, lambda x: mp.mpf(2) ** x, -3, 3),
    ("log", np.log, mp.log, 0.05, 50, LOGARITHMIC),
    ("log1p", np.log1p, mp.log1p, -0.8, 5),
    ("log10", np.log10, mp.log10, 0.05, 50, LOGARITHMIC),
    ("log2", np.log2, lambda x: mp.log(x, 2), 0.05, 50, LOGARITHMIC),
    ("sqrt", np.sqrt, mp.sqrt, 0.05, 50, LOGARITHMIC),
    ("square", np.square, lambda x: x * x, -5, 5),
    ("reciprocal", np.reciprocal, lambda x: 1 / x, 0.05, 50, LOGARITHMIC),
    ("arctan", np.arctan, mp.atan, -4, 4),
    ("arcsinh", np.arcsinh, mp.asinh, -4, 4),
    ("arcsin", np.arcsin, mp.asin, -0.9, 0.9),
    ("arccos", np.arccos, mp.acos, -0.9, 0.9),
    ("arctanh", np.arctanh, mp.atanh, -0.9, 0.9),
    ("arccosh", np.arccosh, mp.acosh, 1.2, 6),
    ("normal", special.ndtr, mp.ncdf, -3, 3),
    (
        "cubic",
        lambda x: x**3 + 2 * x**2 - 3 * x + 1,
        lambda x: x**3 + 2 * x**2 - 3 * x + 1,
        -3,
        3,
    ),
    (
        "exp sin",
        lambda x: np.exp(np.sin(x)),
        lambda x: mp.exp(mp.sin(x)),
        -3,
        3,
    ),
    (
        "Lyness",
        functools.partial(lyness, np),
        functools.partial(lyness, mp),
        0,
        1.4,
    ),
    (
        "Runge",
        lambda x: 1 / (1 + 25 * x * x),
        lambda x: 1 / (1 + 25 * x * x),
        -1,
        1,
    ),
    ("fast", lambda x: np.sin(50 * x), lambda x: mp.sin(50 * x), -1, 1),
    ("bell", lambda x: np.exp(-x * x), lambda x: mp.exp(-x * x), -3, 3),
    ("slow", lambda x: np.sin(x / 1e6), lambda x: mp.sin(x / 10**6), -3e6, 3e6),
    ("erf", special.erf, mp.erf, -2, 2),
    ("gamma", special.gamma, mp.gamma, 0.3, 6),
    ("J0", special.j0, lambda x: mp.besselj(0, x), 0.3, 15),
    (
        "logistic",
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: 1 / (1 + mp.exp(-x)),
        -6,
        6,
    ),
    (
        "flat at 0",
        lambda x: x * np.exp(-1 / x),
        lambda x: x * mp.exp(-1 / x),
        0.1,
        5,
        LOGARITHMIC,
    ),
]


@dataclass(frozen=True)
class Problem:
    name: str
    f: object
    x: float
    df: float


@functools.cache
def problems(seed=7):
    """The problems, and their derivatives from 40 digits."""
    rng = np.random.default_rng(seed)
    found = []
    with mp.workdps(40):
        for name, f, exact, low, high, *spread in FUNCTIONS:
            if spread == [LOGARITHMIC]:
                points = np.exp(rng.uniform(np.log(low), np.log(high), POINTS))
            else:
                points = rng.uniform(low, high, POINTS)
            for x in points.tolist():
                df = float(mp.diff(exact, mp.mpf(x)))
                found.append(Problem(name, f, x, df))
    return found


def scores(solve, seed=7):
    """Relative errors, whether the estimate bounds them, and evaluations, of each."""
    errors, bounded, evaluations = [], [], []
    for problem in problems(seed):
        result = solve(problem.f, problem.x)
        assert result.success, (problem, result)
        error = abs(result.df - problem.df)
        errors.append(error / abs(problem.df))
        bounded.append(error <= result.error)
        evaluations.append(result.nfev)
    return np.array(errors), np.array(bounded), np.array(evaluations)
