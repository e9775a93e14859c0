"""The problem set: functions, points, and derivatives known exactly.

Each derivative is written down from a table of derivatives, in a form that keeps its
digits at the problem's points; the tests hold it to mpmath and SymPy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A function, where to differentiate it, and what must come out.

    Attributes
    ----------
    name, title
        The key, and the formula in LaTeX.
    f
        The function in plain NumPy; calling the problem calls it.
    at
        The point: a number, or an array for a function of several variables.
    derivatives
        f', f'', ... of a function of one variable, each a plain NumPy function.
    gradient, hessian, jacobian
        The exact functions, where the problem is of several variables.
    """

    name: str
    title: str
    f: Callable[..., Any]
    at: Any
    derivatives: tuple[Callable[..., Any], ...] = ()
    gradient: Callable[..., Any] | None = None
    hessian: Callable[..., Any] | None = None
    jacobian: Callable[..., Any] | None = None

    def __call__(self, x: Any) -> Any:
        return self.f(x)

    def __reduce__(self) -> Any:
        """Those of this module go to other processes by name, being made of lambdas."""
        if PROBLEMS.get(self.name) is self:
            return _problem, (self.name,)
        return super().__reduce__()


def polynomial(x: Any) -> Any:
    return x**3 + 2 * x**2 - 3 * x + 1


def damped_wave(x: Any) -> Any:
    return np.exp(-x / 4) * np.sin(2 * x)


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def rosenbrock(x: Any) -> Any:
    """The curved valley of Rosenbrock (1960), in any number of variables."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_gradient(x: Any) -> Any:
    left, right = np.zeros_like(x), np.zeros_like(x)
    left[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    right[1:] = 200 * (x[1:] - x[:-1] ** 2)
    return left + right


def rosenbrock_hessian(x: Any) -> Any:
    diagonal = np.zeros_like(x)
    diagonal[:-1] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    beside = -400 * x[:-1]
    return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)


def polar(x: Any) -> Any:
    """From radius and angle to Cartesian coordinates."""
    return np.stack([x[0] * np.cos(x[1]), x[0] * np.sin(x[1])])


def polar_jacobian(x: Any) -> Any:
    c, s = np.cos(x[1]), np.sin(x[1])
    return np.array([[c, -x[0] * s], [s, x[0] * c]])


def sech_squared(x: Any) -> Any:
    return 1 / np.cosh(x) ** 2


_ALL = (
    Problem(
        name="tanh",
        title=r"\tanh x",
        f=np.tanh,
        at=2.0,
        derivatives=(
            sech_squared,
            lambda x: -2 * np.tanh(x) * sech_squared(x),
            lambda x: (4 * np.tanh(x) ** 2 - 2 * sech_squared(x)) * sech_squared(x),
        ),
    ),
    Problem(
        name="polynomial",
        title="x^3 + 2x^2 - 3x + 1",
        f=polynomial,
        at=2.0,
        derivatives=(
            lambda x: 3 * x**2 + 4 * x - 3,
            lambda x: 6 * x + 4,
            lambda x: 6.0 + 0 * x,
            lambda x: 0.0 * x,
        ),
    ),
    Problem(
        name="damped_wave",
        title=r"e^{-x/4} \sin 2x",
        f=damped_wave,
        at=1.0,
        derivatives=(
            lambda x: np.exp(-x / 4) * (2 * np.cos(2 * x) - np.sin(2 * x) / 4),
            lambda x: -np.exp(-x / 4) * (np.cos(2 * x) + 63 / 16 * np.sin(2 * x)),
        ),
    ),
    Problem(
        name="logistic",
        title=r"1 / (1 + e^{-x})",
        f=logistic,
        at=0.5,
        derivatives=(lambda x: 0.25 / np.cosh(x / 2) ** 2,),
    ),
    Problem(
        name="rosenbrock",
        title=r"\sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2",
        f=rosenbrock,
        at=np.array([0.5, -0.3, 0.8, 1.2]),
        gradient=rosenbrock_gradient,
        hessian=rosenbrock_hessian,
    ),
    Problem(
        name="polar",
        title=r"(r \cos \varphi, r \sin \varphi)",
        f=polar,
        at=np.array([2.0, 0.7]),
        jacobian=polar_jacobian,
    ),
)
PROBLEMS: dict[str, Problem] = {problem.name: problem for problem in _ALL}


def _problem(name: str) -> Problem:
    return PROBLEMS[name]
