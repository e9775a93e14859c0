"""Chebyshev interpolation: a step for a black box that its own spectrum chooses."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import black_box
from diffmethods.black_box import (
    ALONE,
    EVERYWHERE,
    MAX_EVALUATIONS,
    NEAR_ZERO,
    USUAL_STEP,
    Along,
    Result,
    Sampler,
    elementwise_result,
    first_steps,
    first_time,
    plain,
    power_of_two,
    reliable,
    room,
    room_along,
    second_derivatives,
)
from diffmethods.method import Method
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.spectrum import (
    ENOUGH,
    Nodes,
    first_step,
    judged_number,
    judged_strip,
    nodes,
)
from diffmethods.step_search import searched, weighted
from diffmethods.traced import Traced

Function = Callable[..., Any]

STRIP = 16384  # items at a time: few calls for what still fits a processor's cache
MANY = 256  # items, from which a hasty first look saves time
SHORTER, SHORTEST = 4, 1e-3  # steps of later looks, in parts of the one before and of x
FLOAT, FLOAT64 = np.dtype(float), np.float64
EXPONENT = np.int64(0x7FF0000000000000)  # what is left of a float is a power of two
LARGE = 1e300

OPTIONS = {
    "step": f"a hint: the half-width of the first interval, {USUAL_STEP}",
    **black_box.OPTIONS,
}


def solve(
    f: Function,
    x: Any,
    order: int = 1,
    *,
    step: Any = None,
    bounds: Any = EVERYWHERE,
    max_evaluations: int = MAX_EVALUATIONS,
    rtol: float = 1e-4,
) -> Result:
    """Differentiate a black box, with an estimate of the error.

    Chebyshev interpolation of f around each x.  The decay of its coefficients tells how
    long the interval should be, their flat end how large the noise of f is, and both
    how wrong the derivative may be.

    Parameters
    ----------
    f : callable
        ``f(x)``, of a number or elementwise of an array; it sees float64 alone.
    x : float or array_like
        Where to differentiate.
    order : int
        Which derivative, up to 12.
    step : float or array_like, optional
        The half-width of the first interval.
    bounds : pair of array_like
        Where f may be evaluated.
    max_evaluations : int
        How often f may be evaluated for each item of x.
    rtol : float
        Largest estimated error that is a success, in parts of the derivative or, where
        that is near 0, of its usual size.

    Returns
    -------
    Result
        Its `df` and `error` have the shape of ``f(x)``; an item that failed has a
        negative `status`, and its `df` is the best that was found.

    Raises
    ------
    OptionError
        If x is out of bounds, or there are not enough evaluations for one round.
    ShapeError
        If ``f`` of an array is not elementwise.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.methods import chebyshev
    >>> found = chebyshev.solve(np.tanh, 2.0)
    >>> print(f"{found.df:.12f}, {found.nfev} evaluations, success {found.success}")
    0.070650824853, 10 evaluations, success True
    >>> kink = chebyshev.solve(np.abs, 0.0)
    >>> print(kink.success, kink.status)
    False -1
    """
    x = np.asarray(x, float)[()]
    sampler = Sampler(f, x)
    found = at_items(sampler, x, order, step, bounds, max_evaluations, rtol)[0]
    return elementwise_result(found, f)


def at_items(
    sampler: Sampler,
    x: Any,
    order: int,
    step: Any = None,
    bounds: Any = EVERYWHERE,
    max_evaluations: int = MAX_EVALUATIONS,
    rtol: float = 1e-4,
    known: Any = None,
    rows: Any = None,
) -> tuple[Result, Any]:
    """The result for every item of x, or of some of its rows, and the best steps."""
    h = first_steps(x, first_step(order), step)
    start = (h, np.spacing(np.abs(x)), *room(x, bounds))
    return searched(sampler, x, start, order, max_evaluations, rtol, known, rows)


def along(
    f: Function,
    x: Any,
    v: Any,
    order: int = 1,
    step: Any = None,
    bounds: Any = EVERYWHERE,
    max_evaluations: int = MAX_EVALUATIONS,
    rtol: float = 1e-4,
) -> Any:
    """The derivative of t -> f(x + t v) at 0; with stand-ins in it where there were."""
    point, direction = np.real(plain(x)), np.real(plain(v))
    start = (
        *first_time(point, direction, first_step(order), step),
        *room_along(point, direction, bounds),
    )
    sampler = Along(f, point, direction)
    found = searched(sampler, point, start, order, max_evaluations, rtol)
    if isinstance(x, Traced) or isinstance(v, Traced) or sampler.traced:
        h = np.float64(np.median(found[1]))
        return weighted(lambda t: f(x + t * v), np.float64(0.0), h, start[1:], order)
    return reliable(found[0], f)


def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
    """The first look of most items is good enough; the others are searched for."""
    if options or not (type(x) is np.float64 or type(x) is np.ndarray):
        return searched_for(f, x, order, **options)
    if type(x) is np.float64:
        known, df = first_look(f, x, order)
        return searched_for(f, x, order, known) if df is None else df
    if order > 1:
        return searched_for(f, x, order)
    df, rest = looked_at(f, x)
    if df is None:
        return searched_for(f, x, order)
    if rest.size:
        found = searched_for(f, x, order, rows=rest)
        df = df.astype(np.result_type(df, found), copy=False)
        df[rest] = found
    return df


def looked_at(f: Function, x: Any) -> tuple[Any, Any]:
    """First looks at many items, and which rows are left, for which all were too long.

    A search costs so much more that a few steps are tried before.
    """
    df, rest = None, np.arange(len(x) if x.ndim else 0)
    part = float(power_of_two(first_step(1)))
    while len(rest) and x.size // len(x) * len(rest) >= MANY and part > SHORTEST:
        looks = first_looks(f, x if df is None else x[rest], part)
        if looks is None:
            break
        if df is None:
            df = looks[0]
        else:
            df[rest] = looks[0]
        rest = rest[looks[1]]
        part /= SHORTER
    return df, rest


def searched_for(
    f: Function,
    x: Any,
    order: int,
    known: Any = None,
    rows: Any = None,
    **options: Any,
) -> Any:
    """The derivative, of all rows of x or of some, if its error is small enough."""
    point = np.asarray(np.real(plain(x)), float)[()]
    sampler = Sampler(f, point)
    result, h = at_items(sampler, point, order, known=known, rows=rows, **options)
    if isinstance(x, Traced) or sampler.traced:
        bounds = options.get("bounds", EVERYWHERE)
        h = h if np.shape(h) == np.shape(x) else np.float64(np.median(h))
        limits = (np.spacing(np.abs(point)), *room(point, bounds))
        return weighted(f, x, h, limits, order)
    if np.ndim(x) and not np.all(result.success):
        check_elementwise(f, x, result.df if rows is None else x)  # a better reason
    return reliable(result, f if rows is None else lambda _: f(x)[rows])


@np.errstate(all="ignore")
def first_look(f: Function, x: Any, order: int) -> tuple[Any, Any]:
    """Values of f at a number's first nodes, and the derivative if they suffice."""
    distance = abs(float(x))
    h = (distance if distance > NEAR_ZERO else 1.0) * first_step(order)
    if not h < LARGE:
        return None, None
    there, h, first, second, rest = first_nodes(order, math.frexp(h)[1] - 1)
    points = rest + np.asarray(x)
    try:
        y = f(points)
        if type(y) is not np.ndarray or y.shape != rest.shape or y.dtype is not FLOAT:
            return None, None
        base, other = f(x + first), f(x + second)
    except Exception:  # f wants numbers
        return None, None
    if not (type(base) is type(other) is FLOAT64):
        return None, None
    changes = np.empty((len(y) + 1, 1))
    changes[0] = other - base
    np.subtract(y, base, changes[1:])
    df, error = judged_number(there, float(base), changes.ravel())
    if error < ENOUGH * abs(df):
        return None, FLOAT64(df / h**order)
    return np.concatenate([[[base], [other]], y]), None


