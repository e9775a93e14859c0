"""Steps: one call each, of NumPy's functions and a few that NumPy has no name for."""

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.cotangents import scatter
from diffmethods.traced import Traced

Function = Callable[..., Any]


class Constant:
    """An array that a function computes with, whatever its argument."""

    __slots__ = ("array", "origin")

    def __init__(self, array: Any, origin: Any):
        self.array = array
        self.origin = origin  # the user's own array, which may have a name

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)


class Step:
    """A call, its arguments (steps, constants and plain things), and what came out.

    Attributes
    ----------
    index
        The place in the recording.
    function, args, kwargs
        The call; the function of an input is its name.
    fixed
        Whether it changes only in steps, so that its slope is 0.
    held
        The result at the point of the recording; dropped afterwards.
    several
        Whether the call has several results.
    slope
        Whether it belongs to a derivative and not to the function itself, so that it
        may be written in another form.
    mask
        A condition (or True, if none is known) outside which a cotangent is 0.
    of
        The step whose cotangent it is.
    note
        Where in the user's code it comes from.
    """

    __slots__ = (
        *("args", "dtype", "fixed", "function", "held", "index", "kwargs", "mask"),
        "note",
        *("of", "operands", "several", "shape", "slope"),
    )

    def __init__(self, index: int, function: Any, args: Any, kwargs: Any, held: Any):
        self.index = index
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.operands = tuple(each((args, tuple(kwargs.values()))))
        self.slope = False
        self.mask: Any = None
        self.of: Step | None = None
        self.note: Any = None
        self.several = isinstance(held, (tuple, list))
        if held is None or self.several:
            self.shape, self.dtype = (), np.dtype(object)
        else:
            if not isinstance(held, Traced) and not hasattr(held, "dtype"):
                held = np.asarray(held)[()]
            self.shape, self.dtype = tuple(held.shape), held.dtype
        self.held = held
        self.fixed: bool = self.dtype.kind in "biu" or (
            not isinstance(function, str)
            and (is_constant(function) or all(step.fixed for step in self.operands))
        )

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def is_constant(function: Function) -> bool:
    return function in rules.CONSTANT and function not in rules.PUSHFORWARDS


def each(tree: Any) -> Iterator[Step]:
    """Every step in nested arguments."""
    if isinstance(tree, Step):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for branch in tree:
            yield from each(branch)
    elif isinstance(tree, slice):
        yield from each((tree.start, tree.stop, tree.step))


# What NumPy has no function for.


def part(several: Any, k: int) -> Any:
    """One of a call's results."""
    return several[k]


def placed(shape: tuple[int, ...], whole: Any, *pairs: Any) -> Any:
    """The array `whole`, or zeros, with values added at each of some indices.

    ``pairs`` are (index, value, repeats): `repeats` is True if an index may name an
    item twice.
    """
    values = [value for _, value, _ in pairs]
    if isinstance(whole, Traced) or any(isinstance(v, Traced) for v in values):
        total = 0.0 if whole is None else whole
        numbers = np.arange(1, math.prod(shape) + 1).reshape(shape)
        for index, value, _ in pairs:
            source = np.asarray(numbers[index])
            value = np.broadcast_to(value, source.shape)
            total = total + scatter(value, source, shape)
        return total
    dtype = np.result_type(float, *values, *(() if whole is None else (whole,)))
    total = np.zeros(shape, dtype)
    if whole is not None:
        total += whole
    for index, value, repeats in pairs:
        if repeats:
            np.add.at(total, index, value)
        else:
            total[index] += value
    return total


def spread(places: Any, weights: Any, size: int) -> Any:
    """Add each weight to the item whose number stands in its place."""
    if isinstance(weights, Traced):
        return scatter(weights, places + 1, (size,))
    return np.bincount(places, weights, size)


def filled(shape: tuple[int, ...], value: Any) -> Any:
    """An array full of one number."""
    return (
        value * np.ones(shape) if isinstance(value, Traced) else np.full(shape, value)
    )


OWN = {part, placed, spread, filled}


# What must be so for the steps to hold.


def expect_truth(value: Any, expected: bool) -> None:
    """An ``if`` goes the same way."""


def expect_value(value: Any, expected: Any) -> None:
    """A whole number, or an array, is the same."""


def expect_shape(value: Any, expected: tuple[int, ...]) -> None:
    """As many items are selected."""


GUARDS = {expect_truth, expect_value, expect_shape}
VIEWS = {
    *(operator.getitem, part, np.reshape, np.transpose, np.swapaxes, np.moveaxis),
    *(np.ravel, np.squeeze, np.expand_dims, np.broadcast_to, np.matrix_transpose),
    *(np.real, np.imag, np.conjugate, np.diagonal, np.diag, np.positive, np.array),
}
