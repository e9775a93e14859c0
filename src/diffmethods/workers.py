"""Workers: many calls through one map, your own or a pool's, with a bar to watch."""

import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from diffmethods.errors import InputError, OptionError

Function = Callable[..., Any]
Workers = int | Function


@contextmanager
def mapped(workers: Workers) -> Iterator[Function]:
    """Lend the map that `workers` stands for.

    A number makes that many processes, and -1 as many as there are processors; 1 stays
    in this process.  Anything like ``map`` is taken as it is: ``executor.map`` of
    ``concurrent.futures``, or of Dask by ``client.get_executor()``.
    """
    if callable(workers):
        yield workers
        return
    whole = isinstance(workers, int) and not isinstance(workers, bool)
    if not whole or (workers < 1 and workers != -1):
        raise OptionError(
            "workers must be a number of processes from 1, -1 for all processors, or "
            "a function like map"
        )
    if workers == 1:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor  # most uses need it never
    from multiprocessing import get_context

    count = os.cpu_count() if workers == -1 else workers
    # A fork of a process with threads, which the libraries start, may hang.
    with ProcessPoolExecutor(count, get_context("spawn")) as executor:
        yield lambda function, jobs: executor.map(
            function, list(map(transferable, jobs))
        )


def transferable(job: Any) -> Any:
    """The job, if it can go to another process."""
    try:
        pickle.dumps(job)
    except Exception as error:
        raise InputError(
            "a function goes to other processes by its name, so it must be one that a "
            "module defines, not a lambda or one inside another function; or give "
            f"workers= the map of an executor that sends functions ({error})"
        ) from error
    return job


def with_bar(names: Iterable[str]) -> Iterator[str]:
    """Go through names with a bar on a terminal, which vanishes at the end.

    There is none without rich, or where the errors do not go to a terminal.
    """
    names = list(names)
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ModuleNotFoundError:
        yield from names
        return
    hidden = not sys.stderr.isatty()  # whatever FORCE_COLOR makes rich believe
    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=len(names))
        for name in names:
            bar.update(task, description=name, refresh=True)
            yield name
            bar.advance(task)


def done(
    function: Function,
    jobs: Sequence[Any],
    names: Iterable[str],
    workers: Workers,
    progress: Function,
) -> list[Any]:
    """The results of all jobs in their order; `progress` sees the name waited for."""
    with mapped(workers) as map_:
        results = iter(map_(function, jobs))
        pairs = zip(progress(names), results, strict=True)
        return [arrived(result) for _, result in pairs]


def arrived(result: Any) -> Any:
    """The result; Dask's own ``client.map`` gives futures of it."""
    future = hasattr(result, "result") and hasattr(result, "cancel")
    return result.result() if future else result
