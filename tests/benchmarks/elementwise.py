"""Rows 7 and 8: the derivative of one number, and of many at once."""

from collections.abc import Iterator

from benchmarks import functions
from benchmarks.sweep import sweep
from benchmarks.table import Effort, Figure, Quantity, Row

METHODS = ("dual_numbers",)
CASES = {"tanh": functions.tanh, "the cubic": functions.cubic}
SIZES = (10_000, 100_000, 1_000_000)

AT_A_NUMBER = tuple(Quantity(name, "µs", at_most=1.5e-6) for name in CASES)
ON_ARRAYS = tuple(
    Quantity(f"{name}, {size:,} points", "× f", at_most=limit, size=size)
    for name, limit in (("tanh", 1.2), ("the cubic", 0.5))
    for size in SIZES
)


def at_a_number(effort: Effort, names: list[str]) -> Iterator[Figure]:
    for name, make in CASES.items():
        ((_, results),) = sweep("derivative", make, functions.point, [1], names, effort)
        for result in results:
            seconds = result.timing.seconds if result.timing else None
            yield result.figure(name, seconds)


def on_arrays(effort: Effort, names: list[str]) -> Iterator[Figure]:
    for name, make in CASES.items():
        for size, results in sweep(
            "derivative", make, functions.point, SIZES, names, effort
        ):
            for result in results:
                yield result.figure(f"{name}, {size:,} points")


ROWS = (
    Row(7, "Derivative of one number", AT_A_NUMBER, METHODS, at_a_number),
    Row(8, "Derivative on arrays", ON_ARRAYS, METHODS, on_arrays),
)
