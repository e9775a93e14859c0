"""Checkpoints: forget what happened inside a function, and run it again when needed."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.buffers import arithmetic_for
from diffmethods.cotangents import whole
from diffmethods.errors import TracedValueError
from diffmethods.fast_tape import FastNode
from diffmethods.tape import Entry, Node, Sweep, Tape
from diffmethods.traced import Traced, leaves, level_of, outcome


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let the tape keep the arguments of a function, and nothing of what it does.

    On its way back the sweep evaluates `f` once more, on a tape of its own that lives
    no longer than that.  A loop of n steps, cut into checkpointed blocks of about the
    square root of n, needs memory for twice that root instead of n, and one more
    evaluation.

    Parameters
    ----------
    f : callable
        ``f(*args)`` in plain NumPy, from arrays to an array.  All that the result
        depends on is among the arguments, and each evaluation gives the same.

    Returns
    -------
    callable
        The same function.  Methods without a tape do not notice a difference.

    Raises
    ------
    TracedValueError
        If `f` uses a variable of the derivative that is not among its arguments, or
        gives another result when it is run again.

    References
    ----------
    :cite:t:`griewank2008`, chapter 12.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> from diffmethods.checkpointing import checkpoint
    >>> @checkpoint
    ... def block(x):
    ...     for _ in range(100):
    ...         x = x + 0.001 * np.cos(x)
    ...     return x
    >>> def loop(x):
    ...     for _ in range(100):
    ...         x = block(x)
    ...     return np.sum(x)
    >>> dm.gradient(loop, method="reverse_tape")(np.array([0.0, 1.0]))
    array([9.0423e-05, 4.9068e-05])
    """

    @functools.wraps(f)
    def run(*args: Any) -> Any:
        innermost = max(leaves(args), key=level_of, default=None)
        if not isinstance(innermost, Node):
            return f(*args)
        tape = innermost.tape
        values = tape.values(args)
        y = outcome(f(*values))
        if tape.varies(y):
            raise TracedValueError(
                f"{f.__name__} uses a variable that is not among its arguments, and a "
                "checkpoint keeps nothing else: hand it over as an argument"
            )
        inputs = [
            (place, x.index)
            for place, x in enumerate(args)
            if isinstance(x, Node) and x.tape is tape
        ]
        tape.watch([x for x in args if not isinstance(x, Node)])
        return tape.record(y, (pull_again, f, values, inputs, sums(y)))

    return run


def pull_again(sweep: Sweep, w: Any, entry: Entry) -> None:
    """Record the function now, and read that tape backwards at once."""
    _, f, values, inputs, before = entry
    args = list(values)
    tape = Tape(FastNode, arithmetic_for(values[inputs[0][0]]))
    for place, _ in inputs:
        args[place] = tape.record(values[place])
    y = outcome(f(*args))
    tape.check_watched()
    if before is not None and not alike(before, sums(tape.values(y))):
        raise TracedValueError(
            f"{f.__name__} gave another result when the checkpoint ran it again: it "
            "draws random numbers, or uses what has changed meanwhile; hand such "
            "things over as arguments"
        )
    if not (isinstance(y, Node) and y.tape is tape):
        return
    again = Sweep(tape, sweep.rows, sweep.careful)
    arrived = again.back(y.index, whole(w, np.shape(y.value)), len(inputs))
    for (_, k), dx in zip(inputs, arrived, strict=True):
        if dx is not None:
            sweep.give(k, dx)


def sums(y: Any) -> Any:
    """Of a result that is not kept, what tells it from others; None for a stand-in."""
    if isinstance(y, Traced):
        return None
    flat = np.ravel(y * 1.0).view(float)
    flat = np.where(np.isfinite(flat), flat, 1.0)
    weights = np.linspace(1.0, 2.0, flat.size)
    return np.array([np.sum(np.abs(flat)), np.sum(flat), flat @ weights])


def alike(before: Any, now: Any) -> bool:
    """Whether two results have the same sums but for rounding."""
    return bool(np.all(np.abs(before - now) <= 1e-8 * before[0]))
