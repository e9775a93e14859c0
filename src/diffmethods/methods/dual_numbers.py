"""Dual numbers: carry the slope beside the value; the chain rule happens by itself."""

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import dual_batch, elementwise, rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.method import Method
from diffmethods.plain_numbers import UNARY
from diffmethods.traced import LEVELS, Traced, leaves, one_array, outcome, rebuilt


class Dual(Traced):
    """value + tangent * eps, with eps**2 = 0."""

    __slots__ = ("level", "tangent", "value")
    method = "dual_numbers"
    parts = ("value", "tangent")

    def __init__(self, value: Any, tangent: Any, level: int):
        self.value = value
        self.tangent = tangent
        self.level = level

    def apply(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        level = self.level
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        if function in rules.PUSHFORWARDS:
            return self._push(function, args, kwargs)
        if function in rules.CONSTANT:
            named = {key: values(item, level) for key, item in kwargs.items()}
            return function(*values(args, level), **named)
        if varies(tuple(kwargs.values()), level):
            return NotImplemented
        if rules.partials(function):
            return self._chain_rule(function, args, kwargs)
        if function in rules.LINEAR:
            return self._apply_linear(function, args, kwargs)
        if function in rules.MULTILINEAR:
            args = tuple(map(one_array, args))
            xs = values(args, level)
            terms = [
                function(*xs[:i], x.tangent, *xs[i + 1 :], **kwargs)
                for i, x in enumerate(args)
                if isinstance(x, Dual) and x.level == level
            ]
            return pair(function(*xs, **kwargs), functools.reduce(np.add, terms), level)
        return NotImplemented

    def _chain_rule(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if function is np.power and not kwargs:
            function, args = elementwise.short_power(*args)
        xs = values(args, self.level)
        y = function(*xs, **kwargs)
        dy: Any = 0.0
        for partial, x in zip(elementwise.partials(function, y), args, strict=True):
            if isinstance(x, Dual) and x.level == self.level:
                dy = dy + partial(y, *xs) * x.tangent
        return pair(y, dy, self.level)

    def _push(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        level, count = self.level, rules.OPERANDS.get(function, 1)
        operands, others = tuple(map(one_array, args[:count])), args[count:]
        if varies((others, tuple(kwargs.values())), level):
            return NotImplemented
        push = rules.PUSHFORWARDS[function]
        xs, dxs = values(operands, level), tangents(operands, level)
        pushed = push(*xs, *dxs, *others, **kwargs)
        if pushed is NotImplemented:
            return pushed
        y, dy = pushed
        return pair(y, dy, level)

    def _apply_linear(
        self, function: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        level, count = self.level, rules.LINEAR[function]
        operands, others = args[:count], args[count:]
        if varies(others, level):
            return NotImplemented
        y = function(*values(operands, level), *others, **kwargs)
        constants = {
            key: np.zeros(np.shape(kwargs[key]))
            for key in rules.ADDS_A_CONSTANT & kwargs.keys()
        }
        dy = function(*tangents(operands, level), *others, **kwargs | constants)
        return pair(y, dy, level)


class DualNumber(Dual):
    """A dual number at a plain number: the same rules, on floats alone.

    Whatever is not a float or another of its kind falls through to `Dual`.  Each
    operator is written out, and no ``__init__`` called: either would cost as much as
    all the arithmetic.
    """

    __slots__ = ()
    __init__ = object.__init__
    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Any:
        kind = type(other)
        if kind is float or kind is int:
            value, tangent = self.value + other, self.tangent
        elif kind is DualNumber and other.level is self.level:
            value, tangent = self.value + other.value, self.tangent + other.tangent
        else:
            return super().__add__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = value, tangent, self.level
        return new

    def __radd__(self, other: Any) -> Any:
        kind = type(other)
        if kind is not float and kind is not int:
            return super().__radd__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = (
            other + self.value,
            self.tangent,
            self.level,
        )
        return new

    def __sub__(self, other: Any) -> Any:
        kind = type(other)
        if kind is float or kind is int:
            value, tangent = self.value - other, self.tangent
        elif kind is DualNumber and other.level is self.level:
            value, tangent = self.value - other.value, self.tangent - other.tangent
        else:
            return super().__sub__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = value, tangent, self.level
        return new

    def __rsub__(self, other: Any) -> Any:
        kind = type(other)
        if kind is not float and kind is not int:
            return super().__rsub__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = (
            other - self.value,
            -self.tangent,
            self.level,
        )
        return new

    def __mul__(self, other: Any) -> Any:
        kind, a, da = type(other), self.value, self.tangent
        if kind is float or kind is int:
            value, tangent = a * other, da * other
        elif kind is DualNumber and other.level is self.level:
            b = other.value
            value, tangent = a * b, da * b + a * other.tangent
        else:
            return super().__mul__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = value, tangent, self.level
        return new

    def __rmul__(self, other: Any) -> Any:
        kind = type(other)
        if kind is not float and kind is not int:
            return super().__rmul__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = (
            other * self.value,
            other * self.tangent,
            self.level,
        )
        return new

    def __truediv__(self, other: Any) -> Any:
        kind = type(other)
        if kind is float or kind is int:
            value, tangent = self.value / other, self.tangent / other
        elif kind is DualNumber and other.level is self.level:
            value = self.value / other.value
            tangent = (self.tangent - value * other.tangent) / other.value
        else:
            return super().__truediv__(other)
        new = DualNumber()
        new.value, new.tangent, new.level = value, tangent, self.level
        return new

    def __rtruediv__(self, other: Any) -> Any:
        kind = type(other)
        if kind is not float and kind is not int:
            return super().__rtruediv__(other)
        x, new = self.value, DualNumber()
        y = other / x
        new.value, new.tangent, new.level = y, -y / x * self.tangent, self.level
        return new

    def __pow__(self, n: Any) -> Any:
        x = self.value
        if type(n) is int and n > 0:
            below = x if n == 2 else x ** (n - 1)
            value, slope = x * below, n * below
        elif type(n) is int:
            value, slope = x**n, n * x ** (n - 1) if n else 0.0
        elif type(n) is float and x > 0:
            value = x**n
            slope = n * value / x
        else:
            return super().__pow__(n)
        new = DualNumber()
        new.value, new.tangent, new.level = value, slope * self.tangent, self.level
        return new

    def __neg__(self) -> Any:
        new = DualNumber()
        new.value, new.tangent, new.level = -self.value, -self.tangent, self.level
        return new

    def seen(self, other: Any) -> Any:
        """What a comparison sees of the other operand."""
        same = other.__class__ is DualNumber and other.level is self.level
        return other.value if same else other

    def __lt__(self, other: Any) -> Any:
        other = self.seen(other)
        return self.value < other if type(other) in REAL else super().__lt__(other)

    def __le__(self, other: Any) -> Any:
        other = self.seen(other)
        return self.value <= other if type(other) in REAL else super().__le__(other)

    def __gt__(self, other: Any) -> Any:
        other = self.seen(other)
        return self.value > other if type(other) in REAL else super().__gt__(other)

    def __ge__(self, other: Any) -> Any:
        other = self.seen(other)
        return self.value >= other if type(other) in REAL else super().__ge__(other)

    def __abs__(self) -> Any:
        x = self.value
        if x > 0 or x < 0:
            return self if x > 0 else -self
        raise FloatingPointError("a kink, or NaN, is left to the long way")

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        if how == "__call__" and not kwargs:
            if ufunc in UNARY:
                function, partial = UNARY[ufunc]
                x, new = self.value, DualNumber()
                new.value = y = function(x)
                new.tangent, new.level = partial(y, x) * self.tangent, self.level
                return new
            if ufunc is np.absolute:
                return abs(self)
            if ufunc in OPERATORS and np.float64 in map(type, args):
                return OPERATORS[ufunc](*map(as_float, args))
        return super().__array_ufunc__(ufunc, how, *args, **kwargs)


def as_float(x: Any) -> Any:
    """np.float64 hands its operators over as ufuncs; a float would not have."""
    return float(x) if type(x) is np.float64 else x


OPERATORS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
}
REAL = frozenset((float, int, np.float64))
FLOAT64 = np.float64


def at_number(f: Callable[..., Any], x: float) -> np.float64 | None:
    """f'(x) on floats alone, or None where that takes NumPy."""
    point = DualNumber()
    point.value, point.tangent = x if type(x) is float else float(x), 1.0
    point.level = level = next(LEVELS)
    y = f(point)
    number = type(y) is DualNumber or (isinstance(y, Dual) and not y.shape)
    if number and y.level is level:
        return FLOAT64(y.tangent)
    return None


def varies(tree: Any, level: int) -> bool:
    """Whether any of nested arguments is a dual number of this level."""
    return any(leaf.level == level for leaf in leaves(tree))


def values(tree: Any, level: int) -> Any:
    """Replace every dual number in nested arguments by its value."""
    if isinstance(tree, Dual) and tree.level == level:
        return tree.value
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [values(branch, level) for branch in tree])
    return tree


def tangents(tree: Any, level: int) -> Any:
    """Replace every dual number in nested arguments by its tangent, all else by 0."""
    if isinstance(tree, Dual) and tree.level == level:
        return tree.tangent
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [tangents(branch, level) for branch in tree])
    return np.zeros(np.shape(tree))


def pair(y: Any, dy: Any, level: int) -> Any:
    """A dual number, or a tuple of them for a function with several results."""
    if isinstance(y, (tuple, list)):
        return rebuilt(y, [pair(*both, level) for both in zip(y, dy, strict=True)])
    shape = np.shape(y)
    return Dual(y, dy if np.shape(dy) == shape else np.broadcast_to(dy, shape), level)


def jvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """Evaluate f at x + v eps, and read off the slope."""
    level = next(LEVELS)
    y = outcome(f(Dual(x, v, level)))
    return tangents(y, level)


METHOD = Method(
    title="Dual numbers",
    family="forward",
    summary="Carry the slope beside the value, and the chain rule happens by itself.",
    exact=True,
    rtol=1e-14,
    max_order=6,  # each order nests once more, and costs three times as much
    jvp=jvp,
    jacobian=dual_batch.jacobian,
    at_number=at_number,
    at_array=elementwise.derivative,
    complex_points=True,
    handles=rules.known,
    references=("clifford1871", "wengert1964", "siskind2008"),
)
