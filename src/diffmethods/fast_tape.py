"""A fast lane on the tape: the commonest calls on real numbers, with little ado.

Each method computes, appends an entry and returns; it leaves whatever is out of the
ordinary (broadcasting, complex numbers, stand-ins of other traces) to `Node`, whose
results are the same.
"""

import dis
import math
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.buffers import FLOAT
from diffmethods.cotangents import SparseRows, gather, scatter, whole
from diffmethods.pullbacks import PULLBACKS
from diffmethods.tape import Entry, Node, Sweep
from diffmethods.traced import Traced

NUMBERS = frozenset((float, int, np.float64))
SLICES = frozenset((int, slice, type(None), type(Ellipsis)))
PLAIN = NUMBERS | {np.ndarray}
asarray = np.asarray  # a number needs less of NumPy's time as an array of none


def looking(partial: Any) -> tuple[Any, bool, bool]:
    """A partial derivative by (y, x), and whether it looks at y and at x."""
    names = partial.__code__.co_varnames[:2]
    used = {step.argval for step in dis.get_instructions(partial)}
    return partial, names[0] in used, names[1] in used


# What a partial derivative does not look at is not kept.
UNARY = {f: looking(rule[0]) for f, rule in rules.PARTIALS.items() if len(rule) == 1}
UNARY[np.absolute] = UNARY[np.fabs]


