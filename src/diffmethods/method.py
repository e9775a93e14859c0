"""Methods of differentiation, and where they are found.

A method is a module in ``diffmethods.methods`` with a `Method` named ``METHOD``; the
name of its file is its name everywhere.  Other packages add theirs by the entry point
group ``diffmethods.methods``.
"""

import contextlib
import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from diffmethods import methods
from diffmethods.errors import MissingLibraryError, OptionError, UnknownMethodError

ENTRY_POINTS = "diffmethods.methods"
FAMILIES = ("numerical", "symbolic", "forward", "reverse", "source", "libraries")


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to differentiate a function written in plain NumPy.

    A method gives `jvp` or `vjp`, or whatever operator it does best;
    `diffmethods.operators` derives the others.  The functions take ``f`` and the point
    first, then what the operator needs, then the method's own options as keywords.

    Attributes
    ----------
    name
        The registry key; set from the file's or the entry point's name.
    title, summary
        How a page names the method, and its idea in one sentence.
    family
        One of ``numerical``, ``symbolic``, ``forward``, ``reverse``, ``source``,
        ``libraries``.
    exact
        True where the only error is rounding.
    rtol
        Relative error to expect of a first derivative of a smooth function near 1;
        tests and `compare` hold the method to it.
    max_order
        The highest order of derivative it can do; None for any.
    complex_points
        True where it differentiates holomorphic functions at complex points, too, with
        real-linear rules: the slopes of all others must not turn with the direction, so
        that the operators can refuse them.
    reads_only
        True where all operators for functions of several variables leave the point as
        it is, and return no view of it; then it is not copied before.
    options
        What each keyword option means.
    references
        Keys of the bibliography.
    handles
        Says whether it has a rule for a function; None if it takes every function.
    at_number
        A short cut for the first derivative at a plain number; where it gives None or
        raises, the long way is taken.
    at_array
        The same at a float64 array: the derivative, in a new array of its shape, of a
        function that is known to be elementwise there; None where that is not known.
    jvps, vjps, hvps
        Short cuts for many products with one derivative: `jvp`, `vjp` or `hvp` for an
        array of directions along its first axis.
    own
        Takes the library's own array of real numbers as it is, so that it stays where
        it is and results do so, too; None for all else.
    value
        Evaluates a function that may be a library's own; None if NumPy always can.
    """

    title: str
    family: str
    summary: str
    exact: bool
    rtol: float
    name: str = ""
    max_order: int | None = None
    complex_points: bool = False
    reads_only: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    handles: Callable[[Callable[..., Any]], bool] | None = None
    at_number: Callable[..., Any] | None = None  # (f, x) -> f'(x) quickly, or None
    at_array: Callable[..., Any] | None = None  # the same, at an array
    jvps: Callable[..., Any] | None = None  # (f, x, vs) -> J(x) v for each v
    vjps: Callable[..., Any] | None = None  # (f, x, ws) -> w J(x) for each w
    hvps: Callable[..., Any] | None = None  # (f, x, vs) -> H(x) v for each v
    value: Callable[..., Any] | None = None  # (f, x) -> f(x)
    own: Callable[[Any], Any] | None = None  # x -> x or None

    jvp: Callable[..., Any] | None = None  # (f, x, v) -> J(x) v
    vjp: Callable[..., Any] | None = None  # (f, x, w) -> w J(x)
    derivative: Callable[..., Any] | None = (
        None  # (f, x, order) -> the elementwise derivative
    )
    gradient: Callable[..., Any] | None = None  # (f, x)
    jacobian: Callable[..., Any] | None = (
        None  # (f, x); None: derive it from jvp or vjp
    )
    hessian: Callable[..., Any] | None = None  # (f, x)
    hvp: Callable[..., Any] | None = None  # (f, x, v) -> H(x) v
    value_and_derivative: Callable[..., Any] | None = None  # (f, x, order)
    value_and_gradient: Callable[..., Any] | None = None  # (f, x)

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise OptionError(
                f"no family {self.family!r}; the families are {', '.join(FAMILIES)}"
            )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse an option that the method does not have."""
        for option in options:
            if option not in self.options:
                hint = suggestion(option, self.options)
                known = ", ".join(self.options) or "none"
                raise OptionError(
                    f"{self.name} has no option {option!r}{hint} (its options: {known})"
                )


_FIELDS = [f.name for f in fields(Method)]
OPERATORS = tuple(_FIELDS[_FIELDS.index("jvp") :])


def list_methods() -> list[str]:
    """Name every method: those of this package and those that other packages add.

    Returns
    -------
    list of str
        Sorted names, whether or not the library that a method needs is installed.

    Examples
    --------
    >>> import diffmethods as dm
    >>> "dual_numbers" in dm.list_methods()
    True
    """
    return sorted({*_own_names(), *_foreign()})


@functools.cache
def get_method(name: str) -> Method:
    """Load one method, and only the library that it needs.

    Parameters
    ----------
    name : str
        A name out of `list_methods`.

    Raises
    ------
    UnknownMethodError
        If there is no method of that name.
    MissingLibraryError
        If the library that it needs is not installed.

    Examples
    --------
    >>> import diffmethods as dm
    >>> dm.get_method("dual_numbers").exact
    True
    """
    if name in _own_names():
        try:
            module = importlib.import_module(f"{methods.__name__}.{name}")
        except ModuleNotFoundError as error:
            raise MissingLibraryError(
                f"the method {name!r} needs {error.name}, which is not installed: "
                f'pip install "diffmethods[{name}]"'
            ) from error
        own: Method = module.METHOD
        return replace(own, name=name)
    if name in _foreign():
        foreign: Method = _foreign()[name].load()
        return replace(foreign, name=name)
    raise UnknownMethodError(
        f"no method named {name!r}{suggestion(name, list_methods())} "
        "(diffmethods.list_methods() names them all)"
    )


def installed_methods() -> dict[str, Method]:
    """Load every method whose library is installed, by name.

    Returns
    -------
    dict of str to Method
        Sorted by name; it loads the libraries, which takes seconds.

    Examples
    --------
    >>> from diffmethods.method import installed_methods
    >>> installed_methods()["dual_numbers"].family
    'forward'
    """
    found = {}
    for name in list_methods():
        with contextlib.suppress(MissingLibraryError):
            found[name] = get_method(name)
    return found


def methods_for(function: Callable[..., Any]) -> list[str]:
    """Name the methods known to take a function; no library is loaded for it."""
    known = []
    for name in _own_names():
        loaded = f"{methods.__name__}.{name}" in sys.modules
        if loaded and (
            (handles := get_method(name).handles) is None or handles(function)
        ):
            known.append(name)
    return known


def suggestion(word: object, known: Any) -> str:
    """A hint at the nearest of the known words."""
    import difflib

    near = difflib.get_close_matches(str(word), list(known), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _own_names() -> list[str]:
    import pkgutil

    found = pkgutil.iter_modules(methods.__path__)
    return sorted(module.name for module in found if not module.name.startswith("_"))


@functools.cache
def _foreign() -> dict[str, Any]:
    from importlib.metadata import (
        entry_points,
    )  # costs more than the rest of the package

    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
