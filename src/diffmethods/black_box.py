"""Black boxes: f is known by its values alone, at many nodes a call where it can."""

import enum
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffmethods.differences import axes, stacked, time_step
from diffmethods.errors import (
    InputError,
    NotDifferentiableError,
    OptionError,
    ShapeError,
)
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.stencils import EPS, checked_step, primal
from diffmethods.traced import Traced, outcome

Function = Callable[..., Any]

EVERYWHERE = (-np.inf, np.inf)
ALONE = 2  # nodes that f sees one by one, when it is shown the others in one call
NEAR_ZERO = 0.015  # below, the size of x says nothing about the scale of f

MAX_EVALUATIONS = 100
USUAL_STEP = "a number or an array of the shape of x; left away, it follows from x"
RTOL_OPTION = {
    "rtol": (
        "largest estimated error to accept, in parts of the derivative or of its usual "
        "size; 1e-4 by default"
    )
}
OPTIONS = {
    "bounds": (
        "a pair (low, high), numbers or arrays of the shape of x; f is evaluated "
        "between them only"
    ),
    "max_evaluations": (
        f"of f for each item of x and each direction; {MAX_EVALUATIONS} by default"
    ),
    **RTOL_OPTION,
}


class Status(enum.IntEnum):
    """Why a search for the best step ended; from 0 the derivative is good."""

    CONVERGED = 0
    ROUGH = -1
    OUT_OF_EVALUATIONS = -2
    NOT_FINITE = -3
    NOISY = -4


REASONS = {
    Status.ROUGH: (
        "f has a kink near x or varies too fast (a shorter step= or more "
        "max_evaluations= may help)"
    ),
    Status.OUT_OF_EVALUATIONS: "more evaluations are needed; raise max_evaluations=",
    Status.NOT_FINITE: (
        "f is not finite close to x; if x is at the end of the domain of f, say where "
        "f may be evaluated by bounds="
    ),
    Status.NOISY: "the noise of f leaves no more digits",
}


@dataclass(frozen=True)
class Result:
    """A derivative and how it was found, in the manner of SciPy's result objects.

    Attributes
    ----------
    df
        The derivative: a number, or an array of the shape of f(x).
    error
        Estimate of its absolute error.
    success
        Whether the error is small enough to rely on the derivative.
    status
        0 where the derivative is good, negative where it is not, as `Status` says.
    nfev
        How many times f was evaluated for each item of x.
    nit
        How many rounds of evaluations there were.
    noise
        Estimate of the noise of f, absolute; 0 if it is no larger than rounding.
    x
        The point.
    """

    df: Any
    error: Any
    success: Any
    status: Any
    nfev: Any
    nit: int
    noise: Any
    x: Any


class Sampler:
    """Evaluates f at several nodes around each item of x.

    The nodes come in pairs, those farthest apart first.  The first of two ways that
    works is kept: in few calls, for the rows of x (its items along the first axis) that
    are asked for; and node by node, for all rows, as f may hold arrays of their shape.

    In few calls, the first pair is evaluated alone and the others together.  So a
    function that mixes what it gets in one call, by a mean or a condition on all of it,
    gives values that do not fit together; `confirms` finds out whether it does.

    Attributes
    ----------
    eps
        How finely f resolves; float32 inside f shows.
    traced
        Whether values of f are stand-ins of another method; the plain values inside
        them are returned.
    shape
        The shape of f(x), known after the first call.
    """

    def __init__(self, f: Function, x: Any):
        self.f, self.x = f, x
        self.table = np.reshape(x, (-1, *np.shape(x)[1:])) if np.ndim(x) else x[None]
        self.ways = [self._together, self._singly]
        self.eps, self.traced = EPS, False
        self.shape = np.shape(x)

    def __call__(self, nodes: Any, rows: Any) -> Any:
        """Values at nodes of shape (number of nodes, number of rows, ...)."""
        if len(self.ways) > 1:
            try:
                y = self.ways[0](nodes, rows)
                if np.shape(y) == nodes.shape:
                    return y
            except Exception:  # f wants numbers, or arrays of the shape of x
                pass
            self.ways.pop(0)
        return self.ways[0](nodes, rows)

    @property
    def together(self) -> bool:
        """Whether f is evaluated at several nodes in one call."""
        return self.ways[0] == self._together

    def confirms(self, nodes: Any, rows: Any, y: Any) -> bool:
        """Whether the second pair has the same values alone as with the others.

        If not, f is evaluated node by node from now on.
        """
        pair, finest = slice(ALONE, 2 * ALONE), 16 * self.eps
        try:
            alone = self._each(nodes[pair], rows)
        except Exception:  # f wants arrays of the shape of x
            alone = self._singly(nodes[pair], rows)
        size = np.max(np.abs(y), where=np.isfinite(y), initial=0.0)
        if np.allclose(alone, y[pair], finest, finest * size, equal_nan=True):
            return True
        self.ways.pop(0)
        return False

    def _together(self, nodes: Any, rows: Any) -> Any:
        others = self.value(nodes[ALONE:])
        if others.shape != nodes[ALONE:].shape:
            return None
        return np.concatenate([self._each(nodes[:ALONE], rows), others])

    def _each(self, nodes: Any, rows: Any) -> Any:
        """Node by node, for those rows."""
        if not np.ndim(self.x):
            return np.stack([self.value(node) for node in nodes[:, 0]])[:, None]
        return np.stack([self.value(node) for node in nodes])

    def _singly(self, nodes: Any, rows: Any) -> Any:
        """Node by node, for all rows."""
        if not np.ndim(self.x):
            points = list(nodes[:, 0])
            if np.iscomplexobj(nodes):
                points = nodes[:, 0].tolist()  # math.sin refuses these, not NumPy's
            y = np.stack([self.value(point) for point in points])
            self.shape = y.shape[1:]
            return y
        values = []
        for node in nodes:
            point = self.table.copy()
            point[rows] = node
            y = self.value(point)
            if np.shape(y) != point.shape:
                raise ShapeError(
                    f"derivative works elementwise, and f of an array of shape "
                    f"{point.shape} gave shape {np.shape(y)}; for a function of "
                    "several variables use gradient or jacobian"
                )
            values.append(y[rows])
        return np.stack(values)

    def value(self, point: Any) -> Any:
        """One call of f, in float64, never in a buffer that f may reuse."""
        y = outcome(self.f(point))
        if isinstance(y, Traced):
            self.traced = True
            y = plain(y)
        y = np.array(y)
        if y.dtype.kind in "fc":
            self.eps = max(self.eps, float(np.finfo(y.dtype).eps))
        return y.astype(complex if y.dtype.kind == "c" else float, copy=False)


