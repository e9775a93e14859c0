"""Row 1: the error of exact methods in units in the last place, over all of float64."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import mpmath as mp
import numpy as np

from benchmarks import contest
from benchmarks.contest import Candidate
from benchmarks.table import Effort, Figure, Quantity, Row

DIGITS = 60

# NumPy's elementary functions, and the exact derivative of each.
ELEMENTARY: dict[str, Callable[[Any], Any]] = {
    "sin": mp.cos,
    "cos": lambda x: -mp.sin(x),
    "tan": lambda x: mp.sec(x) ** 2,
    "arcsin": lambda x: 1 / mp.sqrt((1 - x) * (1 + x)),
    "arccos": lambda x: -1 / mp.sqrt((1 - x) * (1 + x)),
    "arctan": lambda x: 1 / (1 + x * x),
    "sinh": mp.cosh,
    "cosh": mp.sinh,
    "tanh": lambda x: mp.sech(x) ** 2,
    "arcsinh": lambda x: 1 / mp.sqrt(1 + x * x),
    "arccosh": lambda x: 1 / mp.sqrt((x - 1) * (x + 1)),
    "arctanh": lambda x: 1 / ((1 - x) * (1 + x)),
    "exp": mp.exp,
    "exp2": lambda x: mp.mpf(2) ** x * mp.log(2),
    "expm1": mp.exp,
    "log": lambda x: 1 / x,
    "log2": lambda x: 1 / (x * mp.log(2)),
    "log10": lambda x: 1 / (x * mp.log(10)),
    "log1p": lambda x: 1 / (1 + x),
    "sqrt": lambda x: 1 / (2 * mp.sqrt(x)),
    "cbrt": lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),
    "square": lambda x: 2 * x,
    "reciprocal": lambda x: -1 / x**2,
}

# Compositions, and points where a rounded argument changes the derivative little.
COMPOSED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp(sin x)": (
        lambda xp: lambda x: xp.exp(xp.sin(x)),
        lambda x: mp.cos(x) * mp.exp(mp.sin(x)),
    ),
    "log(1 + x^2)": (
        lambda xp: lambda x: xp.log(1 + x * x),
        lambda x: 2 * x / (1 + x * x),
    ),
    "1 / (1 + exp(-x))": (
        lambda xp: lambda x: 1 / (1 + xp.exp(-x)),
        lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2,
    ),
    "sqrt(1 + x^2)": (
        lambda xp: lambda x: xp.sqrt(1 + x * x),
        lambda x: x / mp.sqrt(1 + x * x),
    ),
    "x exp(x)": (
        lambda xp: lambda x: x * xp.exp(x),
        lambda x: (1 + x) * mp.exp(x),
    ),
    "tanh(x) exp(x)": (
        lambda xp: lambda x: xp.tanh(x) * xp.exp(x),
        lambda x: (mp.sech(x) ** 2 + mp.tanh(x)) * mp.exp(x),
    ),
}

QUANTITIES = (
    Quantity("elementary derivatives, the worst", "ulp", at_most=4),
    Quantity("the same, elementary functions taken"),
    Quantity("tanh' at 20", "ulp", at_most=4),
    Quantity("compositions, the worst", "ulp", at_most=8),
)


def measure(effort: Effort, names: list[str]) -> Iterator[Figure]:
    """Worst errors of every exact method and of the peers that are exact, too."""
    worst, count, far, composed = (quantity.name for quantity in QUANTITIES)
    everywhere = points(25 * effort.samples)
    for who, peer, errors in surveys(names, elementary_cases(everywhere)):
        yield summary(worst, who, peer, errors)
        yield Figure(count, who, len(errors), peer)
    for who, peer, errors in surveys(names, [tanh_at_20()]):
        yield summary(far, who, peer, errors)
    near = np.geomspace(0.05, 20, 25 * effort.samples)
    for who, peer, errors in surveys(names, composed_cases(near)):
        yield summary(composed, who, peer, errors)


Case = tuple[str, Callable[[Any], Any], Any, list[Any]]


def elementary_cases(everywhere: Any) -> Iterator[Case]:
    """Each function where it and its derivative are finite, with the exact values."""
    for name, exact in ELEMENTARY.items():
        with np.errstate(all="ignore"):
            x = everywhere[np.isfinite(getattr(np, name)(everywhere))]
        yield case(name, lambda xp, name=name: getattr(xp, name), x, exact)


def composed_cases(x: Any) -> Iterator[Case]:
    for name, (make, exact) in COMPOSED.items():
        yield case(name, make, x, exact)


def tanh_at_20() -> Case:
    return case("tanh", lambda xp: xp.tanh, np.array([20.0]), ELEMENTARY["tanh"])


def case(name: str, make: Any, x: Any, exact: Callable[[Any], Any]) -> Case:
    """A function, the points where its derivative is finite, and the exact values."""
    with mp.workdps(DIGITS):
        truth = {}
        for item in x.tolist():
            try:
                value = exact(mp.mpf(item))
            except ZeroDivisionError:
                continue
            if abs(value) <= np.finfo(float).max:
                truth[item] = value
    return name, make, np.array(list(truth)), list(truth.values())


def points(count: int) -> Any:
    """Over all powers of ten and both signs; dense near 0, 1 and the sizes of life."""
    wide = np.geomspace(1e-307, 1e307, count)
    middle = np.geomspace(1e-3, 800, count)
    beside_one = np.geomspace(1e-16, 0.5, count // 4)
    positive = np.concatenate([wide, middle, 1 - beside_one, 1 + beside_one])
    return np.unique(np.concatenate([-positive, positive]))


Survey = tuple[str, bool, dict[str, float]]


def surveys(names: list[str], cases: Iterable[Case]) -> Iterator[Survey]:
    """For each candidate, its worst error in each case that it can do."""
    found: dict[tuple[str, bool], dict[str, float]] = {}
    for name, make, x, truth in cases:
        for candidate in exact_candidates(make, x, names):
            errors = found.setdefault((candidate.who, candidate.peer), {})
            with np.errstate(all="ignore"):
                _, value, why = contest.attempt(candidate.build)
            if not why:
                errors[name] = worst_error(value, truth)
    for (who, peer), errors in found.items():
        yield who, peer, errors


def exact_candidates(make: Any, x: Any, names: list[str]) -> list[Candidate]:
    black_boxes = ("SciPy", "numdifftools")
    return [
        candidate
        for candidate in contest.candidates("derivative", make, x, names)
        if candidate.who not in black_boxes
    ]


def worst_error(value: Any, truth: list[Any]) -> float:
    """In units in the last place of the exact value; infinite for NaN."""
    worst = 0.0
    with mp.workdps(DIGITS):
        for got, exact in zip(np.ravel(value).tolist(), truth, strict=True):
            if not np.isfinite(got):
                return np.inf
            unit = mp.mpf(float(np.spacing(abs(float(exact)))))
            worst = max(worst, float(abs(got - exact) / unit))
    return worst


def summary(quantity: str, who: str, peer: bool, errors: dict[str, float]) -> Figure:
    """The worst of many errors, and whose it is."""
    if not errors:
        return Figure(quantity, who, "not installed", peer)
    name = max(errors, key=errors.__getitem__)
    note = name if len(errors) > 1 else ""
    return Figure(quantity, who, errors[name], peer, note)


ROWS = (
    Row(
        1,
        "Accuracy",
        QUANTITIES,
        ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source"),
        measure,
        every=True,
    ),
)
