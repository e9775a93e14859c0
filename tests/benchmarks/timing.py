"""Times side by side: the base runs right before each candidate, in one process.

A shared machine slows down and recovers within seconds, and NumPy's own time on long
arrays depends on what the allocator did before.  Both fall on the base as on the
candidate when they take turns.
"""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Run = Callable[[], Any]
Clocked = tuple[float, float]  # seconds by the wall clock, and of the processor
Pair = tuple[Clocked, Clocked]  # the base, then the candidate


@dataclass(frozen=True)
class Timing:
    """What a candidate costs.

    Attributes
    ----------
    seconds
        The shortest time of one call.
    ratio
        The shortest time divided by the shortest time of the base.
    paired
        The median over the rounds of the ratio of processor times.
    """

    seconds: float
    ratio: float
    paired: float


def side_by_side(
    base: Run, candidates: Mapping[str, Run], rounds: int, span: float, patience: float
) -> dict[Any, Timing]:
    """Time the candidates in turn, each right after the base.

    Calls shorter than `span` seconds are repeated until they fill it.  A candidate that
    has taken more than `patience` seconds is not asked again.  Make each call once
    before, so that nothing is timed which happens only once.
    """
    counts = {name: repetitions(run, span) for name, run in candidates.items()}
    base_count = repetitions(base, span)
    pairs: dict[Any, list[Pair]] = {name: [] for name in candidates}
    with without_garbage_collection():
        for _ in range(rounds):
            for name, run in candidates.items():
                spent = sum(own[0] for _, own in pairs[name]) * counts[name]
                if spent <= patience:
                    first = clocked(base, base_count)
                    pairs[name].append((first, clocked(run, counts[name])))
            gc.collect()
    return {name: summary(done) for name, done in pairs.items()}


def summary(pairs: list[Pair]) -> Timing:
    """Only the base's own rounds beside a candidate count: as many chances for both."""
    seconds = min(own[0] for _, own in pairs)
    return Timing(
        seconds,
        seconds / min(base[0] for base, _ in pairs),
        statistics.median(own[1] / max(base[1], 1e-12) for base, own in pairs),
    )


def repetitions(run: Run, span: float) -> int:
    """How many calls fill `span` seconds."""
    count = 1
    while True:
        wall, _ = clocked(run, count)
        if wall * count >= span / 2:
            return max(1, round(span / wall))
        count = min(10 * count, math.ceil(1.2 * span / max(wall, 1e-9)))


def clocked(run: Run, count: int) -> Clocked:
    """Seconds by the wall clock and of the processor, for one of many calls."""
    wall, work = time.perf_counter(), time.process_time()
    for _ in range(count):
        run()
    work_end, wall_end = time.process_time(), time.perf_counter()
    return (wall_end - wall) / count, (work_end - work) / count


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Keep the collector from running in one candidate's time for another's garbage."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def first_call(build: Callable[[], Run]) -> float:
    """Seconds from a function to its first derivative; infinite if that fails."""
    start = time.perf_counter()
    try:
        build()()
    except Exception:  # the contest beside it says why
        return math.inf
    return time.perf_counter() - start