class OneByOne(Sampler):
    """Evaluates f at one node a call, for the rows that are asked for if it can."""

    def __init__(self, f: Function, x: Any):
        super().__init__(f, x)
        self.ways = [self._each, self._singly] if np.ndim(x) else [self._singly]


class Along(Sampler):
    """Evaluates t -> f(x + t v), whatever the shapes, one node a call."""

    def __init__(self, f: Function, x: Any, v: Any):
        super().__init__(lambda t: f(x + t * v), np.float64(0.0))
        self.ways = [self._singly]


def plain(x: Any) -> Any:
    """The numbers inside stand-ins of other methods.

    Raises
    ------
    InputError
        If there are none yet, as inside ``jax.jit``, or they are formulas.
    """
    numbers = primal(x)
    if numbers is None:
        raise InputError(
            "this method looks at values of f to choose its step, and there are none "
            "inside a compiled or symbolic derivative; use dual_numbers there, or nest "
            "the two the other way round"
        )
    return numbers


def power_of_two(h: Any) -> Any:
    """The largest power of two that is not above h, exactly; 0 for 0."""
    mantissa, exponent = np.frexp(h)
    return np.ldexp(np.where(mantissa == 0, 0.0, 0.5), exponent)


def room(x: Any, bounds: Any) -> tuple[Any, Any]:
    """How far f may be evaluated below and above x.

    Raises
    ------
    OptionError
        If the bounds are no pair of numbers, or x is not between them.
    """
    try:
        low, high = (np.broadcast_to(np.asarray(b, float), np.shape(x)) for b in bounds)
    except (TypeError, ValueError):
        raise OptionError(
            "bounds must be a pair (low, high) of numbers, or of arrays that broadcast "
            f"to the shape {np.shape(x)} of x, not {bounds!r}"
        ) from None
    if np.any((x < low) | (x > high) | ~(low < high)):
        raise OptionError(
            f"x must lie within bounds={bounds!r}, and the lower must be below the "
            "upper bound"
        )
    return x - low, high - x


def room_along(x: Any, v: Any, bounds: Any) -> tuple[Any, Any]:
    """How far t may go below and above 0 for x + t v to stay within bounds."""
    below, above = (np.ravel(part) for part in room(x, bounds))
    v = np.ravel(v)
    down, up = np.where(v > 0, below, above), np.where(v > 0, above, below)
    speed = np.abs(v)
    times = (
        np.divide(far, speed, where=speed > 0, out=np.full(v.shape, np.inf))
        for far in (down, up)
    )
    longest = [np.min(time, initial=np.inf) for time in times]
    if not any(longest):
        raise OptionError(
            "the direction leaves the bounds either way; take one along the bounds"
        )
    return longest[0], longest[1]


def checked_count(evaluations: Any, least: int) -> int:
    """The budget, if it allows one round of evaluations."""
    if not isinstance(evaluations, (int, np.integer)) or evaluations < least:
        raise OptionError(
            f"max_evaluations must be a whole number from {least} for this order, not "
            f"{evaluations!r}"
        )
    return int(evaluations)


