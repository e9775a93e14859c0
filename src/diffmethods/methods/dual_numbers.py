"""Dual numbers: carry the slope beside the value; the chain rule happens by itself."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.method import Method
from diffmethods.traced import LEVELS, Traced, leaves, outcome, rebuilt


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
            xs = values(args, level)
            terms = [
                function(*xs[:i], x.tangent, *xs[i + 1 :], **kwargs)
                for i, x in enumerate(args)
                if isinstance(x, Dual) and x.level == level
            ]
            return pair(function(*xs, **kwargs), functools.reduce(np.add, terms), level)
        return NotImplemented

    def _chain_rule(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        xs = values(args, self.level)
        y = function(*xs, **kwargs)
        dy: Any = 0.0
        for partial, x in zip(rules.partials(function, y) or (), args, strict=True):
            if isinstance(x, Dual) and x.level == self.level:
                dy = dy + partial(y, *xs) * x.tangent
        return pair(y, dy, self.level)

    def _push(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        level, count = self.level, rules.OPERANDS.get(function, 1)
        operands, others = args[:count], args[count:]
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
            key: 0.0 * kwargs[key] for key in rules.ADDS_A_CONSTANT & kwargs.keys()
        }
        dy = function(*tangents(operands, level), *others, **kwargs | constants)
        return pair(y, dy, level)


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
    complex_points=True,
    handles=rules.known,
    references=("clifford1871", "wengert1964", "siskind2008"),
)
