"""Arithmetic on large arrays into used memory: fresh pages cost more than the sums.

The operating system hands out a fresh array page by page as it is first written, and at
100,000 items that costs several times the arithmetic.  `Buffers` keeps some arrays that
it made, and writes into one again once nothing else refers to it: Python's reference
count says so, which every view and every variable raises.
"""

import functools
import operator
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

LARGE = 8192  # items; below, memory comes from a cache
KEPT = 2**26  # bytes that a thread may keep
FLOAT = np.dtype(float)
NUMBERS = (float, int, np.float64)
reference_count = getattr(sys, "getrefcount", None)


class Buffers:
    """Arrays that a thread writes into again and again, by their shape."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, ...], list[Any]] = {}
        self.size = 0  # of all that is kept, in bytes
        alone = [np.empty(0)]
        # What the count is while a list alone knows an array.
        self.free = reference_count(alone[0]) if reference_count else -1

    def empty(self, shape: tuple[int, ...]) -> Any:
        """An array of any content that nobody else holds."""
        kept = self.kept.get(shape, ())
        for k in range(len(kept)):
            if reference_count(kept[k]) == self.free:  # type: ignore[misc]
                return kept[k]
        new = np.empty(shape)
        if self.size + new.nbytes > KEPT and not kept:
            self.kept.clear()  # another problem has begun
            self.size = 0
        if self.free > 0 and self.size + new.nbytes <= KEPT:
            self.kept.setdefault(shape, []).append(new)
            self.size += new.nbytes
        return new

    def zeros(self, shape: tuple[int, ...]) -> Any:
        """An array of zeros that nobody else holds."""
        new = self.empty(shape)
        new.fill(0.0)
        return new


class OfThisThread(threading.local, Buffers):
    """The same, for each thread its own."""


KEPT_ARRAYS = OfThisThread()


def into(
    ufunc: np.ufunc, plain: Callable[[Any, Any], Any]
) -> Callable[[Buffers, Any, Any], Any]:
    """A binary function that writes large results of float arrays into kept ones."""

    def operate(buffers: Buffers, a: Any, b: Any) -> Any:
        large, other = (a, b) if isinstance(a, np.ndarray) else (b, a)
        if (
            isinstance(large, np.ndarray)
            and large.size >= LARGE
            and large.dtype is FLOAT
            and (other.__class__ in NUMBERS or alike(large, other))
        ):
            return ufunc(a, b, buffers.empty(large.shape))
        return plain(a, b)

    return operate


def alike(a: Any, b: Any) -> bool:
    """Whether an array holds as many floats as a large one, or a single one."""
    return isinstance(b, np.ndarray) and b.shape in ((), a.shape) and b.dtype is FLOAT


class Arithmetic:
    """What the tape computes with: plain operators, where no array is large."""

    add = staticmethod(operator.add)
    sub = staticmethod(operator.sub)
    mul = staticmethod(operator.mul)
    neg = staticmethod(operator.neg)

    @staticmethod
    def zeros(shape: tuple[int, ...]) -> Any:
        return np.zeros(shape)


class LargeArithmetic(Arithmetic):
    """The same operations, into used memory."""

    def __init__(self) -> None:
        buffers = Buffers()
        self.add = functools.partial(into(np.add, operator.add), buffers)
        self.sub = functools.partial(into(np.subtract, operator.sub), buffers)
        self.mul = functools.partial(into(np.multiply, operator.mul), buffers)
        self.neg = functools.partial(self.mul, -1.0)
        self.zeros = buffers.zeros  # type: ignore[method-assign]


SMALL = Arithmetic()
OF_THIS_THREAD = threading.local()


def arithmetic_for(x: Any) -> Arithmetic:
    """What suits the size of the point."""
    if not isinstance(x, np.ndarray) or x.size < LARGE:
        return SMALL
    if not hasattr(OF_THIS_THREAD, "large"):
        OF_THIS_THREAD.large = LargeArithmetic()
    large: Arithmetic = OF_THIS_THREAD.large
    return large
