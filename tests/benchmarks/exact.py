"""High derivatives of analytic functions: Cauchy's integral in 200 digits."""

from collections.abc import Callable
from typing import Any

import mpmath as mp

DIGITS = 200
NODES = 256
RADIUS = 0.5  # the singularities of all functions here are twice as far away


def nth_derivative(f: Callable[[Any], Any], x: float, order: int) -> float:
    """The derivative at x of a function of mpmath's numbers.

    The trapezoidal sum over a circle wrongly adds Taylor terms that are `NODES` powers
    further on: they are smaller by 70 powers of ten.
    """
    with mp.workdps(DIGITS):
        total = mp.mpc(0)
        for k in range(NODES):
            turn = mp.expjpi(mp.mpf(2 * k) / NODES)
            total += f(x + RADIUS * turn) * turn ** (-order)
        radius = mp.mpf(RADIUS) ** order
        return float(mp.re(total) / NODES / radius * mp.factorial(order))