class FastNode(Node):
    """A node that holds float64."""

    __slots__ = ()
    __hash__ = object.__hash__

    dtype = FLOAT
    shape = property(lambda self: self.value.shape)

    def _fellow(self, other: Any) -> bool:
        """Whether a call on both is this tape's alone."""
        kind = other.__class__
        if kind is np.ndarray:
            return other.dtype is FLOAT
        return other.tape is self.tape if kind is FastNode else kind in NUMBERS

    def _matches(self, other: Any) -> bool:
        """Whether a constant array has this shape, so that nothing broadcasts."""
        return (
            other.__class__ is np.ndarray
            and other.dtype is FLOAT
            and other.shape == self.value.shape
        )

    def _binary(self, ufunc: np.ufunc, a: Any, b: Any) -> Any:
        """An elementwise function of two, one of them this node."""
        if self._fellow(b if a is self else a):
            return self._chain_rule(ufunc, (a, b), {})
        return super().__array_ufunc__(ufunc, "__call__", a, b)

    def __add__(self, other: Any) -> Any:
        kind, tape = other.__class__, self.tape
        if kind is FastNode:
            a, b = self.value, other.value
            if other.tape is tape and a.shape == b.shape:
                entry = (pull_add, self.index, other.index)
                return FastNode(tape.add(a, b), tape, entry)
        elif kind in NUMBERS or self._matches(other):
            x = self.value
            if x.__class__ is np.ndarray:
                other = asarray(other, FLOAT)
            return FastNode(tape.add(x, other), tape, (pull_same, self.index))
        return self._binary(np.add, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        kind, tape = other.__class__, self.tape
        if kind is FastNode:
            a, b = self.value, other.value
            if other.tape is tape and a.shape == b.shape:
                entry = (pull_subtract, self.index, other.index)
                return FastNode(tape.sub(a, b), tape, entry)
        elif kind in NUMBERS or self._matches(other):
            x = self.value
            if x.__class__ is np.ndarray:
                other = asarray(other, FLOAT)
            return FastNode(tape.sub(x, other), tape, (pull_same, self.index))
        return self._binary(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        if other.__class__ in NUMBERS or self._matches(other):
            tape, x = self.tape, self.value
            if x.__class__ is np.ndarray:
                other = asarray(other, FLOAT)
            return FastNode(tape.sub(other, x), tape, (pull_negative, self.index))
        return self._binary(np.subtract, other, self)

    def __neg__(self) -> Any:
        y = self.tape.arithmetic.neg(self.value)
        return FastNode(y, self.tape, (pull_negative, self.index))

    def __mul__(self, other: Any) -> Any:
        kind, tape = other.__class__, self.tape
        if kind is FastNode:
            a, b = self.value, other.value
            if other.tape is tape and a.shape == b.shape:
                entry: Entry = (pull_multiply, self.index, other.index, a, b)
                if other is self:
                    entry = (pull_power, self.index, a, 2)
                return FastNode(tape.mul(a, b), tape, entry)
        elif kind in NUMBERS or self._matches(other):
            x = self.value
            if kind is np.ndarray:
                tape.watch(other)
            elif x.__class__ is np.ndarray:
                other = asarray(other, FLOAT)
            entry = (pull_scaled, self.index, other)
            return FastNode(tape.mul(x, other), tape, entry)
        return self._binary(np.multiply, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        kind, tape = other.__class__, self.tape
        if kind is FastNode:
            a, b = self.value, other.value
            if other.tape is tape and a.shape == b.shape:
                y = a / b
                tape.poles = True
                entry = (pull_divide, self.index, other.index, y, b)
                return FastNode(y, tape, entry)
        elif kind in NUMBERS and other:
            y = self.value / other
            return FastNode(y, tape, (pull_divided, self.index, other))
        return self._binary(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        if other.__class__ in NUMBERS:
            tape, x = self.tape, self.value
            y = other / x
            tape.poles = True
            return FastNode(y, tape, (pull_reciprocal, self.index, y, x))
        return self._binary(np.divide, other, self)

    def __pow__(self, exponent: Any) -> Any:
        if exponent.__class__ is int and exponent > 1:
            tape, x = self.tape, self.value
            y = tape.mul(x, x) if exponent == 2 else x**exponent
            return FastNode(y, tape, (pull_power, self.index, x, exponent))
        return self._binary(np.power, self, exponent)

    def __matmul__(self, other: Any) -> Any:
        if not self._multiplies(other):
            return super().__array_ufunc__(np.matmul, "__call__", self, other)
        tape, a = self.tape, self.value
        if other.__class__ is FastNode:
            b = other.value
            entry: Entry = (pull_matmul, self.index, other.index, a, b)
            return FastNode(a @ b, tape, entry)
        tape.watch(other)
        return FastNode(a @ other, tape, (pull_matmul, self.index, None, a, other))

    def __rmatmul__(self, other: Any) -> Any:
        if not self._multiplies(other):
            return super().__array_ufunc__(np.matmul, "__call__", other, self)
        tape, b = self.tape, self.value
        tape.watch(other)
        return FastNode(other @ b, tape, (pull_matmul, None, self.index, other, b))

    def _multiplies(self, other: Any) -> bool:
        """Whether both are vectors or matrices, of floats and of this tape."""
        if other.__class__ not in ARRAYS or not self._fellow(other):
            return False
        ranks: Any = {self.value.ndim, other.ndim}  # type: ignore[attr-defined]
        return bool(ranks <= {1, 2})

    def __getitem__(self, index: Any) -> Any:
        kind = index.__class__
        if kind in SLICES or (
            kind is tuple and all(part.__class__ in SLICES for part in index)
        ):
            x = self.value
            y = x[index]
            part = FastNode(y, self.tape, (pull_item, self.index, index, x.shape))
            if y.shape:
                self.viewed = part.viewed = True
            return part
        return Node.__getitem__(self, index)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        if kwargs:
            return super().reshape(*shape, **kwargs)
        x = self.value
        entry = (pull_reshaped, self.index, x.shape)
        view = FastNode(x.reshape(*shape), self.tape, entry)
        self.viewed = view.viewed = True
        return view

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """The total; with other arguments it is taken the slower way."""
        if args or kwargs:
            return np.sum(self, *args, **kwargs)
        x = self.value
        y = np.add.reduce(x, None) if x.__class__ is np.ndarray else np.sum(x)
        return FastNode(y, self.tape, (pull_sum, self.index, x))

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or not self.value.size:
            return np.mean(self, *args, **kwargs)
        return self.sum() / self.value.size

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        if how == "__call__" and not kwargs:
            if len(args) == 1:
                rule = UNARY.get(ufunc)
                if rule:
                    partial, at_y, at_x = rule
                    tape, x = self.tape, self.value
                    y = ufunc(x)
                    if y.dtype is FLOAT:
                        tape.poles = True
                        y_kept, x_kept = y if at_y else None, x if at_x else None
                        entry = (pull_unary, self.index, partial, y_kept, x_kept)
                        return FastNode(y, tape, entry)
            elif ufunc in OPERATORS:
                a, b = args
                if a is self and b.__class__ in QUICK:
                    return OPERATORS[ufunc][0](a, b)
                if b is self and a.__class__ in QUICK:
                    return OPERATORS[ufunc][1](b, a)
            elif ufunc in BINARY:
                return self._binary(ufunc, *args)
        return super().__array_ufunc__(ufunc, how, *args, **kwargs)

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if len(args) == 1 and args[0] is self and not kwargs:
            if function is np.sum:
                return self.sum()
            if function is np.mean and self.value.size:
                return self.mean()
        return super().__array_function__(function, types, args, kwargs)

    def placed(self, index: Any, shape: tuple[int, ...]) -> "FastNode":
        """An array of zeros that holds this one at an index."""
        y: Any = np.zeros(shape)
        if isinstance(self.value, Traced):
            y = scatter(self.value, numbers_at(index, shape), shape)
        else:
            y[index] = self.value
        return FastNode(y, self.tape, (pull_placed, self.index, index, shape))


ARRAYS = frozenset((np.ndarray, FastNode))
QUICK = NUMBERS | {np.ndarray, FastNode}
BINARY = {f for f, rule in rules.PARTIALS.items() if len(rule) == 2}
BINARY -= {np.ldexp}  # an operand of whole numbers
OPERATORS: dict[np.ufunc, tuple[Any, Any]] = {
    np.add: (FastNode.__add__, FastNode.__add__),
    np.subtract: (FastNode.__sub__, FastNode.__rsub__),
    np.multiply: (FastNode.__mul__, FastNode.__mul__),
    np.divide: (FastNode.__truediv__, FastNode.__rtruediv__),
    np.matmul: (FastNode.__matmul__, FastNode.__rmatmul__),
}


# Pulling back: the entry holds this function, the operands' places, and what is needed.
# A weight that is returned goes to the first place.


def pull_same(sweep: Sweep, w: Any, entry: Entry) -> Any:
    return w


def pull_add(sweep: Sweep, w: Any, entry: Entry) -> Any:
    sweep.give(entry[2], w)
    return w


def pull_subtract(sweep: Sweep, w: Any, entry: Entry) -> Any:
    sweep.give(entry[2], sweep.neg(w))
    return w


def pull_negative(sweep: Sweep, w: Any, entry: Entry) -> Any:
    return sweep.neg(w)


def pull_scaled(sweep: Sweep, w: Any, entry: Entry) -> Any:
    dx = sweep.mul(w, entry[2])
    return float(dx) if dx.__class__ is np.float64 else dx


def pull_multiply(sweep: Sweep, w: Any, entry: Entry) -> Any:
    _, _, j, a, b = entry
    sweep.give(j, sweep.mul(w, a))
    return sweep.mul(w, b)


def pull_divided(sweep: Sweep, w: Any, entry: Entry) -> Any:
    return w / entry[2]


def pull_divide(sweep: Sweep, w: Any, entry: Entry) -> Any:
    _, _, j, y, b = entry
    dx = sweep.mul(w, 1.0 / b) if sweep.careful else w / b
    sweep.give(j, sweep.mul(dx, -y))
    return dx


def pull_reciprocal(sweep: Sweep, w: Any, entry: Entry) -> Any:
    _, _, y, b = entry
    return sweep.mul(w, -y / b)


def pull_power(sweep: Sweep, w: Any, entry: Entry) -> Any:
    """n x^(n-1) w; a number n w is multiplied first."""
    _, _, x, n = entry
    if n != 2:
        x = x * x if n == 3 else x ** (n - 1)
    if w.__class__ is float:
        return sweep.mul(x, n * w)
    dx = sweep.mul(w, x)
    if dx.__class__ is not np.ndarray:
        return dx * float(n)
    return np.add(dx, dx, dx) if n == 2 else np.multiply(dx, float(n), dx)


def pull_unary(sweep: Sweep, w: Any, entry: Entry) -> Any:
    _, _, partial, y, x = entry
    return sweep.mul(w, partial(y, x))


def pull_matmul(sweep: Sweep, w: Any, entry: Entry) -> Any:
    _, i, j, a, b = entry
    if isinstance(w, SparseRows) and i is None and (a.ndim, b.ndim) == (2, 1):
        sweep.give(j, w @ a)
        return None
    w = whole(w, a.shape[:-1] + b.shape[1:])  # the result's shape
    to_a, to_b = PULLBACKS[np.matmul]
    if j is not None:
        sweep.give(j, to_b(w, None, a, b))
    return None if i is None else to_a(w, None, a, b)


def pull_reshaped(sweep: Sweep, w: Any, entry: Entry) -> Any:
    shape = entry[2]
    if isinstance(w, SparseRows):
        return w.moved(w.items, shape)
    if w.__class__ is float:
        return w
    return np.reshape(w, (sweep.rows, *shape) if sweep.rows else shape)


def pull_placed(sweep: Sweep, w: Any, entry: Entry) -> Any:
    """Take back what lies at the index."""
    _, _, index, shape = entry
    if isinstance(w, SparseRows):
        return taken(w, index, shape)
    if w.__class__ is float:
        return w
    return w[in_each_row(index) if sweep.rows else index]


def pull_sum(sweep: Sweep, w: Any, entry: Entry) -> Any:
    """One weight for all items."""
    if sweep.rows:
        return PULLBACKS[np.sum][0](whole(w, ()), np.float64(), entry[2])
    return float(w) if w.__class__ is np.float64 else w


def pull_item(sweep: Sweep, w: Any, entry: Entry) -> None:
    """Add to the part of the whole that was taken."""
    i, index, shape = entry[1:]
    if w.__class__ in PLAIN:
        total = sweep.part_of(i, shape)
        if total is not None:
            if sweep.rows:
                index = in_each_row(index)
            part: Any = total[index]
            if part.__class__ is np.ndarray:
                np.add(part, w, part)  # type: ignore[call-overload]
            else:
                total[index] = part + w
            return
    if isinstance(w, SparseRows) and is_run(index, shape):
        sweep.give(i, w.moved(w.items + index.indices(shape[0])[0], shape))
        return
    numbers = numbers_at(index, shape)
    if w.__class__ is FastNode and w.shape == numbers.shape:
        sweep.give(i, w.placed(index, shape))
        return
    w = w if isinstance(w, SparseRows) else whole(w, numbers.shape)
    sweep.give(i, scatter(w, numbers, shape, 1 if sweep.rows else 0))


def is_run(index: Any, shape: tuple[int, ...]) -> bool:
    """Whether an index takes items that lie side by side."""
    return len(shape) == 1 and index.__class__ is slice and index.step in (None, 1)


def taken(w: SparseRows, index: Any, shape: tuple[int, ...]) -> Any:
    """The weights on what an index takes."""
    if not is_run(index, shape):
        return gather(w, numbers_at(index, shape), 1)
    start, stop, _ = index.indices(shape[0])
    items = np.where(w.items < stop, w.items - start, -1)
    return w.moved(items, (max(stop - start, 0),))


def in_each_row(index: Any) -> tuple[Any, ...]:
    """The index behind an axis of rows."""
    return (slice(None), *(index if index.__class__ is tuple else (index,)))


def numbers_at(index: Any, shape: tuple[int, ...]) -> Any:
    """Which items an index takes, counted from 1."""
    numbers = np.arange(1, math.prod(shape) + 1).reshape(shape)
    return np.asarray(numbers[index])
