"""Dual numbers along many directions at once: a Jacobian in one evaluation of f.

The tangent of a `DualBatch` has one axis more than its value, the first, which counts
the directions.  A step along each coordinate is a diagonal matrix, and stays a vector
for as long as all calls are elementwise.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.traced import LEVELS, Traced, leaves, outcome, rebuilt

Function = Callable[..., Any]

AT_ONCE = 2**22  # numbers in the tangent of the argument
FLOAT = np.dtype(float)
BASIC = (int, slice, type(None), type(Ellipsis))


class Diagonal:
    """The tangent whose k-th direction changes only item k, by ``slopes[k]``."""

    def __init__(self, slopes: Any, shape: tuple[int, ...]):
        self.slopes = slopes
        self.shape = shape

    def dense(self) -> Any:
        matrix = np.diag(np.broadcast_to(self.slopes, self.shape).ravel())
        return matrix.reshape((-1, *self.shape))


class DualBatch(Traced):
    """value + tangent[k] * eps, for every k."""

    __slots__ = ("count", "level", "tangent", "value")
    method = "dual_numbers"

    def __init__(self, value: Any, tangent: Any, count: int, level: int):
        self.value = value
        self.tangent = tangent
        self.count = count
        self.level = level

    @property
    def rows(self) -> Any:
        """The tangent as an array."""
        t = self.tangent
        return t.dense() if type(t) is Diagonal else t

    def _new(self, value: Any, tangent: Any) -> "DualBatch":
        return DualBatch(value, tangent, self.count, self.level)

    def _mine(self, x: Any) -> bool:
        return type(x) is DualBatch and x.level == self.level

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        """Take the short way where all else are numbers and arrays."""
        if how == "__call__" and not kwargs:
            if ufunc in rules.PARTIALS and len(args) == 1:
                x, t = self.value, self.tangent
                y = ufunc(x)
                if y.dtype is not FLOAT or type(t) is Diagonal:
                    return self._elementwise(ufunc, args)
                return self._new(y, t * rules.PARTIALS[ufunc][0](y, x))
            if ufunc is np.matmul and self.value.ndim == 1:
                a, b = args
                if is_matrix(a):
                    return self._new(a @ self.value, times(a, self.tangent))
                if is_matrix(b):
                    return self._new(self.value @ b, times(b.T, self.tangent))
        return super().__array_ufunc__(ufunc, how, *args, **kwargs)

    def apply(self, function: Function, args: Any, kwargs: dict[str, Any]) -> Any:
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        if function not in rules.PUSHFORWARDS and function in rules.CONSTANT:
            named = {key: self._values(item) for key, item in kwargs.items()}
            return function(*self._values(args), **named)
        if rules.partials(function) and not kwargs:
            return self._elementwise(function, args)
        if function in (np.stack, np.concatenate) and len(args) == 1 and not kwargs:
            return self._new(
                function(self._values(args[0])),
                function([self._rows_of(x) for x in args[0]], axis=1),
            )
        if function in MOVES and self._mine(args[0]):
            rows = MOVES[function](args[0], *args[1:], **kwargs)
            if rows is not None:
                return self._new(function(args[0].value, *args[1:], **kwargs), rows)
        return self._one_by_one(function, args, kwargs)

    def _elementwise(self, function: Function, args: Any) -> Any:
        xs = tuple(x.value if self._mine(x) else x for x in args)
        y = function(*xs)
        shape = np.shape(y)
        total: Any = None
        for partial, x in zip(rules.partials(function, y) or (), args, strict=True):
            if self._mine(x):
                term = scaled(partial(y, *xs), x, shape)
                total = term if total is None else added(total, term)
        if type(total) is not Diagonal and np.shape(total) != (self.count, *shape):
            total = np.broadcast_to(total, (self.count, *shape))
        return self._new(y, total)

    def _values(self, tree: Any) -> Any:
        if self._mine(tree):
            return tree.value
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(self._values, tree))
        return tree

    def _rows_of(self, x: Any) -> Any:
        return x.rows if self._mine(x) else np.zeros((self.count, *np.shape(x)))

    def _one_by_one(self, function: Function, args: Any, kwargs: Any) -> Any:
        """Any other function: dual numbers along one direction after the other."""
        from diffmethods.methods import dual_numbers  # which builds on this module

        level = next(LEVELS)
        rows: dict[int, Any] = {}

        def along(k: int, tree: Any) -> Any:
            if self._mine(tree):
                if id(tree) not in rows:
                    rows[id(tree)] = tree.rows
                return dual_numbers.Dual(tree.value, rows[id(tree)][k], level)
            if isinstance(tree, (tuple, list)):
                return rebuilt(tree, [along(k, branch) for branch in tree])
            return tree

        results = []
        for k in range(self.count):
            moved = along(k, args), {key: along(k, x) for key, x in kwargs.items()}
            dual = next(x for x in leaves(moved) if x.level == level)
            result = dual.apply(function, *moved)
            if result is NotImplemented:
                return result
            results.append(result)
        return self._gathered(results, level)

    def _gathered(self, results: list[Any], level: int) -> Any:
        first = results[0]
        if isinstance(first, (tuple, list)):
            several = zip(*results, strict=True)
            return rebuilt(first, [self._gathered(list(r), level) for r in several])
        if not all(isinstance(r, Traced) and r.level == level for r in results):
            raise TypeError("a rule gave no dual number")
        return self._new(first.value, np.stack([r.tangent for r in results]))


def is_matrix(a: Any) -> bool:
    return type(a) is np.ndarray and a.ndim == 2 and a.dtype != object


def times(a: Any, tangent: Any) -> Any:
    """The tangent of the product of a constant matrix and a vector."""
    if type(tangent) is not Diagonal:
        return tangent @ a.T
    slopes = tangent.slopes
    return a.T if type(slopes) is float and slopes == 1.0 else (a * slopes).T


def scaled(partial: Any, x: DualBatch, shape: tuple[int, ...]) -> Any:
    """A partial derivative times a tangent, of a result of some shape."""
    t = x.tangent
    if type(t) is Diagonal and t.shape == shape:
        return Diagonal(t.slopes * partial, shape)
    t = x.rows
    missing = len(shape) + 1 - t.ndim
    if missing:
        t = t.reshape((len(t),) + (1,) * missing + t.shape[1:])
    return t * partial


def added(a: Any, b: Any) -> Any:
    if type(a) is Diagonal and type(b) is Diagonal:
        return Diagonal(a.slopes + b.slopes, a.shape)
    return operator.add(*(t.dense() if type(t) is Diagonal else t for t in (a, b)))


# How the rows follow the commonest rearrangements; None where that takes more thought.


def getitem_rows(x: DualBatch, index: Any) -> Any:
    each = index if isinstance(index, tuple) else (index,)
    if all(isinstance(i, BASIC) for i in each):
        return x.rows[(slice(None), *each)]
    return None


def sum_rows(x: DualBatch, axis: Any = None, **kwargs: Any) -> Any:
    if kwargs or not (axis is None or isinstance(axis, int)):
        return None
    if axis is None:
        if type(x.tangent) is Diagonal:
            return np.broadcast_to(x.tangent.slopes, x.tangent.shape).ravel()
        return x.rows.reshape(x.count, -1).sum(axis=1)
    return x.rows.sum(axis=axis + 1 if axis >= 0 else axis)


def reshape_rows(x: DualBatch, shape: Any, **kwargs: Any) -> Any:
    if kwargs:
        return None
    return x.rows.reshape((x.count, *np.reshape(x.value, shape).shape))


MOVES: dict[Function, Callable[..., Any]] = {
    operator.getitem: getitem_rows,
    np.sum: sum_rows,
    np.reshape: reshape_rows,
    np.ravel: lambda x, **kwargs: reshape_rows(x, -1, **kwargs),
}


def jacobian(f: Function, x: Any) -> Any:
    """The Jacobian from all directions at once, or as many as memory may hold.

    None where that did not work out; then one direction after the other explains why.
    """
    if type(x) is not np.ndarray or not x.size:
        return None
    size, at_once = x.size, max(1, AT_ONCE // x.size)
    try:
        if at_once >= size:
            shape, rows = along(f, x, Diagonal(1.0, x.shape), size)
        else:
            shape, blocks = (), []
            for start in range(0, size, at_once):
                seed = np.eye(min(at_once, size - start), size, start)
                shape, block = along(f, x, seed.reshape((-1, *x.shape)), len(seed))
                blocks.append(block)
            rows = np.concatenate(blocks)
    except Exception:
        return None
    if type(rows) is not np.ndarray:
        return None
    if rows.base is not None:  # it may be an array of the user's, seen from the side
        rows = rows.copy()
    return rows.reshape(size, -1).T.reshape(shape + x.shape)


def along(f: Function, x: Any, seed: Any, count: int) -> tuple[tuple[int, ...], Any]:
    """The shape of f(x), and its tangents."""
    level = next(LEVELS)
    y = f(DualBatch(x, seed, count, level))
    y = y if type(y) is DualBatch else outcome(y)
    if type(y) is DualBatch and y.level == level:
        return y.value.shape, y.rows
    return np.shape(y), np.zeros((count, *np.shape(y)))
