"""Shorter forms of the products and sums that a derivative is made of.

Constant factors move outwards and merge (``2 * (x * (200 * d))`` is
``400 * (x * d)``), factors of 1 and terms of 0 vanish, and ``w * (1 / b)`` becomes
``w / b``.  Each form has at most as many roundings as the one it stands for, so nothing
is lost.  The steps of the function itself are left as they are: its branches depend on
every bit.
"""

import math
from typing import Any

import numpy as np

from diffmethods.steps import Constant, Step

NUMBERS = (bool, int, float, np.floating, np.integer, np.bool_)


def simplified(
    recording: Any, function: Any, args: Any, kwargs: Any, slope: bool
) -> Any:
    """The result of a call in a shorter form, or NotImplemented.

    Parameters
    ----------
    slope
        Whether the call belongs to a derivative, and may be rounded otherwise.
    """
    rule = (SHORTER if slope else EXACT).get(function)
    if rule is None or kwargs or not all(isinstance(a, ATOMS) for a in args):
        return NotImplemented
    result = rule(recording, *args)
    return (
        recording.wrap(result)
        if isinstance(result, Step)
        else recording.restored(result)
    )


ATOMS = (Step, Constant, *NUMBERS)


def is_number(x: Any) -> bool:
    return isinstance(x, NUMBERS)


def is_float(x: Any) -> bool:
    return isinstance(x, Step) and x.dtype.kind in "fc"


def factors(x: Any) -> tuple[float, Any]:
    """A number c and the rest r, with x = c r; r is None for a number."""
    if is_number(x):
        return float(x), None
    if isinstance(x, Step) and x.slope and is_float(x):
        if x.function is np.negative:
            c, rest = factors(x.args[0])
            return (-c, rest) if rest is not None else (1.0, x)
        if x.function is np.multiply and is_number(x.args[0]) and is_float(x.args[1]):
            return float(x.args[0]), x.args[1]
    return 1.0, x


def scaled(recording: Any, c: float, x: Any) -> Any:
    """c x"""
    if c == 1.0 and is_float(x):
        return x
    if c == -1.0 and is_float(x):
        if x.function is np.subtract and x.slope:
            return recording.step(np.subtract, x.args[::-1])
        return recording.step(np.negative, (x,))
    if is_float(x) and x.slope and x.function is np.divide and is_number(x.args[0]):
        return quotient(recording, c * float(x.args[0]), x.args[1])
    return recording.step(np.multiply, (c, x))


def multiply(recording: Any, a: Any, b: Any) -> Any:
    (c, u), (d, v) = factors(a), factors(b)
    product = c * d
    if not math.isfinite(product) or abs(product) < 1e-300:
        return recording.step(np.multiply, (a, b))
    if u is None or v is None:
        rest = v if u is None else u
        return (
            recording.step(np.multiply, (c, d))
            if rest is None
            else scaled(recording, product, rest)
        )
    for one, other in ((u, v), (v, u)):
        if isinstance(one, Step) and one.slope and one.function is np.divide:
            if is_number(one.args[0]) and is_float(other):
                c = product * float(one.args[0])
                return scaled(recording, c, quotient(recording, other, one.args[1]))
    return scaled(recording, product, recording.step(np.multiply, (u, v)))


def quotient(recording: Any, a: Any, b: Any) -> Any:
    return recording.step(np.divide, (a, b))


def divide(recording: Any, a: Any, b: Any) -> Any:
    c, u = factors(a)
    if u is None or c == 1.0:
        return quotient(recording, a, b)
    return scaled(recording, c, quotient(recording, u, b))


def add(recording: Any, a: Any, b: Any) -> Any:
    if a is b and is_float(a):
        return scaled_twice(recording, a)
    for one, other in ((a, b), (b, a)):
        if is_number(one) and one == 0 and (is_number(other) or is_float(other)):
            return other
    for one, other in ((a, b), (b, a)):
        c, rest = factors(other)
        if c == -1.0 and rest is not None:
            return recording.step(np.subtract, (one, rest))
    return recording.step(np.add, (a, b))


def scaled_twice(recording: Any, a: Any) -> Any:
    c, rest = factors(a)
    return scaled(recording, 2.0 * c, rest)


def subtract(recording: Any, a: Any, b: Any) -> Any:
    c, rest = factors(b)
    if c == -1.0 and rest is not None:
        return add(recording, a, rest)
    if is_number(b) and b == 0 and is_float(a):
        return a
    if is_number(a) and a == 0 and is_float(b):
        return negative(recording, b)
    return recording.step(np.subtract, (a, b))


def negative(recording: Any, a: Any) -> Any:
    c, rest = factors(a)
    return scaled(recording, -c, rest) if rest is not None else -c


def power(recording: Any, a: Any, b: Any) -> Any:
    """Small whole powers are products."""
    if is_number(b) and is_float(a):
        if b == 1:
            return a
        if b == 2:
            return recording.step(np.multiply, (a, a))
        if b == 3:
            return recording.step(np.multiply, (recording.step(np.multiply, (a, a)), a))
    return recording.step(np.power, (a, b))


def both(recording: Any, a: Any, b: Any) -> Any:
    """False and anything is False."""
    for one, other in ((a, b), (b, a)):
        if isinstance(one, (bool, np.bool_)):
            if not one:
                return False
            if isinstance(other, Step) and other.dtype.kind == "b":
                return other
    return recording.step(np.bitwise_and, (a, b))


def transpose(recording: Any, a: Any) -> Any:
    """With fewer than two axes there is nothing to exchange; twice is not at all."""
    if len(a.shape) < 2:
        return a
    if isinstance(a, Step) and a.function is np.transpose and len(a.args) == 1:
        if not a.kwargs:
            return a.args[0]
    return recording.step(np.transpose, (a,))


def first_power(recording: Any, a: Any, b: Any) -> Any:
    """x to the power of 1 is x to the last bit."""
    if is_number(b) and b == 1 and is_float(a):
        return a
    return recording.step(np.power, (a, b))


def positive(recording: Any, a: Any) -> Any:
    return a if is_float(a) else recording.step(np.positive, (a,))


EXACT: dict[Any, Any] = {
    np.positive: positive,
    np.transpose: transpose,
    np.power: first_power,
    np.bitwise_and: both,
}
SHORTER: dict[Any, Any] = EXACT | {
    np.multiply: multiply,
    np.divide: divide,
    np.add: add,
    np.subtract: subtract,
    np.negative: negative,
    np.power: power,
}
