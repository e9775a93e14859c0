"""Rows of the table: what is measured, what is to be reached, and what came out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import diffmethods as dm

NO_METHOD = "no method yet"


@dataclass(frozen=True)
class Effort:
    """How long a run may take.

    Attributes
    ----------
    rounds, span
        How often each candidate is timed, and for how many seconds each time.
    largest
        The largest array or number of variables.
    samples
        How many points for each function of an accuracy test.
    patience
        Seconds that one call may take, by what smaller sizes foretell.
    """

    rounds: int
    span: float
    largest: int
    samples: int
    patience: float


FULL = Effort(rounds=15, span=0.002, largest=1_000_000, samples=8, patience=2.0)
QUICK = Effort(rounds=3, span=0.001, largest=10_000, samples=2, patience=0.2)


@dataclass(frozen=True)
class Figure:
    """One measured number, or the reason why there is none."""

    quantity: str
    who: str
    value: float | str
    peer: bool = False
    note: str = ""


@dataclass(frozen=True)
class Quantity:
    """A line of the table: a number that every candidate has, and its target."""

    name: str
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    size: int = 1

    @property
    def label(self) -> str:
        """Its name with the unit that its figures are in."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"at most {shown(self.at_most, self.unit)}"
        if self.at_least is not None:
            return f"at least {shown(self.at_least, self.unit)}"
        return ""

    def met(self, value: float) -> bool | None:
        """Whether a value reaches the target; None if there is no target."""
        if self.at_most is not None:
            return value <= self.at_most
        if self.at_least is not None:
            return value >= self.at_least
        return None


Measure = Callable[[Effort, list[str]], Iterable[Figure]]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes
    ----------
    number, title
        Its number and what it measures.
    quantities
        Its lines.
    methods
        The methods whose figures are the column "now", as far as they exist.
    measure
        Yields the figures, given the effort and those of the methods that exist.
    elsewhere
        Where it is measured, if not here.
    every
        Whether each of the methods has to reach the target, or the best of them.
    """

    number: int
    title: str
    quantities: tuple[Quantity, ...]
    methods: tuple[str, ...] = ()
    measure: Measure | None = None
    elsewhere: str = ""
    every: bool = False

    def existing(self) -> list[str]:
        """Those of its methods that the registry knows."""
        return [name for name in self.methods if name in dm.list_methods()]


@dataclass
class Outcome:
    """A row and the figures of this run."""

    row: Row
    figures: list[Figure] = field(default_factory=list)

    def of(self, quantity: Quantity, peer: bool) -> list[Figure]:
        return [
            figure
            for figure in self.figures
            if figure.quantity == quantity.name and figure.peer is peer
        ]

    def now(self, quantity: Quantity) -> str:
        """The figure that the methods reach, or why there is none."""
        if self.row.elsewhere:
            return self.row.elsewhere
        if self.row.methods and not self.row.existing():
            return NO_METHOD
        figures = self.of(quantity, peer=False)
        if len(figures) == 1 and len(self.row.methods) == 1:
            return figure_text(figures[0], quantity)
        return listed(figures, quantity) or "not in this run"

    def met(self, quantity: Quantity) -> bool | None:
        """Whether the best of the methods, or each of them, reaches the target."""
        values = [
            figure.value
            for figure in self.of(quantity, peer=False)
            if not isinstance(figure.value, str)
        ]
        verdicts = [quantity.met(value) for value in values]
        if not verdicts or None in verdicts:
            return None
        return all(verdicts) if self.row.every else any(verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON."""
        return {
            "row": self.row.number,
            "title": self.row.title,
            "quantities": [
                {
                    "name": quantity.name,
                    "unit": quantity.unit,
                    "target": quantity.target,
                    "now": self.now(quantity),
                    "met": self.met(quantity),
                    "methods": values(self.of(quantity, peer=False)),
                    "peers": values(self.of(quantity, peer=True)),
                }
                for quantity in self.row.quantities
            ],
        }


def measured(row: Row, effort: Effort) -> Outcome:
    """Measure a row, if it is measured here."""
    if row.measure is None:
        return Outcome(row)
    return Outcome(row, list(row.measure(effort, row.existing())))


def values(figures: Iterable[Figure]) -> dict[str, float | str]:
    return {figure.who: figure.value for figure in figures}


def listed(figures: Iterable[Figure], quantity: Quantity) -> str:
    return ", ".join(f"{f.who} {figure_text(f, quantity)}" for f in figures)


def figure_text(figure: Figure, quantity: Quantity) -> str:
    if isinstance(figure.value, str):
        return figure.value
    note = f" ({figure.note})" if figure.note else ""
    return shown(figure.value, quantity.unit) + note


SCALES = {"µs": 1e6, "ms": 1e3}  # times are kept in seconds


def shown(value: float, unit: str) -> str:
    """A number to three digits, in its unit."""
    value = value * SCALES.get(unit, 1)
    return f"{value:.3g}" if value < 1e3 or value >= 1e7 else f"{value:,.0f}"


def lines(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, ...]]:
    """The table as text: row, what, peers, target, now, and whether it is met."""
    for outcome in outcomes:
        number = str(outcome.row.number)
        title = outcome.row.title
        for quantity in outcome.row.quantities:
            met = outcome.met(quantity)
            yield (
                number,
                f"{title}: {quantity.label}" if title else quantity.label,
                listed(outcome.of(quantity, peer=True), quantity),
                quantity.target,
                outcome.now(quantity),
                "" if met is None else "yes" if met else "no",
            )
            number = title = ""


COLUMNS = {"Row": 1, "What": 4, "Peers now": 6, "To reach": 2, "Now": 4, "Met": 1}


def rich_table(outcomes: Sequence[Outcome], caption: str) -> Any:
    """The table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(caption=caption, title="Accuracy and speed", show_lines=False)
    for heading, share in COLUMNS.items():
        table.add_column(heading, ratio=share, overflow="fold")
    for cells in lines(outcomes):
        style = {"yes": "green", "no": "red"}.get(cells[-1], "")
        if cells[0] and table.rows:
            table.add_section()
        table.add_row(*cells[:-2], *(Text(cell, style) for cell in cells[-2:]))
    return table
