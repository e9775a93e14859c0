"""The command line of the benchmarks: which rows, how long, and where to write."""

import argparse
import time
import warnings
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import diffmethods as dm
from benchmarks import record, sweep, table
from benchmarks.rows import ROWS

SUMMARY = "Print the table of accuracy and speed, or record it."


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s benchmarks --", description=SUMMARY)
    parser.add_argument(
        "--rows", type=numbers, metavar="7,8", help="only these rows; no sweeps"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a minute: short arrays, few rounds, no sweeps",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--record", action="store_true", help=f"write {record.RECORDED.name} of docs"
    )
    options = parser.parse_args(argv)
    if options.record and (options.quick or options.rows):
        parser.error("--record is for a full run: leave --quick and --rows away")
    return options


def numbers(text: str) -> list[int]:
    known = {row.number for row in ROWS}
    chosen = [int(part) for part in text.split(",")]
    if unknown := set(chosen) - known:
        raise argparse.ArgumentTypeError(
            f"no row {min(unknown)}; the rows are {min(known)} to {max(known)}"
        )
    return chosen


def run(options: argparse.Namespace, console: Console) -> None:
    effort = table.QUICK if options.quick else table.FULL
    started, machine = time.perf_counter(), record.machine()
    rows = [row for row in ROWS if not options.rows or row.number in options.rows]
    titles = [] if options.rows or options.quick else list(sweep.SWEEPS)
    outcomes, sweeps = [], {}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(rows) + len(titles))
        for row in rows:
            progress.update(task, description=f"{row.number}: {row.title}")
            outcomes.append(table.measured(row, effort))
            progress.advance(task)
        for title in titles:
            progress.update(task, description=title)
            sweeps[title] = sweep.ratios(title, dm.list_methods(), effort)
            progress.advance(task)
    seconds = time.perf_counter() - started
    caption = (
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}; "
        f"{seconds:.0f} s{' (a quick run)' if options.quick else ''}"
    )
    console.print(table.rich_table(outcomes, caption))
    figures = record.to_dict(outcomes, sweeps, machine)
    for path in filter(None, (options.json, options.record and record.RECORDED)):
        record.write(path, figures)
        console.print(f"written: {path}")


def main() -> None:
    warnings.simplefilter("ignore")  # of the peers, about the functions they are given
    console = Console()
    run(arguments(), console if console.is_terminal else Console(width=150))
