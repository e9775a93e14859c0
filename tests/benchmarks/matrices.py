"""Rows 14 and 15: whole Jacobians and Hessians of a hundred variables."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import contest, functions
from benchmarks.functions import Make
from benchmarks.table import Effort, Figure, Quantity, Row

N = 100
FIRST = ("dual_numbers", "reverse_tape", "numpy_source")
SECOND = ("reverse_tape", "numpy_source")


def square(name: str, limit: float) -> tuple[Quantity, ...]:
    return (Quantity(name, "× f", at_most=limit, size=N),)


JACOBIAN = square("tanh(A x), 100 × 100", 7)
HESSIAN = square("Rosenbrock's function, 100 × 100", 24)


def measure(
    operator: str, make: Make, x: Any, quantity: str, effort: Effort, names: list[str]
) -> Iterator[Figure]:
    """The whole matrix at once, by every candidate; a sparse one by colours, too."""
    entered = contest.candidates(operator, make, x, names)
    if operator == "hessian":
        by_colours = contest.candidates(operator, make, x, names, sparsity="detect")
        entered += [
            dataclasses.replace(c, who=f"{c.who} with sparsity")
            for c in by_colours
            if not c.peer
        ]
    if effort.samples < 4:  # numdifftools alone would take seconds a call
        entered = [c for c in entered if c.who != "numdifftools"]
    for result in contest.contest(functools.partial(make(np), x), entered, effort):
        yield result.figure(quantity)


def row(
    number: int, methods: tuple[str, ...], quantities: tuple[Quantity, ...], *task: Any
) -> Row:
    run = functools.partial(measure, *task, quantities[0].name)
    return Row(number, task[0].capitalize(), quantities, methods, run)


X = functions.start(N)
ROWS = (
    row(14, FIRST, JACOBIAN, "jacobian", functions.layer, X),
    row(15, SECOND, HESSIAN, "hessian", functions.rosenbrock, X),
)
