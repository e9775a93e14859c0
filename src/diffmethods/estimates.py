"""Derivatives that another library estimates: what it sees of f, and what is believed.

A library's own error estimate decides: too large, and the derivative is an error.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.errors import (
    InputError,
    NotDifferentiableError,
    OptionError,
    ShapeError,
)
from diffmethods.traced import Traced, outcome

Function = Callable[..., Any]

RTOL = 1e-4
NOISE = 1e-8  # in parts of f(x), where the derivative is near 0


def plain_point(x: Any, name: str) -> Any:
    """The point as numbers."""
    if isinstance(x, Traced):
        raise stand_ins(name, x)
    return np.asarray(x, float)[()]


def plainly(f: Function, name: str) -> Function:
    """f in float64, with numbers of its own to change and to keep."""
    shapes: set[tuple[int, ...]] = set()

    def value(point: Any) -> Any:
        y = outcome(f(np.array(point, float)[()]))
        if isinstance(y, Traced):
            raise stand_ins(name, y)
        if np.iscomplexobj(y):
            raise InputError(
                f"{name} differentiates real functions, and f(x) is complex; "
                "differentiate its real and its imaginary part"
            )
        shapes.add(np.shape(y))
        if len(shapes) > 1:
            raise ShapeError("f changes the shape of its result around x")
        return np.array(y, float)[()]

    return value


def stand_ins(name: str, x: Traced) -> InputError:
    return InputError(
        f"{name} evaluates f at numbers, and meets stand-ins of {x.method}; nest the "
        "two the other way round, or use dual_numbers for both"
    )


def believed(
    name: str,
    advice: str,
    x: Any,
    y: Any,
    df: Any,
    error: Any,
    order: int = 1,
    rtol: Any = RTOL,
) -> Any:
    """The derivative, where its estimated error is small; NaN where f is not finite.

    Small is up to rtol in parts of the largest derivative of the same item of f(x) or,
    where that is near 0, up to `NOISE` in parts of ``f(x) / max(x, 1)``; each further
    order costs a digit.

    Parameters
    ----------
    x, y
        The point, and f there.
    df, error
        The derivative, whose first axes are those of y, and its estimated error.
    advice
        What to do about a large one.

    Raises
    ------
    NotDifferentiableError
        If one is too large.
    """
    if not (isinstance(rtol, (int, float)) and rtol > 0):
        raise OptionError(f"rtol must be a positive number, not {rtol!r}")
    df, error = np.asarray(df, float), np.asarray(error, float)
    shape = (*np.shape(y), *(1,) * (df.ndim - np.ndim(y)))
    undefined = np.broadcast_to(~np.isfinite(np.reshape(y, shape)), df.shape)
    with np.errstate(all="ignore"):
        usual = np.abs(np.reshape(y, shape)) / np.max(np.abs(x), initial=1.0)
        later = tuple(range(np.ndim(y), df.ndim))
        largest = np.max(np.abs(df), axis=later, keepdims=True, initial=0.0)
        noise = NOISE * 10.0 ** (order - 1) * usual
        good = error <= np.maximum(rtol * largest, noise)
    bad = ~(good & np.isfinite(df)) & ~undefined
    if not bad.any():
        return np.where(undefined, np.nan, df)[()]
    item = int(np.argmax(bad))
    raise NotDifferentiableError(
        f"no reliable derivative at x = {x}: {name} gives {df.flat[item]:.6g} with an "
        f"estimated error of {error.flat[item]:.1g}; {advice}, or rtol= for the error "
        "to accept"
    )