@functools.lru_cache
def first_nodes(order: int, exponent: int) -> tuple[Nodes, float, float, float, Any]:
    """Nodes, a power of two as the step, and the steps: two numbers, and the others."""
    there, h = nodes(order), math.ldexp(1.0, exponent)
    first, second = (h * there.at[:ALONE]).tolist()
    return there, h, first, second, h * there.column[ALONE:]


@np.errstate(all="ignore")
def first_looks(f: Function, x: Any, part: float) -> tuple[Any, Any] | None:
    """The derivatives of many items, strip by strip, and which rows are not good.

    The step is that part, a power of two, of the size of x.  Where f writes its values
    into one array again and again, they do not fit together, and no row is good.
    """
    there = nodes(1)
    half = part * there.column[1::2]
    df, rest = np.empty(x.shape), []
    strip = max(1, STRIP // (x.size // len(x)))
    for first in range(0, len(x), strip):
        at = x[first : first + strip]
        sizes = (at.view(np.int64) & EXPONENT).view(float)  # 2.0**k, at most abs(at)
        sizes[sizes < NEAR_ZERO] = 1.0
        points = np.empty((len(there.at), *at.shape))
        steps = half.reshape(-1, *np.ones(at.ndim, int)) * sizes
        np.subtract(at, steps, out=points[::2])
        np.add(at, steps, out=points[1::2])
        values = []
        for place in (slice(ALONE, None), 0, 1):
            try:
                some = f(points[place])
            except Exception:  # f wants arrays of the shape of x
                return None
            if type(some) is not np.ndarray or some.dtype is not FLOAT:
                return None
            if some.shape != points[place].shape:
                return None
            values.append(some)
        others, *pair = values
        slope, good = judged_strip(
            there, [np.ravel(y) for y in pair], others.reshape(len(others), -1)
        )
        sizes *= part
        np.divide(slope.reshape(at.shape), sizes, out=df[first : first + strip])
        if not good.all():
            rest.append(first + np.flatnonzero(~good.reshape(len(at), -1).all(1)))
    return df, np.concatenate([np.empty(0, int), *rest])


def at_number(f: Function, x: float, **options: Any) -> Any:
    return derivative(f, np.float64(x), 1, **options)


def jvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    return along(f, x, v, 1, **options)


hessian, hvp = second_derivatives(along)

METHOD = Method(
    title="Chebyshev interpolation",
    family="numerical",
    summary=(
        "Interpolate f around x, and let the decay of the coefficients choose the step "
        "and tell the error."
    ),
    exact=False,
    rtol=1e-12,
    max_order=12,
    options=OPTIONS,
    references=("trefethen2013", "aurentz2017"),
    at_number=at_number,
    derivative=derivative,
    jvp=jvp,
    hessian=hessian,
    hvp=hvp,
)
