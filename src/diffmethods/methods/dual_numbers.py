"""Dual numbers: carry the slope beside the value, and the chain rule happens by itself."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.method import Method
from diffmethods.traced import LEVELS, Traced, joined, leaves, rebuilt


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
        if function in rules.CONSTANT:
            return function(
                *values(args, level), **{k: values(v, level) for k, v in kwargs.items()}
            )
        if any(x.level == level for x in leaves(tuple(kwargs.values()))):
            return NotImplemented
        if rules.partials(function):
            return self._chain_rule(function, args, kwargs)
        if function in rules.PUSHFORWARDS:
            return self._push(function, args, kwargs)
        if function in rules.LINEAR and rules.ADDS_A_CONSTANT.isdisjoint(kwargs):
            count = rules.LINEAR[function]
            y = function(*values(args, level), **kwargs)
            dy = function(
                *tangents(args[:count], level), *values(args[count:], level), **kwargs
            )
            return pair(y, dy, level)
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
        count = rules.OPERANDS.get(function, 1)
        push = rules.PUSHFORWARDS[function]
        operands, others = args[:count], values(args[count:], self.level)
        arguments = (
            *values(operands, self.level),
            *tangents(operands, self.level),
            *others,
        )
        try:
            inspect.signature(push).bind(*arguments, **kwargs)
        except TypeError:
            return NotImplemented  # an argument that the rule does not know
        result = push(*arguments, **kwargs)
        return result if result is NotImplemented else pair(*result, self.level)


def values(tree: Any, level: int) -> Any:
    """Replace every dual number in nested arguments by its value."""
    if isinstance(tree, Dual) and tree.level == level:
        return tree.value
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [values(branch, level) for branch in tree])
    return tree


def tangents(tree: Any, level: int) -> Any:
    """Replace every dual number in nested arguments by its tangent, and every constant by 0."""
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
    y = joined(f(Dual(x, v, level)))
    return tangents(y, level)


METHOD = Method(
    title="Dual numbers",
    family="forward",
    summary="Carry the slope beside the value, and the chain rule happens by itself.",
    exact=True,
    rtol=1e-14,
    jvp=jvp,
    complex_points=True,
    handles=rules.known,
    references=("clifford1871", "wengert1964", "siskind2008"),
)
