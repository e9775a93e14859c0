"""First derivatives of black boxes, with what each method says about its own error."""

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import diffmethods as dm


@dataclass(frozen=True)
class Estimate:
    """A derivative, the error that the method admits, and what it took.

    Attributes
    ----------
    value
        The derivative; NaN if there is none.
    error
        The method's own bound of the absolute error; NaN if it gives none.
    evaluations
        At how many points f was evaluated.
    warned
        Whether the method raised, warned, or reported a failure.
    """

    value: float
    error: float
    evaluations: int
    warned: bool

    @property
    def flagged(self) -> bool:
        """Whether the plain call says by itself that something is wrong."""
        return self.warned or not np.isfinite(self.value)


Answer = tuple[float, float, bool]  # value, error, whether it succeeded
Solver = Callable[[Callable[[Any], Any], float], Answer]


def of_method(name: str) -> Solver:
    """A method of the registry; its module may `solve` with an error estimate."""
    dm.get_method(name)
    module = importlib.import_module(f"diffmethods.methods.{name}")
    with_error = getattr(module, "solve", None)

    def solve(f: Callable[[Any], Any], x: float) -> Answer:
        if with_error is None:
            return float(dm.derivative(f, method=name)(x)), np.nan, True
        found = with_error(f, x)
        return float(found.df), float(found.error), bool(found.success)

    return solve


def scipy() -> Solver:
    from scipy.differentiate import derivative

    def solve(f: Callable[[Any], Any], x: float) -> Answer:
        found = derivative(f, x)
        return float(found.df), float(found.error), bool(found.success)

    return solve


def numdifftools() -> Solver:
    from numdifftools import Derivative

    def solve(f: Callable[[Any], Any], x: float) -> Answer:
        found = Derivative(f, full_output=True)(x)
        return float(found.estimate), float(found.error_estimate), True

    return solve


PEERS: dict[str, Callable[[], Solver]] = {"SciPy": scipy, "numdifftools": numdifftools}


def estimate(solve: Solver, f: Callable[[Any], Any], x: float) -> Estimate:
    """Differentiate once, and count the points that f is asked for."""
    evaluations = 0

    def counted(z: Any) -> Any:
        nonlocal evaluations
        evaluations += np.size(z)
        return f(z)

    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            value, error, succeeded = solve(counted, x)
        except (dm.errors.DiffmethodsError, ArithmeticError):
            return Estimate(np.nan, np.nan, evaluations, warned=True)
    return Estimate(value, error, evaluations, bool(caught) or not succeeded)
