"""Rows: the program of one row of a matrix becomes the program of all of them.

A row of a Jacobian is the product of a weight and the Jacobian, and every step on the
way from the weight to the row is linear in it.  `every_row` lets the weight be all unit
vectors at once.  At first each item then lies in one row alone, and a `Diagonal` of
weights says all; where items mix, the rows become the first axis of an array.
"""

import math
import operator
import string
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from diffmethods.pullbacks import MOVES
from diffmethods.recording import Recorded, Recording
from diffmethods.steps import GUARDS, Step, each, filled, placed, spread

MOST = 8  # diagonals that are kept apart
ITEMS = 2**24  # of the largest array; with more, row by row needs less memory

LINEAR: set[Any] = {np.negative, np.positive, np.real, np.imag, np.conjugate}
RESHAPES: set[Any] = {np.reshape, np.ravel, np.squeeze, np.expand_dims}
# With the same sequence of axes these move the items of one array.
SHUFFLES: set[Any] = {*MOVES, *RESHAPES, np.transpose, np.matrix_transpose} - {
    *(np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack),
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit),
}


class RowByRow(Exception):
    """No program for all rows at once is known, or it would need much memory."""


class Diagonal(NamedTuple):
    """Weights that lie in one row each.

    Attributes
    ----------
    rows
        The row of each item; -1 for an item that is 0 in all rows.
    weights
        The weight of each item there, or one number for all.
    """

    rows: Any
    weights: Any


def every_row(
    recording: Recording, seed: Step, result: Recorded, last: bool = False
) -> Any:
    """Let the seed of a linear program be each unit vector.

    Parameters
    ----------
    seed
        The input that the result is linear in.
    last
        Whether the rows become the last axis of the result, and not the first.

    Returns
    -------
    Recorded
        The results, one for each item of the seed; None if they do not depend on it.
    """
    depends = {seed.index}
    for step in recording.steps[seed.index + 1 :]:
        if any(operand.index in depends for operand in step.operands):
            depends.add(step.index)
            if step.function in GUARDS:
                raise RowByRow
    if result.step.index not in depends:
        return None
    wanted, path = {result.step.index}, []
    for step in reversed(recording.steps[seed.index + 1 : result.step.index + 1]):
        if step.index in wanted:
            wanted.update(o.index for o in step.operands if o.index in depends)
            path.append(step)
    units = Diagonal(np.arange(seed.size).reshape(seed.shape), 1.0)
    rows = Rows(recording, seed.size, {seed: [units]})
    outside = recording.pulling
    try:
        with np.errstate(all="ignore"):
            for step in path[::-1]:
                if step.index in depends:
                    recording.pulling = step
                    rows.follow(step)
            return rows.whole(result.step, last)
    finally:
        recording.pulling = outside


