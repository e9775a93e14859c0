"""Tables from the registry: every method on one problem, and what each can do."""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from diffmethods.errors import DiffmethodsError, InputError, MissingLibraryError
from diffmethods.method import OPERATORS, Method, get_method, list_methods
from diffmethods.operators import derivative
from diffmethods.problems import Problem
from diffmethods.traced import is_foreign
from diffmethods.workers import Workers, done, with_bar

SECONDS = 0.02  # how long each function is timed
MOST_ITEMS = 10_000  # of a point for mpmath, which takes a millisecond for each

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


FEW_ULP = 8  # more than that is no rounding of the last operations


def loses_digits(row: Row) -> bool:
    """Whether a method without an error of its own is off by more than rounding."""
    far = row.error_ulp is not None and row.error_ulp > FEW_ULP
    return far and get_method(row.method).exact


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
        words = f"Derivative of order {self.order}; exact: {exact}"
        if rough := [row.title for row in self.rows if loses_digits(row)]:
            words += f". Exact, but its own rules lose digits here: {', '.join(rough)}"
        return words

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
class Case:
    """One function at one point: its name, the point's size, the `Comparison`."""

    function: str
    size: int
    comparison: Comparison


@dataclass(frozen=True)
class Sweep:
    """The cases of `sweep`, printed as one table."""

    cases: tuple[Case, ...]

    HEADER = ("Function", "Points", "Order", *Comparison.HEADER)

    def cells(self) -> list[tuple[str, ...]]:
        """The table as text, a tuple a row."""
        return [
            (case.function, str(case.size), str(case.comparison.order), *row)
            for case in self.cases
            for row in case.comparison.cells()
        ]

    @property
    def caption(self) -> str:
        return f"{len(self.cases)} comparisons"

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON."""
        return {
            "cases": [
                {"function": case.function, "size": case.size}
                | case.comparison.to_dict()
                for case in self.cases
            ]
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
    workers: Workers = 1,
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
    workers : int or map-like callable
        As for `sweep`; here a method is a job.

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
    names = [name for name, _ in chosen]
    written = f.f if isinstance(f, Problem) else f  # whose source can be read
    jobs = [(name, written, x, order, truth) for name in names]
    rows = done(measured, jobs, names, workers, progress)
    return Comparison(tuple(rows), source, rounded(truth), order)


def sweep(
    functions: Mapping[str, Function] | Iterable[Problem],
    points: Iterable[Any],
    orders: Iterable[int] = (1,),
    methods: Sequence[str] | None = None,
    workers: Workers = 1,
    progress: Callable[[Iterable[str]], Iterable[str]] = with_bar,
) -> "Sweep":
    """Compare the methods on many functions, at many points, in many orders.

    Parameters
    ----------
    functions : mapping of str to callable, or iterable of Problem
        Functions as for `compare`, each with a name.
    points : iterable of float or array
        Where to differentiate: numbers, and arrays of any size.
    orders : iterable of int
        Which derivatives.
    methods : sequence of str, optional
        Names out of `list_methods`; all of them by default.
    workers : int or map-like callable
        How many processes share the work, -1 for as many as there are processors; or
        what is called as ``workers(function, iterable)``, such as the ``map`` of an
        executor of ``concurrent.futures`` or Dask.  One function at one point in one
        order is a job.  Jobs that run side by side disturb each other's times.
    progress : callable
        Wraps the names of the jobs as they are gone through; by default a bar, if rich
        is installed, on a terminal.

    Returns
    -------
    Sweep
        A `Comparison` for each function, point and order.

    Raises
    ------
    OptionError
        If `workers` is neither a number of processes nor callable.
    InputError
        If a function cannot go to another process.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> functions = {"tanh": np.tanh, "exp": np.exp}
    >>> found = dm.sweep(functions, [0.5, np.ones(3)], methods=["dual_numbers"])
    >>> [(case.function, case.size) for case in found.cases]
    [('tanh', 1), ('tanh', 3), ('exp', 1), ('exp', 3)]
    """
    named = functions if isinstance(functions, Mapping) else by_name(functions)
    jobs = [
        (name, f, x, order, methods)
        for (name, f), x, order in itertools.product(
            named.items(), list(points), list(orders)
        )
    ]
    names = [name for name, *_ in jobs]
    return Sweep(tuple(done(compared, jobs, names, workers, progress)))


def by_name(problems: Iterable[Problem]) -> dict[str, Problem]:
    problems = list(problems)
    for problem in problems:
        if not isinstance(problem, Problem):
            raise InputError(
                "sweep needs a name for each function, as in {'f': f}, not "
                f"{problem!r}"
            )
    return {problem.name: problem for problem in problems}


def compared(job: tuple[str, Function, Any, int, Sequence[str] | None]) -> "Case":
    name, f, x, order, methods = job
    return Case(name, int(np.size(x)), compare(f, x, order, methods))


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

        if np.size(x) > MOST_ITEMS:
            raise NotImplementedError
        each = [mpmath_reference.derivative(f, item, order) for item in np.ravel(x)]
        if any(complex(e).imag for e in each):
            return np.full(np.shape(x), np.nan), "none: f is not real there"
        return np.array(each, dtype=object).reshape(np.shape(x)), "mpmath, 50 digits"
    except Exception:  # it is missing, would take long, or lacks a function of f
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


def measured(job: tuple[str, Function, Any, int, Any]) -> Row:
    """Run a method once for its value, and again for its time."""
    name, f, x, order, truth = job
    _, method = get_or_explain(name)
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
        df = derivative(f, method=name, order=order)
        value = in_memory(df(x))
    except DiffmethodsError as error:
        return Row(**about, note=str(error))
    except Exception as error:  # f itself fails there, or the library does
        return Row(**about, note=f"{type(error).__name__}: {error}")
    try:
        in_memory(derivative(counted, method=name, order=order)(x))
    except DiffmethodsError:  # it reads the source of f, and this one's is ours
        calls = 0
    point = x if is_foreign(x) else np.asarray(x, float)[()]
    ratio = min(
        seconds(lambda: in_memory(df(x))) / seconds(lambda: in_memory(f(point)))
        for _ in range(2)
    )
    relative, ulp = errors(value, truth)
    return Row(
        **about,
        value=value,
        error_ulp=ulp,
        relative_error=relative,
        stated_error=method.rtol,
        evaluations=calls or None,
        time_ratio=ratio,
    )


def in_memory(y: Any) -> Any:
    """The numbers; what is lazy is computed."""
    return np.asarray(y)[()] if is_foreign(y) else y


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

    console = Console(width=200, color_system=None, force_terminal=False)
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
