"""Rows 9 and 10: high derivatives by Taylor arithmetic."""

import functools
import math
from collections.abc import Iterator
from typing import Any

import mpmath as mp
import numpy as np

from benchmarks import contest, functions, peers
from benchmarks.contest import Candidate
from benchmarks.exact import nth_derivative
from benchmarks.table import Effort, Figure, Quantity, Row
from benchmarks.timing import first_call

METHODS = ("taylor_series",)
X = 0.5
ORDERS = (10, 100)
GROWTH = (40, 160)

AT_A_NUMBER = (
    Quantity("order 10, time", "µs", at_most=20e-6),
    Quantity("order 10, relative error", at_most=1e-14),
    Quantity("order 100, time", "µs", at_most=500e-6),
    Quantity("order 100, relative error", at_most=1e-13),
    Quantity("order 10, time to the first result", "ms"),
    Quantity("exponent of the growth with the order", at_most=2.2),
)
ON_ARRAYS = (Quantity("order 10, 1,000 points", "× f", at_most=10),)


def entered(x: Any, order: int, names: list[str]) -> list[Candidate]:
    """The methods, and the peers that have Taylor arithmetic of their own."""
    f = np.tanh
    own = [
        Candidate(
            name,
            False,
            functools.partial(contest.call, "derivative", f, x, name, {"order": order}),
        )
        for name in names
    ]
    native = {"algopy": peers.algopy(order)}
    if order <= 10:  # JAX's compiler takes minutes for a hundred
        native["jitted jet of JAX"] = peers.jax_jet(order)
    return own + [
        Candidate(who, True, functools.partial(build, functions.tanh, x))
        for who, build in native.items()
    ]


def at_a_number(effort: Effort, names: list[str]) -> Iterator[Figure]:
    base = functools.partial(np.tanh, X)
    for order in ORDERS:
        exact = nth_derivative(mp.tanh, X, order)
        for result in contest.contest(base, entered(X, order, names), effort):
            if not result.timing:
                yield result.figure(f"order {order}, time")
                continue
            error = abs(float(result.value) / exact - 1)
            yield result.figure(f"order {order}, time", result.timing.seconds)
            yield result.figure(f"order {order}, relative error", error)
            if order == ORDERS[0]:
                first = first_call(result.candidate.build)
                yield result.figure("order 10, time to the first result", first)
    yield from growth(effort, names)


def growth(effort: Effort, names: list[str]) -> Iterator[Figure]:
    """The power of the order with which the time grows."""
    seconds: dict[str, list[float]] = {}
    base = functools.partial(np.tanh, X)
    for order in GROWTH:
        own = [c for c in entered(X, order, names) if not c.peer]
        for result in contest.contest(base, own, effort):
            if result.timing:
                seconds.setdefault(result.candidate.who, []).append(
                    result.timing.seconds
                )
    for who, (short, long) in seconds.items():
        power = math.log(long / short) / math.log(GROWTH[1] / GROWTH[0])
        yield Figure("exponent of the growth with the order", who, power)


def on_arrays(effort: Effort, names: list[str]) -> Iterator[Figure]:
    x = functions.point(1_000)
    base = functools.partial(np.tanh, x)
    for result in contest.contest(base, entered(x, 10, names), effort):
        yield result.figure(ON_ARRAYS[0].name)


ROWS = (
    Row(9, "Taylor series of tanh at a number", AT_A_NUMBER, METHODS, at_a_number),
    Row(10, "Taylor series of tanh on an array", ON_ARRAYS, METHODS, on_arrays),
)
