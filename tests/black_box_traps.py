"""Traps for black boxes: scales, noise, kinks, poles and plateaus, with true slopes."""

import mpmath as mp
import numpy as np


def single(x):
    return np.sin(np.float32(x)).astype(np.float64)


# Name, function, point, and the derivative in mpmath's terms.
TRAPS = [
    ("1000 waves", lambda x: np.sin(1e3 * x), 0.3, lambda x: 1000 * mp.cos(1000 * x)),
    ("steep", lambda x: np.exp(50 * x), 1.0, lambda x: 50 * mp.exp(50 * x)),
    ("short", lambda x: np.sin(1e6 * x), 1e-7, lambda x: 10**6 * mp.cos(10**6 * x)),
    ("shorter", lambda x: np.sin(1e8 * x), 0.0, lambda x: mp.mpf(10**8)),
    ("sqrt near 0", np.sqrt, 1e-12, lambda x: 1 / (2 * mp.sqrt(x))),
    ("log near 0", np.log, 1e-10, lambda x: 1 / x),
    ("sine far out", np.sin, 1e6, mp.cos),
    ("sine farther out", np.sin, 1e10, mp.cos),
    ("large square", lambda x: x * x, 1e8, lambda x: 2 * x),
    ("near a pole", lambda x: 1 / x, 1e-8, lambda x: -1 / x**2),
    ("float32 inside", single, 1.0, mp.cos),
    ("8 digits", lambda x: np.round(np.exp(x), 8), 1.0, mp.exp),
    ("kink nearby", np.abs, 1e-3, lambda x: mp.mpf(1)),
    ("kink elsewhere", lambda x: np.abs(x - 0.5), 0.5001, lambda x: mp.mpf(1)),
    ("kink of the slope", lambda x: x * np.abs(x), 1e-4, lambda x: 2 * x),
    ("constant", lambda x: 0 * x + 3.0, 1.0, lambda x: mp.mpf(0)),
    ("extremum", np.cos, 0.0, lambda x: mp.mpf(0)),
    ("tangent near its pole", np.tan, 1.5707, lambda x: mp.sec(x) ** 2),
    ("flat", lambda x: np.exp(-1 / x), 0.02, lambda x: mp.exp(-1 / x) / x**2),
    (
        "narrow",
        lambda x: 1 / (1 + 1e4 * x * x),
        0.01,
        lambda x: -20000 * x / (1 + 10**4 * x * x) ** 2,
    ),
    ("small wave", lambda x: 1 + 1e-6 * np.sin(x), 1.0, lambda x: mp.cos(x) / 10**6),
    ("high power", lambda x: (x - 1) ** 20, 1.1, lambda x: 20 * (x - 1) ** 19),
    ("kink right there", np.abs, 0.0, None),
    ("jump right there", np.sign, 0.0, None),
    ("edge of the domain", np.sqrt, 0.0, None),
    ("pole", lambda x: 1 / x, 0.0, None),
    ("noise alone", lambda x: np.sin(1e17 * (x + 1)), 0.5, None),
]


def verdict(solve, f, x, slope):
    """Whether a result is right, to 1e-4 and within its estimate, or flagged."""
    with np.errstate(all="ignore"):
        result = solve(f, x)
    if slope is None or not result.success:
        return not result.success
    with mp.workdps(40):
        exact = float(slope(mp.mpf(x)))
    error = abs(result.df - exact)
    return error <= 1e-4 * abs(exact) + 1e-14 and error <= result.error
