"""The command line: list the methods, and compare them on a formula."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np

import diffmethods as dm
from diffmethods.errors import DiffmethodsError, ExpressionError, MissingLibraryError
from diffmethods.expression import expression
from diffmethods.workers import with_bar

try:
    import typer
    from rich.console import Console
    from rich.table import Table
except ModuleNotFoundError as error:
    sys.exit(
        f"diffmethods: the command line needs {error.name}, which is not installed: "
        'pip install "diffmethods[cli]"'
    )

app = typer.Typer(
    name="diffmethods",
    help="Differentiate a formula by every method there is, side by side.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def main() -> None:
    """Run the command line: the entry point of the command ``diffmethods``."""
    app(prog_name="diffmethods")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"diffmethods {dm.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Options that stand before the command."""


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the methods: family, title, whether exact, what to install."""
    with _errors_explained():
        rows = [_described(name) for name in with_bar(dm.list_methods())]
    if as_json:
        _print_json(rows)
        return
    table = Table("Method", "Family", "Title", "Exact", "Installed")
    for row in rows:
        exact = {True: "yes", False: "no", None: ""}[row["exact"]]
        installed = "yes" if row["installed"] else row["note"]
        table.add_row(row["name"], row["family"], row["title"], exact, installed)
    _print_table(table)


# A formula may begin with a minus sign, which looks like an option.
@app.command(context_settings={"ignore_unknown_options": True})
def compare(
    formula: Annotated[
        str, typer.Argument(help='A formula in x in quotes, such as "tanh(x)".')
    ],
    at: Annotated[
        str,
        typer.Option(help="Where to differentiate: a number, or pi/2 and the like."),
    ],
    order: Annotated[int, typer.Option(min=1, help="Which derivative.")] = 1,
    methods: Annotated[
        str | None, typer.Option(help="Names with commas between; all by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Differentiate a formula by every method, and measure each."""
    with _errors_explained(), np.errstate(all="ignore"):
        f = expression(formula)
        x = _point(at)
        names = _names(methods)
        for name in with_bar(names):
            _described(name)  # what takes long is loading the libraries
        comparison = dm.compare(f, x, order, methods=names, progress=with_bar)
    if as_json:
        _print_json({"formula": formula, "at": x, **comparison.to_dict()})
    else:
        _print_table(comparison)


def _described(name: str) -> dict[str, Any]:
    """A row of the table of methods; loads the method."""
    try:
        method = dm.get_method(name)
    except MissingLibraryError as error:
        about: dict[str, Any] = dict.fromkeys(("family", "title", "exact"))
        return {"name": name, **about, "installed": False, "note": str(error)}
    return {
        "name": name,
        "family": method.family,
        "title": method.title,
        "exact": method.exact,
        "installed": True,
        "note": "",
    }


def _point(at: str) -> float:
    point = expression(at)
    if "x" in point.names:
        raise ExpressionError(f"--at {at} holds x: it must be a number, such as pi/2")
    return float(point(0.0))


def _names(methods: str | None) -> list[str]:
    if methods is None:
        return dm.list_methods()
    return [name.strip() for name in methods.split(",")]


@contextmanager
def _errors_explained() -> Iterator[None]:
    """An error of this package is a message and the status 2, not a traceback."""
    try:
        yield
    except DiffmethodsError as error:
        typer.echo(f"diffmethods: {error}", err=True)
        raise typer.Exit(2) from error


def _print_table(table: Any) -> None:
    """In a pipe a table is as wide as it needs to be."""
    width = None if sys.stdout.isatty() else 200
    Console(width=width, markup=False, highlight=False).print(table)


def _print_json(tree: Any) -> None:
    typer.echo(json.dumps(_finite(tree), indent=2, allow_nan=False))


def _finite(tree: Any) -> Any:
    """JSON has neither NaN nor infinities: they become null."""
    if isinstance(tree, dict):
        return {key: _finite(branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_finite(branch) for branch in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


if __name__ == "__main__":
    main()
