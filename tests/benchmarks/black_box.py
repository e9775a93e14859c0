"""Rows 2 to 6: derivatives of functions that are known by their values alone."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np

from benchmarks import contest, estimates, functions
from benchmarks.black_box_problems import Problem, common, traps
from benchmarks.contest import Candidate
from benchmarks.estimates import Estimate
from benchmarks.exact import nth_derivative
from benchmarks.table import Effort, Figure, Quantity, Row

METHODS = ("chebyshev", "richardson")
FAILED = 1e-6  # a relative error beyond this is a failure

COMMON = (
    Quantity("median relative error", at_most=5e-15),
    Quantity("99th percentile of the error", at_most=5e-13),
    Quantity("failures", at_most=0),
    Quantity("evaluations, mean", at_most=11),
    Quantity("share whose error estimate bounds the error", at_least=0.99),
)
TRAPS = (Quantity("right or flagged", at_least=22), Quantity("right"))


def solvers(names: list[str]) -> Iterator[tuple[str, bool, Any]]:
    """The methods, then the peers; where a solver is absent a string says why."""
    own = {name: functools.partial(estimates.of_method, name) for name in names}
    for who, make in (own | estimates.PEERS).items():
        solver, _, why = contest.attempt(lambda make=make: once(make()))
        yield who, who in estimates.PEERS, why or solver()


def once(solver: Any) -> Callable[[], Any]:
    return lambda: solver


def solved(names: list[str], problems: list[Problem]) -> Iterator[Any]:
    """Every solver, and its estimates of all the problems."""
    for who, peer, solver in solvers(names):
        if isinstance(solver, str):
            yield who, peer, solver
        else:
            yield who, peer, [estimates.estimate(solver, p.f, p.x) for p in problems]


def measure_common(effort: Effort, names: list[str]) -> Iterator[Figure]:
    problems = list(common(effort.samples))
    for who, peer, found in solved(names, problems):
        if isinstance(found, str):
            yield Figure(COMMON[0].name, who, found, peer)
            continue
        figures = statistics(problems, found)
        for quantity, value in zip(COMMON, figures, strict=True):
            if not np.isnan(value):
                yield Figure(quantity.name, who, value, peer)


def statistics(problems: list[Problem], found: list[Estimate]) -> tuple[float, ...]:
    """One number for each of the quantities, in their order."""
    pairs = list(zip(problems, found, strict=True))
    errors = np.array([p.error(e.value) for p, e in pairs])
    errors[np.isnan(errors)] = np.inf
    bounded = [
        e.error >= abs(e.value - p.exact) for p, e in pairs if not np.isnan(e.error)
    ]
    return (
        float(np.median(errors)),
        float(np.quantile(errors, 0.99, method="higher")),
        float(np.sum(errors > FAILED)),
        float(np.mean([e.evaluations for e in found])),
        float(np.mean(bounded)) if bounded else np.nan,
    )


def measure_traps(effort: Effort, names: list[str]) -> Iterator[Figure]:
    problems = list(traps())
    for who, peer, found in solved(names, problems):
        if isinstance(found, str):
            yield Figure(TRAPS[0].name, who, found, peer)
            continue
        pairs = list(zip(problems, found, strict=True))
        right = [p.error(e.value) <= p.rtol for p, e in pairs]
        flagged = [estimate.flagged for estimate in found]
        yield Figure(
            TRAPS[0].name, who, float(np.sum(np.logical_or(right, flagged))), peer
        )
        yield Figure(TRAPS[1].name, who, float(np.sum(right)), peer)


TIME = (
    Quantity("time", "µs"),
    Quantity("faster than SciPy", "times", at_least=100),
    Quantity("faster than numdifftools", "times", at_least=80),
)
ARRAY = (
    Quantity("cost", "× f", at_most=20, size=1_000_000),
    Quantity("median relative error", at_most=2e-14, size=1_000_000),
)
BLACK_BOXES = ("SciPy", "numdifftools")


def entered(x: Any, names: list[str]) -> list[Candidate]:
    candidates = contest.candidates("derivative", functions.tanh, x, names)
    return [c for c in candidates if not c.peer or c.who in BLACK_BOXES]


def measure_time(effort: Effort, names: list[str]) -> Iterator[Figure]:
    x = functions.point(1)
    base = functools.partial(np.tanh, x)
    results = contest.contest(base, entered(x, names), effort)
    for result in results:
        seconds = result.timing.seconds if result.timing else None
        yield result.figure(TIME[0].name, seconds)
    for peer in BLACK_BOXES:
        yield from contest.times_faster(f"faster than {peer}", results, peer)


def measure_array(effort: Effort, names: list[str]) -> Iterator[Figure]:
    if ARRAY[0].size > effort.largest:
        return
    x = functions.point(ARRAY[0].size)
    exact = 4 / (np.exp(x) + np.exp(-x)) ** 2  # right to a few units in the last place
    base = functools.partial(np.tanh, x)
    for result in contest.contest(base, entered(x, names), effort):
        yield result.figure(ARRAY[0].name)
        if result.timing:
            error = float(np.median(np.abs(result.value / exact - 1)))
            yield result.figure(ARRAY[1].name, error)


# Row 6: functions that take complex numbers, around whose points lies a circle.
ANALYTIC = (
    (np.tanh, mp.tanh),
    (lambda x: np.exp(np.sin(x)), lambda x: mp.exp(mp.sin(x))),
    (lambda x: 1 / (1 + x * x), lambda x: 1 / (1 + x * x)),
    (lambda x: np.log(2 + x) * np.exp(x), lambda x: mp.log(2 + x) * mp.exp(x)),
)
CIRCLE_X = 0.3
CIRCLE = (
    Quantity("order 10, median relative error", at_most=1e-12),
    Quantity("order 10, evaluations, mean", at_most=64),
    Quantity("order 10, time", "µs"),
    Quantity("order 10, faster than numdifftools.fornberg", "times", at_least=20),
    Quantity("order 50, median relative error", at_most=1e-9),
)
FORNBERG = "numdifftools.fornberg"


def fornberg(f: Any, order: int) -> Callable[[], Any]:
    from numdifftools.fornberg import derivative

    return lambda: derivative(f, CIRCLE_X, order)[order]


def round_candidates(f: Any, order: int, names: list[str]) -> list[Candidate]:
    own = [
        Candidate(
            name,
            False,
            functools.partial(
                contest.call, "derivative", f, CIRCLE_X, name, {"order": order}
            ),
        )
        for name in names
    ]
    return [*own, Candidate(FORNBERG, True, functools.partial(fornberg, f, order))]


def measure_circle(effort: Effort, names: list[str]) -> Iterator[Figure]:
    for order, quantity in ((10, CIRCLE[0].name), (50, CIRCLE[4].name)):
        found = circle_errors(order, names)
        for (who, peer), (errors, counts) in found.items():
            yield Figure(quantity, who, float(np.median(errors)), peer)
            if order == 10:
                yield Figure(CIRCLE[1].name, who, float(np.mean(counts)), peer)
    base = functools.partial(np.tanh, CIRCLE_X)
    results = contest.contest(base, round_candidates(np.tanh, 10, names), effort)
    for result in results:
        seconds = result.timing.seconds if result.timing else None
        yield result.figure(CIRCLE[2].name, seconds)
    yield from contest.times_faster(CIRCLE[3].name, results, FORNBERG)


def circle_errors(order: int, names: list[str]) -> dict[Any, Any]:
    """Errors and evaluations of each candidate for each function."""
    found: dict[Any, Any] = {}
    for f, exact_f in ANALYTIC:
        evaluations = 0

        def counted(z: Any, f: Any = f) -> Any:
            nonlocal evaluations
            evaluations += np.size(z)
            return f(z)

        exact = nth_derivative(exact_f, CIRCLE_X, order)
        for candidate in round_candidates(counted, order, names):
            with np.errstate(all="ignore"):
                run, value, why = contest.attempt(candidate.build)
                if why == "not installed":
                    continue
                evaluations = 0
                if run is not None:
                    run()
            errors, counts = found.setdefault((candidate.who, candidate.peer), ([], []))
            errors.append(np.inf if why else abs(float(np.real(value)) / exact - 1))
            counts.append(evaluations)
    return found


ROWS = (
    Row(2, "Black box, common functions", COMMON, METHODS, measure_common),
    Row(3, "Black box, 22 traps", TRAPS, METHODS, measure_traps),
    Row(4, "Black box, tanh at a number", TIME, METHODS, measure_time),
    Row(5, "Black box, tanh on 1,000,000 points", ARRAY, METHODS, measure_array),
    Row(
        6,
        "Black box, nth derivative by complex values",
        CIRCLE,
        ("cauchy_integral",),
        measure_circle,
    ),
)
