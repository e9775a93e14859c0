"""Candidates in one contest: methods of the registry and other libraries, beside f."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import diffmethods as dm
from benchmarks import by_hand, peers
from benchmarks.functions import Make
from benchmarks.table import Effort, Figure
from benchmarks.timing import Run, Timing, side_by_side


@dataclass(frozen=True)
class Candidate:
    """Someone who builds the call that does the task."""

    who: str
    peer: bool
    build: Callable[[], Run]


def candidates(
    operator: str, make: Make, x: Any, names: Iterable[str], **options: Any
) -> list[Candidate]:
    """The methods of these names, then every library that has the operator.

    Beside them, the derivative written by hand where there is one.
    """
    f = make(np)
    own = [
        Candidate(name, False, functools.partial(call, operator, f, x, name, options))
        for name in names
    ]
    builders = dict(peers.NATIVE[operator])
    if (operator, make) in by_hand.BY_HAND:
        builders["by hand"] = functools.partial(by_hand.build, operator)
    return own + [
        Candidate(who, True, functools.partial(build, make, x))
        for who, build in builders.items()
    ]


def call(operator: str, f: Any, x: Any, name: str, options: dict[str, Any]) -> Run:
    """The call of an operator, as a reader makes it."""
    differentiate = getattr(dm, operator)(f, method=name, **options)
    return functools.partial(differentiate, x)


@dataclass(frozen=True)
class Result:
    """What came of a candidate: its time and its value, or why there is neither."""

    candidate: Candidate
    timing: Timing | None = None
    value: Any = None
    why: str = ""

    def figure(self, quantity: str, value: float | None = None) -> Figure:
        """A number for the table: the time as a multiple of f's unless one is given."""
        if self.timing is None:
            return Figure(quantity, self.candidate.who, self.why, self.candidate.peer)
        shown = self.timing.ratio if value is None else value
        return Figure(quantity, self.candidate.who, float(shown), self.candidate.peer)


def contest(base: Run, entered: Iterable[Candidate], effort: Effort) -> list[Result]:
    """Time everyone who can do the task, each right after the base."""
    runs, results = {}, {}
    for candidate in entered:
        run, value, why = attempt(candidate.build)
        results[candidate] = Result(candidate, value=value, why=why)
        if run is not None:
            runs[candidate] = run
    base()
    timings = side_by_side(base, runs, effort.rounds, effort.span, effort.patience)
    for candidate, timing in timings.items():
        value = results[candidate].value
        results[candidate] = Result(candidate, timing, value)
    return list(results.values())


def attempt(build: Callable[[], Run]) -> tuple[Run | None, Any, str]:
    """Build a call and make it once; say why if that fails."""
    try:
        run = build()
        return run, run(), ""
    except (ModuleNotFoundError, dm.errors.MissingLibraryError):
        return None, None, "not installed"
    except Exception as error:  # a library's own limits: they are part of the result
        reason = str(error).partition("\n")[0]
        return None, None, f"{type(error).__name__}: {reason[:60]}"


def times_faster(
    quantity: str, results: Iterable[Result], peer: str
) -> Iterable[Figure]:
    """How many times longer a peer takes than each method."""
    timings = {
        result.candidate: result.timing
        for result in results
        if result.timing is not None
    }
    theirs = next((t for c, t in timings.items() if c.who == peer and c.peer), None)
    for candidate, timing in timings.items():
        if not candidate.peer:
            value = theirs.seconds / timing.seconds if theirs else f"without {peer}"
            yield Figure(quantity, candidate.who, value)
