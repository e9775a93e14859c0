"""Compiled derivatives, kept as long as what the function reads stays the same."""

from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.surroundings import memory_of

Function = Callable[..., Any]

COMPILE = (
    "Keep a compiled program for each operator and shape; it is made anew when "
    "something that f reads has changed"
)


def by_program(
    f: Function, key: tuple[Any, ...], compile_: Function, points: list[Any]
) -> Any:
    """What the program kept for f, the key and the shapes of points gives there.

    ``compile_(g)`` makes the program of g, which is f without a claim to its life. The
    result is None where nothing may be kept of f, since it cannot be known whether what
    it reads has changed; and where the library cannot compile it, as with a branch that
    depends on a value. Then f has to be followed step by step.
    """
    memory = memory_of(f)
    if memory is None:
        return None
    refer = memory.f
    shapes = (tuple(np.shape(point)) for point in points)
    programs: list[Any] = memory.programs.setdefault((*key, *shapes), [])
    if not programs:
        programs.append(compile_(lambda x: refer()(x)))
    if programs[0] is None:
        return None
    try:
        return programs[0](*points)
    except Exception:  # without a program it either works, or the error says why not
        programs[0] = None
        return None
