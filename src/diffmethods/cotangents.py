"""Cotangents: one weight for all items, an array, or many sparse rows at once.

A cotangent says how much each item of a value counts.  A number stands for an array
full of it.  To pull many rows back in one sweep, an array has them as its first axis;
as long as each row has few items, `SparseRows` keeps only those.
"""

import functools
import math
from typing import Any

import numpy as np

from diffmethods.traced import Traced, parts


class SparseRows:
    """Rows of weights on the items of an array of some shape, nearly all of them 0.

    Weight ``weights[k]`` lies on item ``items[k]`` (in C order) of row ``rows[k]``;
    what lies on the same place adds up.
    """

    __slots__ = ("count", "items", "rows", "shape", "weights")
    __array_ufunc__ = None  # so that NumPy leaves operators to this class

    def __init__(
        self, rows: Any, items: Any, weights: Any, count: int, shape: tuple[int, ...]
    ):
        self.rows = rows
        self.items = items
        self.weights = weights
        self.count = count
        self.shape = shape

    @classmethod
    def unit(cls, start: int, stop: int, shape: tuple[int, ...]) -> "SparseRows":
        """One row for each item of a run of them, with weight 1 there."""
        count = stop - start
        rows, ones = diagonal(count)
        items = rows if count == math.prod(shape) else rows + start
        return cls(rows, items, ones, count, shape)

    @property
    def is_diagonal(self) -> bool:
        """Whether row k has its one weight on item k, for all k."""
        return self.rows is self.items

    def moved(self, items: Any, shape: tuple[int, ...]) -> "SparseRows":
        """The same weights on items of another array; dropped where `items` is -1."""
        rows, weights = self.rows, self.weights
        if items is not self.items and len(items) and items.min() < 0:
            kept = items >= 0
            rows, items, weights = rows[kept], items[kept], weights[kept]
        return SparseRows(rows, items, weights, self.count, shape)

    def dense(self) -> Any:
        """The array of all rows, shape ``(count, *shape)``."""
        size = math.prod(self.shape)
        total = added(self.rows * size + self.items, self.weights, self.count * size)
        return total.reshape((self.count, *self.shape))

    def _weighted(self, weights: Any) -> "SparseRows":
        return SparseRows(self.rows, self.items, weights, self.count, self.shape)

    def __mul__(self, factor: Any) -> "SparseRows":
        """Multiply each row by a number, or item by item by an array."""
        return self._weighted(self.weights * self._at_items(factor))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> "SparseRows":
        return self._weighted(self.weights / self._at_items(divisor))

    def _at_items(self, factor: Any) -> Any:
        """An array's items where the weights lie; a number is the same everywhere."""
        if not isinstance(factor, np.ndarray) or not factor.ndim:
            return factor
        if factor.shape != self.shape:
            factor = np.broadcast_to(factor, self.shape)
        factor = factor.ravel()
        return factor if self.is_diagonal else factor[self.items]

    def __matmul__(self, matrix: Any) -> Any:
        """The rows times a matrix: a choice of its rows while each has one item."""
        if self.is_diagonal:
            return self.weights[:, None] * matrix
        if len(self.rows) == self.count and (self.rows == np.arange(self.count)).all():
            return self.weights[:, None] * matrix[self.items]
        return self.dense() @ matrix

    def __neg__(self) -> "SparseRows":
        return self._weighted(-self.weights)

    def __add__(self, other: Any) -> Any:
        """Sparse as long as that is the shorter way to write it."""
        if not isinstance(other, SparseRows):
            return self.dense() + other
        written = len(self.items) + len(other.items)
        if 2 * written > self.count * math.prod(self.shape):
            return self.dense() + other.dense()
        return SparseRows(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.items, other.items]),
            np.concatenate([self.weights, other.weights]),
            self.count,
            self.shape,
        )

    __radd__ = __add__


def diagonal(count: int) -> tuple[Any, Any]:
    """The places and the weights of an identity matrix, which nothing writes into."""
    return kept_diagonal(count) if count <= 1024 else (np.arange(count), np.ones(count))