class Rows:
    """What each step of a linear program is in all rows.

    Attributes
    ----------
    found
        For each step a list of diagonals, or an array whose first axis counts rows.
    """

    def __init__(self, recording: Recording, count: int, found: dict[Step, Any]):
        self.recording = recording
        self.count = count
        self.found = found

    def follow(self, step: Step) -> None:
        """Find a step's rows from those of its operands."""
        operands = [self.found.get(operand) for operand in step.operands]
        y: Any = NotImplemented
        if all(x is None or isinstance(x, list) for x in operands):
            rule = ON_DIAGONALS.get(step.function)
            y = rule(self, step) if rule else NotImplemented
        if isinstance(y, list) and (len(y) > MOST or 2 * len(y) > self.count):
            y = self.filled_in(y, step.shape)
        if y is NotImplemented and step.function is np.equal:
            y = None  # which items are 0: what uses it, looks at the items themselves
        elif y is NotImplemented:
            if step.size * self.count > ITEMS:
                raise RowByRow
            y = self.on_arrays(step)
        self.found[step] = y

    def is_ours(self, x: Any) -> bool:
        return isinstance(x, Step) and x in self.found

    def plain(self, x: Any) -> Any:
        """An argument that is the same in all rows."""
        if any(map(self.is_ours, each(x))):
            raise RowByRow
        return self.recording.restored(x)

    # From diagonals to an array

    def whole(self, step: Step, last: bool) -> Any:
        """A step's rows as an array."""
        found = self.found[step]
        if isinstance(found, list):
            return self.filled_in(found, step.shape, last)
        return np.moveaxis(found, 0, -1) if last else found

    def dense(self, step: Step, axes: int) -> Any:
        """A step's rows as an array, with as many axes beside the first."""
        y = self.found[step]
        if y is None:  # a comparison with 0
            y = np.equal(self.dense(step.args[0], len(step.shape)), step.args[1])
        elif isinstance(y, list):
            y = self.found[step] = self.filled_in(y, step.shape)
        missing = axes - len(step.shape)
        if missing <= 0:
            return y
        return np.reshape(y, (self.count, *(1,) * missing, *step.shape))

    def filled_in(
        self, diagonals: list[Diagonal], shape: tuple[int, ...], last: bool = False
    ) -> Any:
        """Put diagonals into an array of zeros."""
        size = math.prod(shape)
        if size * self.count > ITEMS:
            raise RowByRow
        pairs: list[Any] = []
        for rows, weights in diagonals:
            rows = rows.ravel()
            items = np.flatnonzero(rows >= 0)
            if len(np.shape(weights)):
                weights = chosen(flat(weights), items)
            if last:
                places = items * self.count + rows[items]
            else:
                places = rows[items] * size + items
            pairs.append((as_slice(places, self.count * size), weights, False))
        args = ((self.count * size,), None, *pairs)
        axes = (*shape, self.count) if last else (self.count, *shape)
        if all(isinstance(weights, float) for _, weights, _ in pairs) and not last:
            return placed(*args).reshape(axes)
        y = self.recording.call(placed, args, {})
        return y if y.shape == axes else np.reshape(y, axes)

    # On diagonals

    def scaled(self, step: Step) -> Any:
        """A product is one of the weights, wherever they lie."""
        ours = [k for k, x in enumerate(step.args) if self.is_ours(x)]
        if len(ours) != 1 or step.kwargs or (step.function is np.divide and ours[0]):
            return NotImplemented
        (k,) = ours
        args = [None if i == k else self.plain(x) for i, x in enumerate(step.args)]

        def product(weights: Any) -> Any:
            return step.function(*args[:k], weights, *args[k + 1 :])

        return [
            diagonal(rows, product(weights), step.shape)
            for rows, weights in self.found[step.args[k]]
        ]

    def chosen_where(self, step: Step) -> Any:
        """Chosen against 0; or 0 wherever the weight is, even times infinity."""
        condition, a, b = step.args
        x, other = (b, a) if self.is_ours(b) else (a, b)
        if isinstance(other, Step) or not np.array_equal(self.plain(other), 0.0):
            return NotImplemented
        if not self.is_ours(condition):
            place = 1 if x is a else 2

            def select(weights: Any) -> Any:
                args = [self.plain(condition), 0.0, 0.0]
                args[place] = weights
                return np.where(*args)

            return [
                diagonal(rows, select(weights), step.shape)
                for rows, weights in self.found[x]
            ]
        if x is a or condition.function is not np.equal:
            return NotImplemented
        before, after = self.found[condition.args[0]], self.found[x]
        if len(before) != 1 or len(after) != 1 or condition.args[1] != 0:
            return NotImplemented
        ((rows, w),), ((same, weights),) = before, after
        if not np.array_equal(rows, same):
            return NotImplemented
        return [diagonal(rows, np.where(np.equal(w, 0), 0.0, weights), step.shape)]

    def added(self, step: Step) -> Any:
        """Diagonals in the same rows add up; others stand side by side."""
        total: list[Diagonal] = []
        for sign, x in zip((np.add, step.function), step.args, strict=True):
            if not self.is_ours(x):
                return NotImplemented
            for rows, weights in self.found[x]:
                rows, weights = diagonal(rows, weights, step.shape)
                for k, other in enumerate(total):
                    if np.array_equal(other.rows, rows):
                        total[k] = Diagonal(rows, sign(other.weights, weights))
                        break
                else:
                    weights = weights if sign is np.add else np.negative(weights)
                    total.append(Diagonal(rows, weights))
        return total

    def moved(self, step: Step) -> Any:
        """The rows move as the items do."""
        x, *others = step.args
        if not self.is_ours(x) or any(each((others, tuple(step.kwargs.values())))):
            return NotImplemented
        args = self.plain(tuple(others))

        def move(array: Any) -> Any:
            return step.function(array, *args, **step.kwargs)

        return [
            Diagonal(
                move(rows + 1) - 1, move(weights) if np.shape(weights) else weights
            )
            for rows, weights in self.found[x]
        ]

    def put(self, step: Step) -> Any:
        """Parts that lie in rows that do not contradict each other share an array."""
        shape, whole, *pairs = step.args
        groups: list[tuple[Any, Any, list[Any]]] = []
        if whole is not None:
            if not self.is_ours(whole) or whole.shape != tuple(shape):
                return NotImplemented
            groups = [(*diagonal, []) for diagonal in self.found[whole]]
        for index, value, repeats in pairs:
            if repeats or not self.is_ours(value) or any(each(index)):
                return NotImplemented
            at = self.plain(index)
            for rows, weights in self.found[value]:
                new = np.full(shape, -1)
                new[at] = rows
                for k, (old, start, parts) in enumerate(groups):
                    if ((old == new) | (old < 0) | (new < 0)).all():
                        parts.append((at, weights, False))
                        groups[k] = (np.maximum(old, new), start, parts)
                        break
                else:
                    groups.append((new, None, [(at, weights, False)]))
        call = self.recording.call
        return [
            Diagonal(rows, call(placed, (shape, start, *parts), {}) if parts else start)
            for rows, start, parts in groups
        ]

    def spread(self, step: Step) -> Any:
        """Each weight at its place, if no two have the same one."""
        places, x, size = step.args
        if any(each(places)) or not self.is_ours(x) or len(x.shape) != 1:
            return NotImplemented
        at = self.plain(places)
        if len(np.unique(at)) < len(at):
            return NotImplemented
        found = []
        for rows, weights in self.found[x]:
            new = np.full(size, -1)
            new[at] = rows
            if np.shape(weights):
                weights = self.recording.call(spread, (at, weights, size), {})
            found.append(Diagonal(new, weights))
        return found

    def total(self, step: Step) -> Any:
        """All items of a diagonal in the order of the rows are the rows' sums."""
        if len(step.args) > 1 or step.kwargs or len(self.found[step.args[0]]) != 1:
            return NotImplemented
        ((rows, weights),) = self.found[step.args[0]]
        if not np.array_equal(rows.ravel(), np.arange(self.count)):
            return NotImplemented
        if np.shape(weights):
            return flat(weights)
        if isinstance(weights, float):
            return np.full(self.count, weights)
        return self.recording.call(filled, ((self.count,), weights), {})

    def product(self, step: Step) -> Any:
        """A diagonal matrix scales the rows of the other factor."""
        a, b = step.args
        x, other = (a, b) if self.is_ours(a) else (b, a)
        found = self.found[x]
        if self.is_ours(other) or len(found) != 1 or len(other.shape) != 2:
            return NotImplemented
        ((rows, weights),) = found
        if x.shape != (self.count,) or (rows != np.arange(self.count)).any():
            return NotImplemented
        matrix = self.plain(other) if x is a else np.transpose(self.plain(other))
        if isinstance(weights, float) and weights == 1.0:
            return matrix
        return (weights[:, None] if np.shape(weights) else weights) * matrix

    # On arrays

    def on_arrays(self, step: Step) -> Any:
        """The rows as one more axis in front."""
        function, axes = step.function, len(step.shape)
        ufunc = isinstance(function, np.ufunc) and not function.signature
        if ufunc or function is np.where or function in LINEAR:
            args = [
                self.dense(x, axes) if self.is_ours(x) else self.plain(x)
                for x in step.args
            ]
            return function(*args, **self.named(step))
        if function in ON_ARRAYS:
            return ON_ARRAYS[function](self, step)
        x, *others = step.args
        if function not in SHUFFLES or not self.is_ours(x) or any(each(others)):
            raise RowByRow
        numbers = np.arange(1, x.size + 1).reshape(x.shape)
        source = function(numbers, *self.plain(tuple(others)), **self.named(step))
        items = np.reshape(self.dense(x, 0), (self.count, -1))
        y = np.reshape(items[:, source.ravel() - 1], (self.count, *step.shape))
        return y if source.all() else np.where(source > 0, y, 0.0)

    def named(self, step: Step) -> dict[str, Any]:
        return {key: self.plain(item) for key, item in step.kwargs.items()}

    def reshaped(self, step: Step) -> Any:
        return np.reshape(self.dense(step.args[0], 0), (self.count, *step.shape))

    def transposed(self, step: Step) -> Any:
        x, *axes = step.args
        axes = axes[0] if axes else step.kwargs.get("axes")
        order = range(len(step.shape))[::-1] if axes is None else axes
        back = (0, *(1 + k % len(step.shape) for k in order))
        return np.transpose(self.dense(x, 0), back)

    def taken(self, step: Step) -> Any:
        x, index = step.args
        index = self.plain(index)
        parts = index if isinstance(index, tuple) else (index,)
        kept = (slice, type(None), type(Ellipsis))
        advanced = [k for k, part in enumerate(parts) if not isinstance(part, kept)]
        if advanced and len(parts) > 1:
            if any(np.ndim(parts[k]) for k in advanced):
                raise RowByRow  # NumPy may put the axes of such indices first
        return self.dense(x, 0)[(slice(None), *parts)]

    def summed(self, step: Step) -> Any:
        x, *axis = step.args
        named = self.named(step)
        axes = axis[0] if axis else named.pop("axis", None)
        every = range(len(x.shape)) if axes is None else np.atleast_1d(axes)
        shifted = tuple(int(k) % len(x.shape) + 1 for k in every)
        return np.sum(self.dense(x, 0), axis=shifted, **named)

    def accumulated(self, step: Step) -> Any:
        x, *axis = step.args
        named = self.named(step)
        axes = axis[0] if axis else named.pop("axis", None)
        if axes is None:
            items = np.reshape(self.dense(x, 0), (self.count, -1))
            return np.cumsum(items, axis=1)
        return np.cumsum(self.dense(x, 0), axis=axes % len(x.shape) + 1, **named)

    def multiplied(self, step: Step) -> Any:
        a, b = step.args
        if self.is_ours(a) and len(b.shape) <= 2:
            return np.matmul(self.dense(a, 0), self.plain(b))
        if self.is_ours(a) or len(a.shape) > 2:
            raise RowByRow
        left, right = self.plain(a), self.dense(b, 0)
        if len(b.shape) == 1:
            return right @ (np.transpose(left) if len(a.shape) == 2 else left)
        return np.matmul(left, right)

    def solved(self, step: Step) -> Any:
        a, b = step.args
        if self.is_ours(a) or len(a.shape) != 2:
            raise RowByRow
        right, matrix = self.dense(b, 0), self.plain(a)
        if len(b.shape) == 1:
            return np.transpose(np.linalg.solve(matrix, np.transpose(right)))
        return np.linalg.solve(matrix, right)

    def joined(self, step: Step) -> Any:
        """Pieces along an axis, or along a new one."""
        named = self.named(step)
        axis = step.args[1] if len(step.args) > 1 else named.get("axis", 0)
        if axis is None:
            raise RowByRow
        pieces = [
            self.dense(x, 0)
            if self.is_ours(x)
            else np.broadcast_to(self.plain(x), (self.count, *np.shape(x)))
            for x in step.args[0]
        ]
        return step.function(pieces, axis=axis % len(step.shape) + 1)

    def put_in(self, step: Step) -> Any:
        shape, whole, *pairs = step.args
        start = self.dense(whole, len(shape)) if self.is_ours(whole) else whole
        new = []
        for index, value, repeats in pairs:
            at = self.plain(index)
            parts = at if isinstance(at, tuple) else (at,)
            if len(parts) > 1 and any(np.ndim(p) for p in parts if not is_slice(p)):
                raise RowByRow
            axes = np.ndim(np.broadcast_to(0, shape)[self.recording.held(index)])
            item = self.dense(value, axes) if self.is_ours(value) else value
            new.append(((slice(None), *parts), item, repeats))
        args = ((self.count, *shape), start, *new)
        return self.recording.call(placed, args, {})

    def spread_on_arrays(self, step: Step) -> Any:
        places, x, size = step.args
        if any(each(places)) or not self.is_ours(x):
            raise RowByRow
        at = self.plain(places) + size * np.arange(self.count)[:, None]
        args = (at.ravel(), np.ravel(self.dense(x, 0)), size * self.count)
        return np.reshape(self.recording.call(spread, args, {}), (self.count, size))

    def summed_products(self, step: Step) -> Any:
        """One more index counts the rows."""
        formula, *operands = step.args
        inputs, arrow, result = formula.replace(" ", "").partition("->")
        if not arrow or "." in formula or sum(map(self.is_ours, operands)) != 1:
            raise RowByRow
        row = next(c for c in string.ascii_letters if c not in formula)
        terms = [
            (row + term, self.dense(x, 0)) if self.is_ours(x) else (term, self.plain(x))
            for term, x in zip(inputs.split(","), operands, strict=True)
        ]
        formula = ",".join(term for term, _ in terms) + "->" + row + result
        return np.einsum(formula, *(x for _, x in terms), **self.named(step))

    def spread_out(self, step: Step) -> Any:
        """A number for all items, or an array with more axes."""
        (x,) = step.operands
        y = self.dense(x, len(step.shape))
        return np.broadcast_to(y, (self.count, *step.shape))


