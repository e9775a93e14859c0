"""NumPy's composite functions in terms of simpler ones, for every engine alike.

`DEFINITIONS[f]` computes what ``f`` computes with calls that have rules; it takes the
arguments of ``f`` that matter, by NumPy's names.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.traced import OF_A_PART, leaves

MOST_ITEMS = 2**24  # of a matrix that tells which item counts where


def knowing_its_arguments(rule):
    """The rule, but NotImplemented for arguments that it has no parameters for."""

    @functools.wraps(rule)
    def checked(*args, **kwargs):
        try:
            return rule(*args, **kwargs)
        except TypeError:
            try:
                inspect.signature(rule).bind(*args, **kwargs)
            except TypeError:
                return NotImplemented
            raise

    return checked


def var(a, axis=None, ddof=0, keepdims=False, *, mean=None, correction=None):
    ddof = ddof if correction is None else correction
    spread = a - (np.mean(a, axis=axis, keepdims=True) if mean is None else mean)
    squares = (
        np.real(spread * np.conjugate(spread))
        if np.iscomplexobj(a)
        else spread * spread
    )
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    return total / (np.size(a) / max(np.size(total), 1) - ddof)


def std(a, axis=None, ddof=0, keepdims=False, *, mean=None, correction=None):
    """The length of the spread, whose slope is 0 where all items are equal."""
    if np.ndim(axis) and len(axis) > 2:
        return NotImplemented
    ddof = ddof if correction is None else correction
    spread = a - (np.mean(a, axis=axis, keepdims=True) if mean is None else mean)
    length = np.linalg.norm(spread, axis=axis, keepdims=keepdims)
    return length / np.sqrt(np.size(a) / max(np.size(length), 1) - ddof)


def average(a, axis=None, weights=None, keepdims=False):
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if axis is not None and np.ndim(weights) < np.ndim(a):
        weights = np.moveaxis(
            np.reshape(weights, (1,) * (np.ndim(a) - 1) + (-1,)), -1, axis
        )
    total = np.sum(a * weights, axis=axis, keepdims=keepdims)
    return total / np.sum(weights + 0.0 * a, axis=axis, keepdims=keepdims)


def clip(a, a_min=None, a_max=None, *, min=None, max=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def sort(a, axis=-1):
    if axis is None:
        return np.sort(np.ravel(a))
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


def quantile(a, q, axis=None, *, method="linear", keepdims=False):
    if method != "linear" or np.ndim(q):
        return NotImplemented
    ordered = np.sort(a, axis=axis)
    along = 0 if axis is None else axis
    position = q * (np.shape(ordered)[along] - 1)
    below = int(np.floor(position))
    above = min(below + 1, np.shape(ordered)[along] - 1)
    low, high = (np.take(ordered, [i], axis=along) for i in (below, above))
    y = low + (high - low) * (position - below)
    if keepdims:
        return np.reshape(y, (1,) * np.ndim(a)) if axis is None else y
    return np.squeeze(y, along)


def median(a, axis=None, keepdims=False):
    return np.quantile(a, 0.5, axis=axis, keepdims=keepdims)


def percentile(a, q, axis=None, *, method="linear", keepdims=False):
    return np.quantile(a, q / 100.0, axis=axis, method=method, keepdims=keepdims)


def select(condlist, choicelist, default=0):
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        default = np.where(condition, choice, default)
    return default


def piecewise(x, condlist, funclist, *args):
    """Evaluate every branch everywhere, and choose; the last one may be the default."""
    conditions = (
        list(condlist)
        if not isinstance(condlist, np.ndarray) or condlist.ndim > np.ndim(x)
        else [condlist]
    )
    y: Any = 0.0
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(np.stack(conditions), axis=0))
    with np.errstate(all="ignore"):
        for condition, branch in zip(conditions, funclist, strict=True):
            y = np.where(condition, branch(x, *args) if callable(branch) else branch, y)
    return y


def interp(x, xp, fp, left=None, right=None):
    xp, fp = (np.array(t) if isinstance(t, (tuple, list)) else t for t in (xp, fp))
    index = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, np.shape(xp)[0] - 2)
    x0, x1, f0, f1 = xp[index], xp[index + 1], fp[index], fp[index + 1]
    y = f0 + (f1 - f0) / (x1 - x0) * (x - x0)
    y = np.where(x < xp[0], fp[0] if left is None else left, y)
    return np.where(x > xp[-1], fp[-1] if right is None else right, y)


def polyval(p, x):
    y = 0.0 * x
    for coefficient in p:
        y = y * x + coefficient
    return y


def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        dx = np.diff(np.moveaxis(x, axis, -1) if np.ndim(x) > 1 else x)
    return np.sum(0.5 * dx * (y[..., 1:] + y[..., :-1]), axis=-1)


def linspace(start, stop, num=50, endpoint=True):
    steps = np.arange(num) / max(num - 1 if endpoint else num, 1)
    steps = np.reshape(steps, (num,) + (1,) * max(np.ndim(start), np.ndim(stop)))
    return start + (stop - start) * steps


def pad(array, pad_width, mode="constant", *, constant_values=None):
    """Put each item in its place by indexing; a constant border is added afterwards."""
    if callable(mode) or mode not in (
        "constant",
        "edge",
        "reflect",
        "symmetric",
        "wrap",
    ):
        return NotImplemented
    numbers = np.arange(np.size(array)).reshape(np.shape(array))
    if mode != "constant":
        return np.ravel(array)[np.pad(numbers, pad_width, mode)]
    source = np.pad(numbers, pad_width, constant_values=-1)
    if not leaves([constant_values]) and not np.any(constant_values):
        return np.concatenate([np.ravel(array), np.zeros(1)])[source]
    border = np.pad(
        np.zeros(np.shape(array)), pad_width, constant_values=constant_values
    )
    return np.where(source < 0, border, np.ravel(array)[source])


def full_like(a, fill_value, dtype=None, shape=None):
    shape = np.shape(a) if shape is None else shape
    if leaves(fill_value if isinstance(fill_value, (tuple, list)) else [fill_value]):
        return np.broadcast_to(fill_value, shape)
    return np.full(shape, fill_value, dtype or float)


def matrix_power(a, n):
    if n < 0:
        return np.linalg.matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return np.broadcast_to(np.eye(np.shape(a)[-1]), np.shape(a)) + 0.0 * a
    half = np.linalg.matrix_power(a, n // 2) if n > 1 else None
    return a if half is None else (half @ half @ a if n % 2 else half @ half)


def nanmean(a, axis=None, keepdims=False):
    counted = np.sum(np.where(np.isnan(a), 0.0, 1.0), axis=axis, keepdims=keepdims)
    return np.sum(np.where(np.isnan(a), 0.0, a), axis=axis, keepdims=keepdims) / counted


def angle(z, deg=False):
    y = np.arctan2(np.imag(z), np.real(z))
    return np.rad2deg(y) if deg else y


def rows_of_variables(m, rowvar):
    x = np.atleast_2d(m)
    return x if rowvar or np.shape(x)[0] == 1 else np.transpose(x)


def cov(m, y=None, rowvar=True, bias=False, ddof=None):
    x = rows_of_variables(m, rowvar)
    if y is not None:
        x = np.concatenate([x, rows_of_variables(y, rowvar)])
    spread = x - np.mean(x, axis=1, keepdims=True)
    count = np.shape(x)[1] - (1 - bias if ddof is None else ddof)
    return np.squeeze(spread @ np.transpose(np.conjugate(spread)) / max(count, 0))


def corrcoef(x, y=None, rowvar=True):
    c = np.cov(x, y, rowvar)
    if np.ndim(c) == 0:
        return c / c
    sizes = np.sqrt(np.real(np.diagonal(c)))
    return c / sizes[:, None] / sizes


def lstsq(a, b, rcond=None):
    if rcond is not None:
        return NotImplemented
    rows, columns = np.shape(a)
    s = np.linalg.svd(a, compute_uv=False)
    least = max(rows, columns) * np.finfo(float).eps
    rank = int(np.count_nonzero(s > least * np.max(s)))
    x = np.linalg.pinv(a) @ b
    squares = np.abs(b - a @ x) ** 2
    known = rows > columns == rank
    return x, np.atleast_1d(np.sum(squares, axis=0)) if known else np.empty(0), rank, s


def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    if full or cov or rcond is not None:
        return NotImplemented
    x = np.asarray(x) if isinstance(x, (tuple, list)) else x
    powers = np.stack([x**k for k in range(deg, -1, -1)], axis=-1)
    if w is not None:
        powers, y = powers * w[:, None], np.transpose(np.transpose(y) * w)
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    c = np.linalg.lstsq(powers / scale, y)[0]
    return np.transpose(np.transpose(c) / scale)


def cond(x, p=None):
    if p in (None, 2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        ends = (-1, 0) if p == -2 else (0, -1)
        return s[..., ends[0]] / s[..., ends[1]]
    inverse = np.linalg.inv(x)
    if np.ndim(x) == 2:
        return np.linalg.norm(x, p) * np.linalg.norm(inverse, p)
    axes = (-2, -1)
    return np.linalg.norm(x, p, axis=axes) * np.linalg.norm(inverse, p, axis=axes)


def geomspace(start, stop, num=50, endpoint=True):
    ratio = stop / start
    steps = np.linspace(0.0, 1.0, num, endpoint)
    return start * ratio ** np.reshape(steps, (num,) + (1,) * np.ndim(ratio))


def choose(a, choices):
    a = np.asarray(a) if isinstance(a, (tuple, list)) else a
    count = len(choices) if isinstance(choices, (tuple, list)) else np.shape(choices)[0]
    if np.any((a < 0) | (a >= count)):
        raise ValueError("invalid entry in choice array")
    y = choices[0]
    for k in range(1, count):
        y = np.where(np.equal(a, k), choices[k], y)
    return y


def bincount(x, weights=None, minlength=0):
    if weights is None or leaves([x]):
        return NotImplemented
    count = np.bincount(x, minlength=minlength).size
    if count * np.size(x) > MOST_ITEMS:
        return NotImplemented
    return (np.arange(count)[:, None] == x) * 1.0 @ weights


DEFINITIONS: dict[Callable, Callable] = {
    np.amax: lambda a, axis=None, **kwargs: np.max(a, axis=axis, **kwargs),
    np.amin: lambda a, axis=None, **kwargs: np.min(a, axis=axis, **kwargs),
    np.ptp: lambda a, axis=None, keepdims=False: (
        np.max(a, axis=axis, keepdims=keepdims)
        - np.min(a, axis=axis, keepdims=keepdims)
    ),
    np.var: var,
    np.std: std,
    np.average: average,
    np.clip: clip,
    np.sort: sort,
    np.quantile: quantile,
    np.percentile: percentile,
    np.median: median,
    np.select: select,
    np.compress: lambda condition, a, axis=None: np.take(
        a, np.flatnonzero(condition), axis=axis
    ),
    np.piecewise: piecewise,
    np.interp: interp,
    np.polyval: polyval,
    np.trapezoid: trapezoid,
    np.linspace: linspace,
    np.pad: pad,
    np.full_like: full_like,
    np.cov: cov,
    np.corrcoef: corrcoef,
    np.polyfit: polyfit,
    np.logspace: lambda start, stop, num=50, endpoint=True, base=10.0: (
        base ** np.linspace(start, stop, num, endpoint)
    ),
    np.geomspace: geomspace,
    np.choose: choose,
    np.bincount: bincount,
    np.linalg.lstsq: lstsq,
    np.linalg.cond: cond,
    np.nanmean: nanmean,
    np.angle: angle,
    np.divmod: lambda a, b: (np.floor_divide(a, b), np.remainder(a, b)),
    np.modf: lambda x: (x - np.trunc(x), np.trunc(x)),
    np.linalg.matrix_power: matrix_power,
    np.linalg.eigvalsh: lambda a, UPLO="L": np.linalg.eigh(a, UPLO)[0],
    np.linalg.trace: lambda x, *, offset=0: np.trace(x, offset, axis1=-2, axis2=-1),
    np.linalg.diagonal: lambda x, *, offset=0: np.diagonal(
        x, offset, axis1=-2, axis2=-1
    ),
}
DEFINITIONS = {f: knowing_its_arguments(rule) for f, rule in DEFINITIONS.items()}


# What is left where `where` is false, and `initial` beside the items.


def kept(a, where, fill):
    return a if where is True else np.where(where, a, fill)


def sum_of_part(a, axis=None, keepdims=False, *, initial=None, where=True):
    y = np.sum(kept(a, where, 0.0), axis=axis, keepdims=keepdims)
    return y if initial is None else y + initial


def product_of_part(a, axis=None, keepdims=False, *, initial=None, where=True):
    y = np.prod(kept(a, where, 1.0), axis=axis, keepdims=keepdims)
    return y if initial is None else y * initial


def extremum_of_part(extremum, choice):
    def rule(a, axis=None, keepdims=False, *, initial=None, where=True):
        if initial is None:
            raise ValueError(
                f"np.{extremum.__name__} with where= needs initial=, too, as there "
                "may be no item left"
            )
        a = kept(a, where, initial)
        shape = np.shape(np.sum(np.empty(np.shape(a)), axis=axis, keepdims=keepdims))
        if np.size(a) == 0:
            return np.zeros(shape) + initial
        return choice(extremum(a, axis=axis, keepdims=keepdims), initial)

    return rule


def mean_of_part(a, axis=None, keepdims=False, *, where):
    count = counted(a, axis, keepdims, where)
    return sum_of_part(a, axis, keepdims, where=where) / count


def counted(a, axis, keepdims, where):
    """How many items are left."""
    which = np.broadcast_to(where, np.shape(a))
    return np.sum(which, axis=axis, keepdims=keepdims, dtype=float)


def spread_of_part(a, axis, where, mean):
    """What is left, less its mean."""
    if mean is None:
        mean = mean_of_part(a, axis, True, where=where)
    return np.where(where, a - mean, 0.0)


def var_of_part(
    a, axis=None, ddof=0, keepdims=False, *, where, mean=None, correction=None
):
    ddof = ddof if correction is None else correction
    spread = spread_of_part(a, axis, where, mean)
    squares = np.real(spread * np.conjugate(spread))
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    return total / (counted(a, axis, keepdims, where) - ddof)


def std_of_part(
    a, axis=None, ddof=0, keepdims=False, *, where, mean=None, correction=None
):
    if np.ndim(axis) and len(axis) > 2:
        return NotImplemented
    ddof = ddof if correction is None else correction
    spread = spread_of_part(a, axis, where, mean)
    length = np.linalg.norm(spread, axis=axis, keepdims=keepdims)
    return length / np.sqrt(counted(a, axis, keepdims, where) - ddof)


PARTS: dict[Callable, Callable] = {
    np.sum: sum_of_part,
    np.prod: product_of_part,
    np.max: extremum_of_part(np.max, np.maximum),
    np.amax: extremum_of_part(np.max, np.maximum),
    np.min: extremum_of_part(np.min, np.minimum),
    np.amin: extremum_of_part(np.min, np.minimum),
    np.mean: mean_of_part,
    np.var: var_of_part,
    np.std: std_of_part,
}
OF_A_PART |= {f: knowing_its_arguments(rule) for f, rule in PARTS.items()}
