"""The functions that are differentiated, each written once for every library.

A function is made from the library's own namespace, ``make(np)`` or ``make(jnp)``, so
that each peer runs the code that its manual asks for.  Constants go through
``xp.asarray``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Make = Callable[[Any], Callable[[Any], Any]]

RNG = np.random.default_rng(20240229)
WIDE = RNG.normal(size=(100, 100)) / 10
INPUT = RNG.normal(size=(128, 32))
SECOND = RNG.normal(size=(32, 8)) / 5
WANTED = RNG.normal(size=(128, 8))


def tanh(xp: Any) -> Callable[[Any], Any]:
    return xp.tanh


def cubic(xp: Any) -> Callable[[Any], Any]:
    return lambda x: x**3 + 2 * x**2 - 3 * x + 1


def rosenbrock(xp: Any) -> Callable[[Any], Any]:
    """The valley of Rosenbrock (1960) in any number of variables."""
    return lambda x: xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def chain(xp: Any) -> Callable[[Any], Any]:
    """A hundred elementwise steps, one after the other."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(50):
            y = 0.9 * xp.sin(y)
        return xp.sum(y)

    return f


def perceptron(xp: Any) -> Callable[[Any], Any]:
    """The squared error of two layers, as a function of the first one's weights."""
    a, b, c = map(xp.asarray, (INPUT, SECOND, WANTED))
    return lambda w: xp.sum((xp.tanh(a @ w) @ b - c) ** 2)


def loop(xp: Any) -> Callable[[Any], Any]:
    """Ten thousand small operations: Euler's steps through a pendulum's swing."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(3_333):
            y = y + 0.001 * xp.sin(y)
        return xp.sum(y)

    return f


def layer(xp: Any) -> Callable[[Any], Any]:
    """A hundred variables to a hundred values."""
    a = xp.asarray(WIDE)
    return lambda x: xp.tanh(a @ x)


def point(size: int) -> Any:
    """A number for size 1, else as many numbers in a reproducible order."""
    if size == 1:
        return 0.7
    return np.random.default_rng(size).uniform(-2, 2, size)


def start(size: int) -> Any:
    """A point in Rosenbrock's valley."""
    return np.random.default_rng(size).uniform(-1, 1.5, size)
