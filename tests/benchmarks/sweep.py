"""One task at growing sizes; who would take too long at the next one drops out."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from benchmarks import contest, functions
from benchmarks.contest import Result
from benchmarks.functions import Make
from benchmarks.table import Effort

# What the page of benchmarks draws: operator, function, points, sizes.
SWEEPS = {
    "the derivative of tanh at n points": (
        "derivative",
        functions.tanh,
        functions.point,
        (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000),
    ),
    "the gradient of Rosenbrock's function in n variables": (
        "gradient",
        functions.rosenbrock,
        functions.start,
        (3, 10, 100, 1_000, 10_000, 100_000, 1_000_000),
    ),
}


def sweep(
    operator: str,
    make: Make,
    at: Callable[[int], Any],
    sizes: Iterable[int],
    names: Iterable[str],
    effort: Effort,
    power: int = 1,
    everyone: bool = True,
) -> Iterator[tuple[int, list[Result]]]:
    """Hold the contest at each size, smallest first.

    A candidate's time is taken to grow with this `power` of the size: 2 for a gradient
    by one direction after the other.  `everyone` lets the peers take part.
    """
    names = list(names)
    last: dict[str, tuple[int, float]] = {}
    for size in sizes:
        if size > effort.largest:
            return
        x = at(size)
        entered = [
            candidate
            for candidate in contest.candidates(operator, make, x, names)
            if (everyone or not candidate.peer)
            and foretold(last.get(candidate.who), size, power) <= effort.patience
        ]
        results = contest.contest(functools.partial(make(np), x), entered, effort)
        for result in results:
            who = result.candidate.who
            seconds = result.timing.seconds if result.timing else np.inf
            last[who] = (size, seconds)
        yield size, results


def foretold(last: tuple[int, float] | None, size: int, power: int) -> float:
    """Seconds that a call will take at this size."""
    return last[1] * (size / last[0]) ** power if last else 0.0


def ratios(
    title: str, names: Iterable[str], effort: Effort, everyone: bool = True
) -> dict[str, dict[int, float]]:
    """Cost of a task relative to f, for every candidate and size."""
    table: dict[str, dict[int, float]] = {}
    for size, results in sweep(*SWEEPS[title], names, effort, 2, everyone):
        for result in results:
            if result.timing:
                line = table.setdefault(result.candidate.who, {})
                line[size] = result.timing.ratio
    return table