def diagonal(rows: Any, weights: Any, shape: tuple[int, ...]) -> Diagonal:
    """One of an array of a shape, to which its items are broadcast."""
    rows = np.broadcast_to(rows, shape)
    if np.shape(weights) not in ((), shape):
        weights = np.broadcast_to(weights, shape)
    return Diagonal(rows, weights)


def flat(x: Any) -> Any:
    return x if len(np.shape(x)) == 1 else np.reshape(x, -1)


def is_slice(part: Any) -> bool:
    return isinstance(part, slice)


def as_slice(places: Any, size: int) -> Any:
    """An index that takes numbered places, without the numbers if they are regular."""
    if len(places) == 1:
        return slice(int(places[0]), int(places[0]) + 1)
    if len(places) == 0:
        return slice(0, 0)
    steps = np.diff(places)
    step = int(steps[0])
    if step <= 0 or (steps != step).any():
        return places
    start, stop = int(places[0]), int(places[-1]) + 1
    if stop + step > size:  # there is no further place
        stop = None  # type: ignore[assignment]
    return slice(start or None, stop, step if step > 1 else None)


def chosen(weights: Any, items: Any) -> Any:
    size = np.shape(weights)[0]
    return weights if len(items) == size else weights[as_slice(items, size)]


ON_DIAGONALS: dict[Callable[..., Any], Callable[[Rows, Step], Any]] = {
    **dict.fromkeys((np.multiply, np.divide, *LINEAR), Rows.scaled),
    **dict.fromkeys((np.add, np.subtract), Rows.added),
    **dict.fromkeys((*SHUFFLES, np.broadcast_to), Rows.moved),
    np.where: Rows.chosen_where,
    np.sum: Rows.total,
    np.matmul: Rows.product,
    placed: Rows.put,
    spread: Rows.spread,
}
ON_ARRAYS: dict[Callable[..., Any], Callable[[Rows, Step], Any]] = {
    **dict.fromkeys(RESHAPES, Rows.reshaped),
    **dict.fromkeys((np.transpose, np.matrix_transpose), Rows.transposed),
    **dict.fromkeys((np.concatenate, np.stack), Rows.joined),
    **dict.fromkeys((np.broadcast_to, filled), Rows.spread_out),
    operator.getitem: Rows.taken,
    np.sum: Rows.summed,
    np.cumsum: Rows.accumulated,
    np.matmul: Rows.multiplied,
    np.linalg.solve: Rows.solved,
    np.einsum: Rows.summed_products,
    placed: Rows.put_in,
    spread: Rows.spread_on_arrays,
}
