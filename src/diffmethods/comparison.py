"""Tables from the registry: every method on one problem, and what each can do."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from diffmethods.errors import DiffmethodsError, InputError, MissingLibraryError
from diffmethods.method import OPERATORS, Method, get_method, list_methods
from diffmethods.operators import derivative
from diffmethods.problems import Problem

SECONDS = 0.02  # how long each function is timed

Function = Callable[..., Any]


@dataclass(frozen=True)
class Row:
    """What one method made of the problem.

    Attributes
    ----------
    method, title, family
        The method, as the registry names it.
    value
        The derivative, or None if the method refused.
    error_ulp
        Largest error in units in the last place of the reference, or None.
    relative_error
        Largest error relative to the reference, or None.
    stated_error
        The relative error of a first derivative that the method states.
    evaluations
        How many times ``f`` was called.
    time_ratio
        Time of the derivative divided by the time of ``f``.
    note
        Why there is no value.
    """

    method: str
    title: str
    family: str
    value: Any = None
    error_ulp: float | None = None
    relative_error: float | None = None
    stated_error: float | None = None
    evaluations: int | None = None
    time_ratio: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """The rows of `compare`, printed as a table by a terminal or a notebook."""

    rows: tuple[Row, ...]
    reference: str
    exact: Any
    order: int

    HEADER = ("Method", "Value", "Error (ulp)", "Calls of f", "Time / f")

    def cells(self) -> list[tuple[str, ...]]:
        """The table as text, a tuple a row."""
        return [
            (
                row.title,
                shown(row.value),
                shown(row.error_ulp, ".3g"),
                shown(row.evaluations),
                shown(row.time_ratio, ".3g"),
            )
            if row.value is not None
            else (row.title, row.note, "", "", "")
            for row in self.rows
        ]

    @property
    def caption(self) -> str:
        exact = f"{shown(self.exact)} ({self.reference})"
        return f"Derivative of order {self.order}; exact: {exact}"

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON."""
        rows = [asdict(row) | {"value": plain(row.value)} for row in self.rows]
        return {
            "order": self.order,
            "reference": self.reference,
            "exact": plain(self.exact),
            "rows": rows,
        }

    def __rich__(self) -> Any:
        return rich_table(self.HEADER, self.cells(), self.caption)

    def _repr_html_(self) -> str:
        return html_table(self.HEADER, self.cells(), self.caption)

    def __str__(self) -> str:
        return rendered(self.__rich__())


@dataclass(frozen=True)
class Capabilities:
    """What each method gives: ``native``, ``derived`` from what it gives, or ``no``."""

    table: dict[str, dict[str, str]]

    HEADER = ("Method", *(name.replace("_", " ") for name in OPERATORS))

    def cells(self) -> list[tuple[str, ...]]:
        return [(name, *row.values()) for name, row in self.table.items()]

    def __rich__(self) -> Any:
        return rich_table(self.HEADER, self.cells(), "Operators by method")

    def _repr_html_(self) -> str:
        return html_table(self.HEADER, self.cells(), "Operators by method")

    def __str__(self) -> str:
        return rendered(self.__rich__())