def first_steps(x: Any, part: float, step: Any = None, name: str = "step") -> Any:
    """The given step for each item of x, or a part of its size."""
    if step is not None:
        return checked_step(step, np.shape(x), name)
    size = np.abs(x)
    return np.where(size > NEAR_ZERO, size, 1.0)[()] * part


def first_time(x: Any, v: Any, part: float, *given: Any) -> tuple[Any, Any]:
    """The t for which the first item of t v has the length of its step.

    The second is the t for which no item of x moves farther than to the next number.
    """
    moving = np.ravel(v) != 0
    if not moving.any():
        return np.float64(1.0), np.float64(0.0)
    speed = np.abs(np.ravel(v)[moving])
    steps = np.broadcast_to(first_steps(x, part, *given), np.shape(x))
    shortest = np.min(np.ravel(steps)[moving] / speed)
    return shortest, np.max(np.spacing(np.abs(np.ravel(x)[moving])) / speed)


def elementwise_result(result: Result, f: Function) -> Result:
    """The result, if f is elementwise where x is an array."""
    if np.ndim(result.x):
        check_elementwise(f, result.x, result.df)
    return result


def reliable(result: Result, f: Function) -> Any:
    """The derivative, if it is good; NaN where f itself is not finite.

    Raises
    ------
    NotDifferentiableError
        If the error estimate is too large, with what is known.
    """
    failed = np.ravel(~np.asarray(result.success))
    if not failed.any():
        return result.df
    undefined = result.status == Status.NOT_FINITE
    if undefined.any():
        with np.errstate(all="ignore"):
            y = np.asarray(outcome(f(result.x)))
        if y.shape == np.shape(undefined):
            undefined = undefined & ~np.isfinite(y)
        if np.array_equal(np.ravel(undefined), failed) and y.shape == undefined.shape:
            return np.where(undefined, np.nan, result.df)[()]
    item = int(np.argmax(failed & ~np.ravel(undefined)))
    df, error = np.ravel(result.df)[item], np.ravel(result.error)[item]
    same = np.shape(result.x) == np.shape(result.df)
    point = np.ravel(result.x)[item] if same else result.x
    raise NotDifferentiableError(
        f"no reliable derivative at x = {point}: {df:.6g} with an estimated error of "
        f"{error:.1g}, because {REASONS[Status(np.ravel(result.status)[item])]}; "
        "rtol= sets the error to accept"
    )


def second_derivatives(along: Function) -> tuple[Function, Function]:
    """Hessian and Hessian-vector product out of second derivatives along directions.

    Parameters
    ----------
    along : callable
        ``along(f, x, v, order, **options)``, the derivative of t -> f(x + t v) at 0.

    Returns
    -------
    tuple of callable
        ``hessian(f, x, **options)`` and ``hvp(f, x, v, **options)``.
    """

    def hessian(f: Function, x: Any, **options: Any) -> Any:
        steps, moves = balanced_axes(x)
        second = [scalar(along(f, x, move, 2, **options)) for move in moves]
        rows = {
            (i, i): s / h / h
            for i, (s, h) in enumerate(zip(second, steps, strict=True))
        }
        for i, j in itertools.combinations(range(len(moves)), 2):
            both = along(f, x, moves[i] + moves[j], 2, **options)
            mixed = (both - second[i] - second[j]) / 2 / steps[i] / steps[j]
            rows[i, j] = rows[j, i] = mixed
        return stacked([rows[key] for key in sorted(rows)], np.shape(x) * 2)

    def hvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
        steps, moves = balanced_axes(x)
        with np.errstate(all="ignore"):
            t = time_step(v, np.reshape(steps, np.shape(x)))
        alone = scalar(along(f, x, t * v, 2, **options))
        products = []
        for h, move in zip(steps, moves, strict=True):
            both = along(f, x, move + t * v, 2, **options)
            mixed = both - along(f, x, move, 2, **options) - alone
            products.append(mixed / 2 / h / t)
        return stacked(products, np.shape(x))

    return hessian, hvp


def balanced_axes(x: Any) -> tuple[list[Any], list[Any]]:
    """The lengths of directions along the axes, in balance with x, and those."""
    sizes = np.abs(plain(x))
    moves = list(axes(power_of_two(np.where(sizes > NEAR_ZERO, sizes, 1.0))))
    return [length for _, length in moves], [move for move, _ in moves]


def scalar(second: Any) -> Any:
    """A second derivative that a Hessian is made of."""
    if np.shape(second):
        raise ShapeError(
            "a Hessian needs a function with a scalar result, and f(x) has shape "
            f"{np.shape(second)}; use jacobian twice for all second derivatives"
        )
    return second
