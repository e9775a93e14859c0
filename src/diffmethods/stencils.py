"""Stencils: where a finite difference evaluates f, with which weights, how far apart.

The weights are exact fractions.  The step balances the two errors of a difference, as
the page "Finite differences" of the documentation derives.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Rational
from typing import Any, Self

import numpy as np

from diffmethods.errors import OptionError
from diffmethods.traced import Traced

EPS = float(np.finfo(float).eps)
LARGEST_NOISE = 0.1  # of f(x); beyond it no digit of the derivative is left


def weights(
    nodes: Iterable[float | Rational], order: int, at: float = 0
) -> list[Fraction]:
    """Weights of the values at `nodes` in the derivative at a point, exactly.

    Fornberg's recurrence [1]_ in rational arithmetic: floats are taken for the
    fractions that they are, so there is no rounding.

    Parameters
    ----------
    nodes : iterable of numbers
        Distinct points, in any order, more than `order` of them.
    order : int
        Which derivative; 0 interpolates.
    at : number
        The point of the derivative.

    Returns
    -------
    list of Fraction
        One weight a node: the derivative of every polynomial of a degree below
        ``len(nodes)`` is their sum of products with its values.

    Raises
    ------
    OptionError
        If the nodes are not distinct, or too few.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced
       grids", Mathematics of Computation 51 (1988), 699-706.

    Examples
    --------
    >>> from diffmethods.stencils import weights
    >>> print(*weights([-2, -1, 0, 1, 2], order=1))
    1/12 -2/3 0 2/3 -1/12
    """
    distances = [Fraction(node) - Fraction(at) for node in nodes]
    if len(set(distances)) != len(distances):
        raise OptionError("two nodes of a stencil are the same; give distinct nodes")
    if not 0 <= order < len(distances):
        raise OptionError(
            f"a derivative of order {order} needs at least {order + 1} nodes, "
            f"not {len(distances)}"
        )
    table = [[Fraction(1)]] + [[Fraction(0)] for _ in range(order)]  # by order, by node
    last_spread = Fraction(1)
    for n, new in enumerate(distances[1:], start=1):
        spread = math.prod((new - old for old in distances[:n]), start=Fraction(1))
        for m in range(order, -1, -1):
            row, lower = table[m], table[m - 1] if m else [Fraction(0)] * n
            ratio = last_spread / spread
            fresh = ratio * (m * lower[-1] - distances[n - 1] * row[-1])
            row[:] = [
                (new * weight - m * below) / (new - old)
                for weight, below, old in zip(row, lower, distances, strict=False)
            ]
            row.append(fresh)
        last_spread = spread
    return table[order]


@dataclass(frozen=True)
class Stencil:
    """A difference formula: the weighted sum of values at x + k h, over h**order.

    Attributes
    ----------
    offsets
        The whole numbers k with a weight that is not 0.
    weights
        Their weights.
    order
        Which derivative it approximates.
    accuracy
        The power of h that its error falls with.
    """

    offsets: tuple[int, ...]
    weights: tuple[Fraction, ...]
    order: int
    accuracy: int

    @classmethod
    def on(cls, offsets: Sequence[int], order: int, accuracy: int) -> Self:
        """The stencil on given offsets; those of weight 0 are left out."""
        pairs = zip(offsets, weights(offsets, order), strict=True)
        kept = [(k, weight) for k, weight in pairs if weight]
        return cls(
            tuple(k for k, _ in kept), tuple(w for _, w in kept), order, accuracy
        )

    @property
    def reach(self) -> int:
        """The farthest offset."""
        return max(map(abs, self.offsets))

    @cached_property
    def floats(self) -> tuple[float, ...]:
        """The weights, rounded."""
        return tuple(map(float, self.weights))

    @cached_property
    def amplification(self) -> float:
        """How much of the values' rounding enters: the sum of the weights' sizes."""
        return float(sum(map(abs, self.weights)))

    @cached_property
    def remainder(self) -> float:
        """The weighted sum of the first power of k that the formula gets wrong."""
        power = self.order + self.accuracy
        return float(
            abs(
                sum(
                    w * k**power
                    for k, w in zip(self.offsets, self.weights, strict=True)
                )
            )
        )

    def truncation(self, step: float) -> float:
        """The error of the formula for the model function 1 / (1 - t)."""
        return self.remainder * step**self.accuracy

    def rounding(self, step: float, eps: float = EPS) -> float:
        """The error that values of size 1, each wrong by `eps`, can cause."""
        return self.amplification * eps / step**self.order

    def best_step(self, eps: float = EPS) -> float:
        """The power of two nearest to the step of least truncation plus rounding."""
        ratio = self.order / self.accuracy * self.amplification / self.remainder
        step = (ratio * eps) ** (1 / (self.order + self.accuracy))
        return 2.0 ** round(math.log2(step))

    def chosen_steps(self, x: Any, eps: float = EPS) -> Any:
        """A step for every item of x: the best for its scale, a power of two.

        Raises
        ------
        OptionError
            If rounding would leave no digit at the best step.
        """
        step = self.best_step(eps)
        if (noise := self.rounding(step, eps)) > LARGEST_NOISE:
            raise OptionError(
                f"differences of accuracy {self.accuracy} leave no digit of the "
                f"derivative of order {self.order}: rounding alone is {noise:.1g} "
                "times f(x); use an exact method such as dual_numbers, raise "
                "accuracy=, or give step= if f varies slowly"
            )
        return step * scale(x)

    def given_steps(self, step: Any, x: Any) -> Any:
        """The user's step for every item of x, as it is, once it has been checked.

        Raises
        ------
        OptionError
            If it is not positive and finite, does not fit the shape of x, is lost in
            rounding, or leads past the largest number.
        """
        steps = checked_step(step, np.shape(x))[()]
        point = primal(x)
        if point is not None:
            self._check_size(step, steps, point)
        return steps

    def _check_size(self, step: Any, steps: Any, point: Any) -> None:
        finite = np.isfinite(point)
        lost = finite & ((point + steps == point) | (point - steps == point))
        beyond = finite & ~np.isfinite(np.absolute(point) + self.reach * steps)
        if np.any(lost):
            raise OptionError(
                f"step={step!r} is too small: x + step rounds to x; numbers there lie "
                f"{np.max(np.spacing(np.absolute(point))):.1e} apart: give a larger one"
            )
        if np.any(beyond):
            raise OptionError(
                f"step={step!r} is too large: x + {self.reach} * step is not finite; "
                "give a smaller step"
            )


def checked_step(step: Any, shape: tuple[int, ...], name: str = "step") -> Any:
    """A step for each item of x, positive and finite."""
    try:
        steps = np.broadcast_to(np.asarray(step, float), shape)
    except (TypeError, ValueError):
        raise OptionError(
            f"{name} must be a number, or an array that broadcasts to the shape "
            f"{shape} of x, not {step!r}"
        ) from None
    if not np.all(np.isfinite(steps) & (steps > 0)):
        raise OptionError(
            f"{name} must be positive and finite, not {step!r}; leave it away to have "
            "it chosen"
        )
    return steps


def scale(x: Any) -> Any:
    """The distance over which f is taken to vary: max(abs(x), 1), as a power of two.

    A function such as log or a power varies over distances of the size of x itself, one
    such as sin over distances of 1, and near 0 the size of x says nothing.  With a
    power of two as the step, ``x + h`` is exact unless it passes the next power of two.
    """
    point = primal(x)
    if point is None:
        return np.ones(np.shape(x))[()]
    size = np.maximum(np.absolute(point), 1.0)
    power = np.exp2(np.floor(np.log2(size)))
    return np.where(power < np.inf, power, 1.0)[()]


def primal(x: Any) -> Any:
    """The plain numbers inside stand-ins; None for symbols and a compiler's tracers."""
    while isinstance(x, Traced):
        x = x.value
    if isinstance(x, (np.ndarray, np.generic)):
        return None if x.dtype == object else x
    return x if isinstance(x, (int, float, complex)) else None