def compare(
    f: Function,
    x: Any,
    order: int = 1,
    methods: Sequence[str] | None = None,
    exact: Function | None = None,
    progress: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> Comparison:
    """Differentiate one function by every method, and measure each.

    Parameters
    ----------
    f : callable or Problem
        ``f(x)`` in plain NumPy, of one variable.
    x : float or array
        Where to differentiate; elementwise for an array.
    order : int
        Which derivative.
    methods : sequence of str, optional
        Names out of `list_methods`; all of them by default.
    exact : callable, optional
        The derivative, where you know it; else a `Problem` knows its own, mpmath
        computes it in 50 digits, or the exact methods are asked, in this order.
    progress : callable, optional
        Wraps the names of the methods as they are gone through, to show a progress bar.

    Returns
    -------
    Comparison
        A row a method: value, error, number of calls of `f`, time relative to `f`.

    Examples
    --------
    >>> import diffmethods as dm
    >>> table = dm.compare(lambda x: x**3, 2.0, methods=["dual_numbers"])
    >>> table.rows[0].value, table.rows[0].error_ulp, table.rows[0].evaluations
    (np.float64(12.0), 0.0, 1)
    """
    if not callable(f):
        raise InputError(f"f must be a function, not {type(f).__name__}")
    chosen = [get_or_explain(name) for name in progress_order(methods)]
    truth, source = reference(f, x, order, exact, chosen)
    rows = []
    names = iter(progress([name for name, _ in chosen]))
    for (name, method), _ in zip(chosen, names, strict=True):
        rows.append(measured(name, method, f, x, order, truth))
    return Comparison(tuple(rows), source, rounded(truth), order)


def capabilities() -> Capabilities:
    """Tell what each method gives, for all methods and operators.

    Returns
    -------
    Capabilities
        Its ``table[method][operator]`` is ``native`` if the method has its own way,
        ``derived`` if the package makes it from what the method has, ``no`` if it
        cannot be done, or ``not installed`` if the library that the method needs is
        missing.

    Examples
    --------
    >>> import diffmethods as dm
    >>> dm.capabilities().table["dual_numbers"]["jvp"]
    'native'
    """
    return Capabilities(
        {
            name: offered(method)
            for name, method in map(get_or_explain, progress_order(None))
        }
    )


def offered(method: Method | str) -> dict[str, str]:
    """What a method does for each operator."""
    if isinstance(method, str):
        return dict.fromkeys(OPERATORS, "not installed")
    second = {"hessian", "hvp"} if method.max_order == 1 else set()
    return {
        name: "native"
        if getattr(method, name)
        else "no"
        if name in second
        else "derived"
        for name in OPERATORS
    }


def progress_order(methods: Sequence[str] | None) -> list[str]:
    return list_methods() if methods is None else list(methods)


def get_or_explain(name: str) -> tuple[str, Method | str]:
    """A method, or why it is missing."""
    try:
        return name, get_method(name)
    except MissingLibraryError as error:
        return name, str(error)


def reference(
    f: Function,
    x: Any,
    order: int,
    exact: Function | None,
    chosen: Iterable[tuple[str, Any]],
) -> tuple[Any, str]:
    """The derivative to compare with, and where it comes from."""
    if exact is not None:
        return exact(x), "given"
    try:
        from diffmethods import reference as mpmath_reference

        each = [mpmath_reference.derivative(f, item, order) for item in np.ravel(x)]
        if any(complex(e).imag for e in each):
            return np.full(np.shape(x), np.nan), "none: f is not real there"
        return np.array(each, dtype=object).reshape(np.shape(x)), "mpmath, 50 digits"
    except Exception:  # mpmath is missing, or lacks a function that f calls
        pass
    if isinstance(f, Problem) and len(f.derivatives) >= order:
        return f.derivatives[order - 1](x), "the problem's exact derivative"
    candidates = [m for _, m in chosen if isinstance(m, Method) and m.exact]
    for method in sorted(candidates, key=lambda m: m.rtol):
        try:
            return derivative(f, method=method.name, order=order)(
                x
            ), f"{method.name}, the most exact here"
        except DiffmethodsError:
            continue
    return np.full(np.shape(x), np.nan), "none found"


def measured(
    name: str, method: Method | str, f: Function, x: Any, order: int, truth: Any
) -> Row:
    """Run a method once for its value, and again for its time."""
    if isinstance(method, str):
        return Row(name, name, "", note=method)
    calls = 0

    def counted(z: Any) -> Any:
        nonlocal calls
        calls += 1
        return f(z)

    about: dict[str, Any] = {
        "method": name,
        "title": method.title,
        "family": method.family,
    }
    try:
        value = derivative(counted, method=name, order=order)(x)
    except DiffmethodsError as error:
        return Row(**about, note=str(error))
    except Exception as error:  # f itself fails there, or the library does
        return Row(**about, note=f"{type(error).__name__}: {error}")
    evaluations = calls
    df = derivative(f, method=name, order=order)
    point = np.asarray(x, float)[()]
    ratio = min(seconds(lambda: df(x)) / seconds(lambda: f(point)) for _ in range(2))
    relative, ulp = errors(value, truth)
    return Row(
        **about,
        value=value,
        error_ulp=ulp,
        relative_error=relative,
        stated_error=method.rtol,
        evaluations=evaluations,
        time_ratio=ratio,
    )


def seconds(run: Callable[[], Any]) -> float:
    """The shortest time of many runs."""
    best, end = np.inf, time.perf_counter() + SECONDS
    while True:
        start = time.perf_counter()
        run()
        stop = time.perf_counter()
        best = min(best, stop - start)
        if stop > end:
            return float(best)


def errors(value: Any, truth: Any) -> tuple[float, float]:
    """Largest relative error, and largest error in units in the last place.

    Where an item of an array should be 0, its error is relative to the largest item.
    """
    exact = np.abs(np.ravel(rounded(truth)))
    exact = np.where(exact == 0, np.max(exact, initial=0.0), exact)
    pairs = zip(np.ravel(value), np.ravel(truth), strict=True)
    distance = np.array([float(abs(plain(got) - want)) for got, want in pairs])
    with np.errstate(all="ignore"):
        relative = np.where(distance == 0, 0.0, distance / exact)
        ulp = np.where(distance == 0, 0.0, distance / np.spacing(exact))
    return float(np.max(relative, initial=0.0)), float(np.max(ulp, initial=0.0))


def rounded(truth: Any) -> Any:
    """Numbers of any precision as float64, or as complex128 where they are complex."""
    numbers = [complex(t) for t in np.ravel(truth)]
    real = not any(number.imag for number in numbers)
    array = np.array([n.real for n in numbers] if real else numbers)
    return array.reshape(np.shape(truth))[()]


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def shown(value: Any, form: str = "") -> str:
    """A number in full, or an array in short."""
    if value is None:
        return ""
    if np.ndim(value):
        return np.array2string(np.asarray(value), threshold=4, edgeitems=2, precision=6)
    return format(value if form else plain(value), form)


def rich_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], caption: str
) -> Any:
    try:
        from rich.table import Table
        from rich.text import Text
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            'to print a table you need rich: pip install "diffmethods[cli]"'
        ) from error
    table = Table(caption=Text(caption))
    for number, name in enumerate(header):
        table.add_column(
            name, justify="left" if number < 2 else "right", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def rendered(table: Any) -> str:
    """A rich table as plain text."""
    from rich.console import Console

    console = Console(width=140, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()


def html_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], caption: str
) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in others)
        + "</tr>"
        for first, *others in rows
    )
    return (
        f'<div class="dm-table"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
