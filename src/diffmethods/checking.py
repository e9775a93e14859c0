"""Checks: a derivative beside one by differences, which knows nothing of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffmethods.errors import ShapeError, WrongDerivativeError
from diffmethods.operators import OF_MANY, jacobian, refuse_mask
from diffmethods.traced import outcome

MOST_ROWS = 10


@dataclass(frozen=True)
class Check:
    """Two derivatives side by side.

    Attributes
    ----------
    derivative
        What was to be checked, of shape ``f(x).shape + x.shape``.
    reference
        The same by another method.
    tolerance
        How far apart they may be.
    """

    derivative: Any
    reference: Any
    tolerance: Any

    @property
    def error(self) -> Any:
        """The distance between the two; infinite where only one is finite."""
        with np.errstate(invalid="ignore"):
            distance = np.absolute(self.derivative - self.reference)
        same = self.derivative == self.reference
        return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))

    @property
    def wrong(self) -> Any:
        """Where the distance is larger than the tolerance."""
        return self.error > self.tolerance

    def __str__(self) -> str:
        """The worst rows first."""
        error = np.ravel(self.error)
        excess = error / np.ravel(np.broadcast_to(self.tolerance, self.error.shape))
        order = np.argsort(-excess, kind="stable")
        header = ("item", "derivative", "reference", "difference")
        rows = [header]
        for k in order[:MOST_ROWS]:
            item = np.unravel_index(k, np.shape(self.derivative))
            rows.append(
                (
                    ", ".join(str(int(i)) for i in item) or "-",
                    f"{np.ravel(self.derivative)[k]:.10g}",
                    f"{np.ravel(self.reference)[k]:.10g}",
                    f"{error[k]:.1e}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) for cell, width in zip(row, widths, strict=True)
            )
            for row in rows
        ]
        if len(order) > MOST_ROWS:
            lines.append(f"and {len(order) - MOST_ROWS} more with smaller differences")
        return "\n".join(lines)


def check_gradient(
    f: Callable[..., Any],
    x: Any,
    *,
    gradient: Callable[..., Any] | None = None,
    method: str = OF_MANY,
    reference: str = "chebyshev",
    rtol: float = 1e-6,
    atol: float | None = None,
    name: str = "",
) -> Check:
    """Compare a derivative with one by differences; raise if they disagree.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, of any shapes.
    x : float or array_like
        The point.  A point with nothing special about it finds the most mistakes:
        no zeros, no ones, no equal items.
    gradient : callable, optional
        A derivative written by hand: ``gradient(x)``, of shape
        ``f(x).shape + x.shape``.
    method : str
        The method whose derivative is checked where none is given.
    reference : str
        The method to compare with, best one that only evaluates `f`.
    rtol : float
        How far apart they may be, in parts of the largest derivative of the same item
        of ``f(x)``.
    atol : float, optional
        How far apart they may be besides; by default what differences can tell, 1e-8
        of the size of f near x by that of x.
    name : str
        What the message calls the function.

    Returns
    -------
    Check
        The two side by side; printed, a table.

    Raises
    ------
    WrongDerivativeError
        If they differ, with the table.
    ShapeError
        If the derivative has another shape.

    References
    ----------
    :cite:t:`griewank2008`.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> f = lambda x: x[0] ** 2 * x[1]
    >>> x = np.array([0.5, 3.25])
    >>> print(dm.check_gradient(f, x).wrong)
    [False False]
    >>> dm.check_gradient(f, x, gradient=lambda x: np.array([x[0] * x[1], x[0] ** 2]))
    Traceback (most recent call last):
    diffmethods.errors.WrongDerivativeError: the derivative of <lambda> by hand ...
    item  derivative  reference  difference
       0       1.625       3.25     1.6e+00
       1        0.25       0.25     0.0e+00
    """
    refuse_mask("x", x)
    x = np.asarray(x, float)[()]
    name = name or getattr(f, "__name__", "f")
    true = np.asarray(jacobian(f, method=reference)(x))
    if gradient is None:
        by, found = method, np.asarray(jacobian(f, method=method)(x))
    else:
        by, found = "hand", np.asarray(gradient(x), float)
    if found.shape != true.shape:
        raise ShapeError(
            f"the derivative of {name} by {by} has shape {found.shape}, and should "
            f"have {true.shape}, that of f(x) and then that of x"
        )
    allowed = (noise(f, x, true) if atol is None else atol) + rtol * largest(true, x)
    check = Check(found, true, np.broadcast_to(allowed, true.shape))
    if np.any(check.wrong):
        count = int(np.sum(check.wrong))
        raise WrongDerivativeError(
            f"the derivative of {name} by {by} differs from that by {reference} in "
            f"{count} of {check.wrong.size} items:\n{check}"
        )
    return check


def largest(true: Any, x: Any) -> Any:
    """The largest derivative of each item of f(x)."""
    axes = tuple(range(true.ndim - np.ndim(x), true.ndim))
    return np.max(np.absolute(true), axis=axes, keepdims=True, initial=0.0)


def noise(f: Callable[..., Any], x: Any, true: Any) -> Any:
    """How well differences can tell a derivative that is small or 0.

    Where f is 0, too, its scale shows nearby.
    """
    size = np.max(np.absolute(x), initial=0.0) or 1.0
    scale = np.absolute(outcome(f(x)))
    try:
        with np.errstate(all="ignore"):
            nearby = np.absolute(outcome(f(x + size / 8)))
        scale = np.where(np.isfinite(nearby), np.maximum(scale, nearby), scale)
    except Exception:  # outside the domain of f; then f(x) has to do
        pass
    own = np.reshape(1e-8 * scale / size, np.shape(scale) + (1,) * np.ndim(x))
    return own + 1e-12 * np.max(np.absolute(true), initial=0.0)