@functools.lru_cache(maxsize=8)
def kept_diagonal(count: int) -> tuple[Any, Any]:
    places, weights = np.arange(count), np.ones(count)
    places.setflags(write=False)
    weights.setflags(write=False)
    return places, weights


def whole(w: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent as an array with an item for each of a value of that shape."""
    if isinstance(w, SparseRows):
        return w.dense()
    if not shape:
        return w if hasattr(w, "dtype") else np.asarray(w)[()]
    return w if np.shape(w) else np.broadcast_to(w, shape)


def fold(w: Any, shape: tuple[int, ...], rows: int) -> Any:
    """Sum over what broadcasting had copied; the first `rows` axes hold rows."""
    extra = np.ndim(w) - rows - len(shape)
    if extra:
        w = np.sum(w, axis=tuple(range(rows, rows + extra)))
    now = np.shape(w)[rows:]
    if now != shape:
        copied = (k for k, (n, m) in enumerate(zip(now, shape, strict=True)) if n != m)
        w = np.sum(w, axis=tuple(k + rows for k in copied), keepdims=True)
    return w


def scatter(w: Any, source: Any, shape: tuple[int, ...], rows: int = 0) -> Any:
    """Add each weight to the item that it belongs to, counted from 1; 0 is nowhere.

    This is the adjoint of taking items: `w` has the shape of `source`, after one axis
    of rows if `rows` is 1.
    """
    if isinstance(w, Traced):
        return _scatter_traced(w, source, shape)
    size, source = math.prod(shape), source.ravel()
    if isinstance(w, SparseRows):
        return w.moved(source[w.items] - 1, shape)
    count = len(w) if rows else 1
    places = source + (size + 1) * np.arange(count)[:, None]
    total = added(places.ravel(), np.ravel(w), count * (size + 1))
    total = total.reshape(count, size + 1)[:, 1:]
    return total.reshape((count, *shape) if rows else shape)


def added(places: Any, weights: Any, length: int) -> Any:
    """Add each weight to the place that it belongs to."""
    total: Any = np.bincount(places, np.real(weights), length)
    if np.iscomplexobj(weights):
        total = total + 1j * np.bincount(places, np.imag(weights), length)
    return total


def _scatter_traced(w: Traced, source: Any, shape: tuple[int, ...]) -> Any:
    if w.parts is not None:  # a linear function acts on each part alone
        return w.with_parts([scatter(part, source, shape) for part in parts(w)])
    return gathered(w, source, shape)


def gathered(w: Any, source: Any, shape: tuple[int, ...]) -> Any:
    """What `scatter` does, as a sum over the places that each item is taken to.

    It only indexes and sums, so that every trace can follow it.
    """
    source, size = source.ravel(), math.prod(shape)
    order = np.argsort(source, kind="stable")
    numbers = source[order]
    starts = np.searchsorted(numbers, np.arange(size + 1))
    turn = np.arange(source.size) - starts[numbers]  # the how-manieth taking of an item
    places = np.full((size + 1, int(turn.max(initial=0)) + 1), source.size)
    places[numbers, turn] = order
    padded = np.concatenate([np.ravel(w), np.zeros(1)])
    return np.reshape(np.sum(padded[places[1:]], axis=-1), shape)


def gather(w: Any, source: Any, rows: int) -> Any:
    """Take the weights back from where `scatter` put them: its adjoint."""
    if isinstance(w, SparseRows):
        numbers, order = source.ravel(), np.arange(source.size)
        places = np.full(math.prod(w.shape) + 1, -1)
        places[numbers] = order
        places[0] = -1
        if ((places[numbers] == order) | (numbers == 0)).all():  # no item taken twice
            return w.moved(places[w.items + 1], source.shape)
        w = w.dense()
    lead = np.shape(w)[:rows]
    flat = np.reshape(w, (*lead, -1))
    padded = np.concatenate([np.zeros((*lead, 1)), flat], axis=-1)
    return padded[..., source]
