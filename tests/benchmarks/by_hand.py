"""The same derivatives written by hand: what NumPy's own arithmetic costs.

Each is what a careful author writes who knows the function: exact to the last digits
as ours are, nothing computed twice, and no array made where another can be written
into.  No method that calls the same NumPy can be much faster.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import functions
from benchmarks.functions import INPUT, SECOND, WANTED, WIDE, Make
from benchmarks.timing import Run

STRIP = 16384  # items of a long array that stay in the processor's cache


def tanh_slope(x: Any) -> Any:
    """4 e / (1 + e)^2 with e = exp(-2 abs(x)), strip by strip."""
    if not np.ndim(x):
        e = np.exp(-2 * abs(x))
        return 4 * e / (1 + e) ** 2
    slope = np.empty_like(x)
    for start in range(0, len(x), STRIP):
        root = slope[start : start + STRIP]
        e = np.abs(x[start : start + STRIP])
        e *= -2
        np.exp(e, out=e)
        np.add(e, 1, out=root)
        root *= root
        e *= 4
        np.divide(e, root, out=root)
    return slope


def cubic_slope(x: Any) -> Any:
    """3 x^2 + 4 x - 3 by Horner's scheme."""
    return (3 * x + 4) * x - 3


def rosenbrock_gradient(x: Any) -> Any:
    """Two terms at most for each variable."""
    a, b = x[:-1], x[1:]
    rise = b - a * a
    gradient = np.empty_like(x)
    gradient[0] = 0.0
    np.multiply(rise, 200, out=gradient[1:])
    rise *= a
    rise *= 400
    gradient[:-1] -= rise
    rest = a - 1
    rest *= 2
    gradient[:-1] += rest
    return gradient


def chain_gradient(x: Any) -> Any:
    """The product of the cosines, on the way."""
    y, slope = x, 1.0
    for _ in range(50):
        slope = 0.9 * np.cos(y) * slope
        y = 0.9 * np.sin(y)
    return slope


def perceptron_gradient(w: Any) -> Any:
    """Back through both layers."""
    hidden = np.tanh(INPUT @ w)
    slope = tanh_slope_of(hidden)
    return INPUT.T @ (2 * (hidden @ SECOND - WANTED) @ SECOND.T * slope)


def tanh_slope_of(y: Any) -> Any:
    """The slope by the value, which is enough far from the tails."""
    return (1 - y) * (1 + y)


def loop_gradient(x: Any) -> Any:
    """The product of the steps' slopes, on the way."""
    y, slope = x, np.ones_like(x)
    for _ in range(3_333):
        slope = slope + 0.001 * np.cos(y) * slope
        y = y + 0.001 * np.sin(y)
    return slope


def layer_jacobian(x: Any) -> Any:
    """The rows of the matrix, each times a slope."""
    return tanh_slope(WIDE @ x)[:, None] * WIDE


def rosenbrock_hessian(x: Any) -> Any:
    """Three diagonals."""
    n = len(x)
    hessian = np.zeros((n, n))
    flat = hessian.reshape(-1)
    main, above, below = flat[:: n + 1], flat[1 :: n + 1], flat[n :: n + 1]
    main[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    main[1:] += 200
    np.multiply(x[:-1], -400, out=above)
    below[:] = above
    return hessian


BY_HAND: dict[tuple[str, Make], Callable[[Any], Any]] = {
    ("derivative", functions.tanh): tanh_slope,
    ("derivative", functions.cubic): cubic_slope,
    ("gradient", functions.rosenbrock): rosenbrock_gradient,
    ("gradient", functions.chain): chain_gradient,
    ("gradient", functions.perceptron): perceptron_gradient,
    ("gradient", functions.loop): loop_gradient,
    ("jacobian", functions.layer): layer_jacobian,
    ("hessian", functions.rosenbrock): rosenbrock_hessian,
}


def build(operator: str, make: Make, x: Any) -> Run:
    derivative = BY_HAND[operator, make]
    return lambda: derivative(x)
