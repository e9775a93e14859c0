"""Rows 11 to 13: what a gradient costs, as a multiple of the function."""

import functools
import math
from collections.abc import Iterable, Iterator

import numpy as np

from benchmarks import contest, functions
from benchmarks.sweep import sweep
from benchmarks.table import Effort, Figure, Quantity, Row
from benchmarks.timing import first_call

SIZES = (10, 1_000, 100_000, 1_000_000)
TAPE = ("reverse_tape",)
SOURCE = ("numpy_source",)
PROGRAMS = {
    "a chain of 100 elementwise steps on 10,000 numbers": (
        functions.chain,
        functions.start(10_000),
    ),
    "a perceptron of two layers": (
        functions.perceptron,
        functions.start(32 * 32).reshape(32, 32) / 5,
    ),
    "a loop of 10,000 small operations": (functions.loop, functions.start(3)),
}
# A compiler would unroll the loop for minutes; casadi's matrices have one column here.
UNABLE = {
    functions.perceptron: ("casadi",),
    functions.loop: ("casadi", "jitted JAX"),
}
LOOP = "a loop of 10,000 small operations"


def cost(limit: float) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(f"n = {size:,}", "× f", at_most=limit, size=size) for size in SIZES
    )


def faster(peer: str, least: float, largest: int) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(
            f"n = {size:,}, faster than {peer}", "times", at_least=least, size=size
        )
        for size in SIZES
        if size <= largest
    )


OF_TAPE = cost(4.5) + faster("autograd", 10, 100_000)
OF_SOURCE = (
    *cost(1.5),
    *faster("jitted JAX", 1, 1_000),
    Quantity("n = 1,000, time to the first gradient", "ms", at_most=3e-3),
)
OF_PROGRAMS = (
    *(Quantity(name, "× f", at_most=5) for name in PROGRAMS),
    Quantity(f"{LOOP}, faster than autograd", "times", at_least=10),
)


def rosenbrock(
    quantities: Iterable[Quantity], peer: str, effort: Effort, names: list[str]
) -> Iterator[Figure]:
    """Cost for each number of variables, and beside the peer to be beaten."""
    wanted = {quantity.name for quantity in quantities}
    for size, results in sweep(
        "gradient", functions.rosenbrock, functions.start, SIZES, names, effort
    ):
        for result in results:
            yield result.figure(f"n = {size:,}")
        if (name := f"n = {size:,}, faster than {peer}") in wanted:
            yield from contest.times_faster(name, results, peer)


def source(effort: Effort, names: list[str]) -> Iterator[Figure]:
    yield from rosenbrock(OF_SOURCE, "jitted JAX", effort, names)
    best: dict[tuple[str, bool], float] = {}
    x = functions.start(1_000)
    for _ in range(3):  # a new function each time, which nobody has seen before
        for candidate in contest.candidates("gradient", functions.rosenbrock, x, names):
            key = (candidate.who, candidate.peer)
            seconds = first_call(candidate.build)
            best[key] = min(seconds, best.get(key, math.inf))
    for (who, peer), seconds in best.items():
        if math.isfinite(seconds):
            yield Figure(OF_SOURCE[-1].name, who, seconds, peer)


def programs(effort: Effort, names: list[str]) -> Iterator[Figure]:
    for name, (make, x) in PROGRAMS.items():
        entered = [
            candidate
            for candidate in contest.candidates("gradient", make, x, names)
            if candidate.who not in UNABLE.get(make, ())
        ]
        results = contest.contest(functools.partial(make(np), x), entered, effort)
        for result in results:
            yield result.figure(name)
        if name == LOOP:
            yield from contest.times_faster(OF_PROGRAMS[-1].name, results, "autograd")


ROWS = (
    Row(
        11,
        "Gradient of Rosenbrock's function by a tape",
        OF_TAPE,
        TAPE,
        functools.partial(rosenbrock, OF_TAPE, "autograd"),
    ),
    Row(12, "Gradient of programs by a tape", OF_PROGRAMS, TAPE, programs),
    Row(
        13,
        "Gradient of Rosenbrock's function by generated source",
        OF_SOURCE,
        SOURCE,
        source,
    ),
)
