"""Transformations: what a library does to a function, and the operators made of it.

A transformation takes a function of the library's arrays that gives a list of them, as
`lifted.Native` does, then a point, and a direction or a weight. It gives a list, too:
what it makes of each part of the values.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.operators import check_weight, contract, not_a_scalar
from diffmethods.traced import Traced

Function = Callable[..., Any]

PRODUCTS = {"jvp": "jacobian", "vjp": "jacobian", "hvp": "hessian"}


def operators(natively: Function, **transformations: Function) -> dict[str, Any]:
    """The operators of a method, given the transformation that makes each.

    ``natively(transformation, f, x, *vectors, **options)`` applies one to f at x. A
    vector of another method's stand-ins is no array of the library: it multiplies the
    whole matrix.
    """
    made: dict[str, Any] = {
        name: functools.partial(natively, transformation)
        for name, transformation in transformations.items()
    }
    if "derivative" in made:
        made["derivative"] = ordered(made["derivative"])
    for name, matrix in PRODUCTS.items():
        made[name] = product(made[name], made[matrix], first=name == "vjp")
    return made


def ordered(nested: Function) -> Function:
    def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
        return nested(f, x, order=order, **options)

    return derivative


def product(multiplied: Function, matrix: Function, first: bool) -> Function:
    def run(f: Function, x: Any, vector: Any, **options: Any) -> Any:
        if isinstance(vector, Traced):
            return contract(matrix(f, x, **options), vector, first)
        return multiplied(f, x, vector, **options)

    return run


def composed(outer: Function, inner: Function) -> Function:
    """A transformation of what another one makes of a function."""
    return lambda native, *points: outer(functools.partial(inner, native), *points)


def nesting(pushed: Function, ones_like: Function) -> Function:
    """A push within a push, once for each order."""

    def nested(native: Function, base: Any, order: int) -> Any:
        for _ in range(order):
            native = functools.partial(pushed, native, v=ones_like(base))
        return native(base)

    return nested


# ``recorded(native, base)`` gives the values, and what pulls a weight of each one back.


def pulling(recorded: Function) -> Function:
    """A weight of every part of the values, pulled back."""

    def pulled(native: Function, base: Any, w: Any) -> Any:
        values, pulls = recorded(native, base)
        check_weight(w, tuple(np.shape(values[0])))
        return [pull(w) for pull in pulls]

    return pulled


def sloping(recorded: Function, ones_like: Function) -> Function:
    """The gradient of every part of a scalar function."""

    def sloped(native: Function, base: Any) -> Any:
        values, pulls = recorded(native, base)
        if shape := tuple(np.shape(values[0])):
            raise not_a_scalar(shape)
        return [pull(ones_like(y)) for y, pull in zip(values, pulls, strict=True)]

    return sloped


def singly(pullback: Function, none: list[Any]) -> list[Function]:
    """What pulls back a weight of one part, where the others weigh nothing."""

    def pull(k: int, w: Any) -> Any:
        return pullback([*none[:k], w, *none[k + 1 :]])[0]

    return [functools.partial(pull, k) for k in range(len(none))]
