"""Arithmetic of truncated power series: products, quotients, powers, roots, kinks.

A series u_0 + u_1 t + u_2 t^2 + ... is the sequence of its coefficients, cut off after
t^n; what is missing at its end is 0.  The sequence is a list of Python numbers (the
fast way for a scalar), an array with the coefficients along its first axis, or a list
of stand-ins of an outer trace.
"""

import functools
import math
from collections.abc import Callable, Sequence
from operator import mul
from typing import Any

import numpy as np

from diffmethods.traced import Traced

Coefficients = Any  # a list or an array, as above
Function = Callable[..., Any]

FEW = 8  # whole powers up to this are products
LEAST = 2.0**-960  # powers below this have lost digits


class Truncation:
    """How far series go, and what a run has met on its way.

    At a kink a function has two series, one for t > 0 and one for t < 0: `side` says
    which of them is followed, and `kinked` that there were two.  `lost` counts the last
    coefficients that are unknown, since a root of t^m v halves the power of t and v
    ends m terms early.
    """

    def __init__(self, order: int, side: int = 1):
        self.order = order
        self.side = side
        self.kinked = False
        self.lost: float = 0


# Leading coefficients, of numbers by the fast functions of Python.

MATH: dict[Function, Function] = {
    np.exp: math.exp,
    np.exp2: math.exp2,
    np.expm1: math.expm1,
    np.log: math.log,
    np.log2: math.log2,
    np.log10: math.log10,
    np.log1p: math.log1p,
    np.sqrt: math.sqrt,
    np.cbrt: math.cbrt,
    np.power: math.pow,
    np.float_power: math.pow,
    np.sin: math.sin,
    np.cos: math.cos,
    np.tan: math.tan,
    np.arcsin: math.asin,
    np.arccos: math.acos,
    np.arctan: math.atan,
    np.arctan2: math.atan2,
    np.hypot: math.hypot,
    np.sinh: math.sinh,
    np.cosh: math.cosh,
    np.tanh: math.tanh,
    np.arcsinh: math.asinh,
    np.arccosh: math.acosh,
    np.arctanh: math.atanh,
}


def value(function: Function, *xs: Any) -> Any:
    """The function's value; of Python numbers a Python number."""
    if xs[0].__class__ is float and xs[-1].__class__ is float and function in MATH:
        return MATH[function](*xs)
    y = function(*xs)
    return y.item() if isinstance(y, np.generic) else y


# Arithmetic of series.


def convolution(a: Coefficients, b: Coefficients, count: int) -> Callable[[int], Any]:
    """The coefficients of a b, asked for in turn while b becomes known.

    Of arrays, each new row of b is multiplied into all later coefficients at once: two
    calls of NumPy, where a sum of products would take two for each product.
    """
    if b.__class__ is not np.ndarray:
        return lambda k: sum(map(mul, a, b[k::-1]))
    if len(a) == 1:
        only = a[0]
        return lambda k: only * b[k]
    total = np.zeros((count, *b.shape[1:]), b.dtype)
    part = np.empty((min(len(a), count), *b.shape[1:]), b.dtype)

    def coefficient(k: int) -> Any:
        rows = min(len(a), count - k)
        np.multiply(a[:rows], b[k], out=part[:rows])
        np.add(total[k : k + rows], part[:rows], out=total[k : k + rows])
        return total[k]

    return coefficient


def convolution_with_itself(y: Coefficients, count: int) -> Callable[[int], Any]:
    """Those of y y, from 0 on; each pair counts twice, the middle once."""
    if y.__class__ is not np.ndarray:
        return functools.partial(coefficient_of_square, y)
    total = np.zeros((count, *y.shape[1:]), y.dtype)
    twice = np.empty((count // 2 + 1, *y.shape[1:]), y.dtype)
    part = np.empty_like(twice)

    def coefficient(k: int) -> Any:
        rows = min(k + 1, count - k)
        if k >= len(y):
            return total[k]
        if 2 * k < count:
            twice[k] = y[k]
        np.multiply(twice[:rows], y[k], out=part[:rows])
        np.add(total[k : k + rows], part[:rows], out=total[k : k + rows])
        if 2 * k < count:
            np.add(y[k], y[k], out=twice[k])
        return total[k]

    return coefficient


def begun(y0: Any, order: int) -> Coefficients:
    """Room for all coefficients, with the first one in its place."""
    if y0.__class__ is not np.ndarray:
        return [y0] + [0.0] * order
    y = np.empty((order + 1, *y0.shape), np.result_type(y0, float))
    y[0] = y0
    return y


@functools.cache
def counts(count: int, ndim: int) -> Any:
    """1, 2, 3, ... along the first of so many axes."""
    numbers = np.arange(1.0, count + 1).reshape(-1, *(1,) * (ndim - 1))
    numbers.flags.writeable = False
    return numbers


def slopes(u: Coefficients) -> Coefficients:
    """The coefficients of u', (j + 1) u_(j+1)."""
    if len(u) == 2:
        return u[1:]
    if isinstance(u, np.ndarray):
        return u[1:] * counts(len(u) - 1, u.ndim)
    return list(map(mul, u[1:], range(1, len(u))))


def integral(y0: Any, dy: Coefficients) -> Coefficients:
    """The series that begins with y0 and has the slopes dy."""
    if isinstance(dy, np.ndarray):
        y = np.empty((len(dy) + 1, *dy.shape[1:]), np.result_type(y0, dy))
        y[0] = y0
        np.divide(dy, counts(len(dy), dy.ndim), out=y[1:])
        return y
    return [y0, *(slope / k for k, slope in enumerate(dy, 1))]


def scaled(a: Coefficients, factor: Any) -> Coefficients:
    """The series times a constant."""
    return a * factor if isinstance(a, np.ndarray) else [x * factor for x in a]


def added(a: Coefficients, b: Coefficients) -> Coefficients:
    """The sum of two series."""
    if len(a) == 1 or len(b) == 1:
        return shifted(a, b[0]) if len(b) == 1 else shifted(b, a[0])
    if not isinstance(a, np.ndarray):
        both = zip(a, b, strict=False)
        return [x + y for x, y in both] + (a[len(b) :] or b[len(a) :])
    if len(a) < len(b):
        a, b = b, a
    y = a.astype(np.result_type(a, b))
    y[: len(b)] += b
    return y


def negated(a: Coefficients) -> Coefficients:
    """Minus the series."""
    return -a if isinstance(a, np.ndarray) else [-x for x in a]


def shifted(a: Coefficients, constant: Any) -> Coefficients:
    """The series plus a constant."""
    if isinstance(a, np.ndarray):
        a = a.astype(np.result_type(a, constant))  # a copy
        a[0] += constant
        return a
    return [a[0] + constant, *a[1:]]


def product(a: Coefficients, b: Coefficients, order: int) -> Coefficients:
    """Cauchy's product, the sum of a_j b_(k-j)."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) == 1:
        return scaled(b[: order + 1], a[0])
    count, last = min(len(a) + len(b) - 1, order + 1), len(b) - 1
    starts = [max(0, k - last) for k in range(count)]
    if not isinstance(a, np.ndarray):
        turned = b[::-1]
        return [
            sum(map(mul, a[j:], turned[last - k + j :])) for k, j in enumerate(starts)
        ]
    y = np.zeros((count, *a.shape[1:]), np.result_type(a, b))
    part = np.empty((len(b), *y.shape[1:]), y.dtype)
    for j, row in enumerate(a[:count]):
        rows = min(len(b), count - j)
        np.multiply(row, b[:rows], out=part[:rows])
        np.add(y[j : j + rows], part[:rows], out=y[j : j + rows])
    return y


def coefficient_of_square(u: Coefficients, k: int) -> Any:
    """The product of u with itself at t^k: each pair counts twice, the middle once."""
    first = k - len(u) + 1 if k >= len(u) else 0
    half = (k + 1) // 2
    pairs = sum(map(mul, u[first:half], u[k - first : k - half : -1]))
    return 2.0 * pairs + u[half] * u[half] if k % 2 == 0 else 2.0 * pairs


def square(u: Coefficients, order: int) -> Coefficients:
    """The product of u with itself, for half the work."""
    count = min(2 * len(u) - 1, order + 1)
    known = convolution_with_itself(u, count)
    y = begun(known(0), count - 1)
    for k in range(1, count):
        y[k] = known(k)
    return y


def is_array_plus_t(u: Coefficients) -> bool:
    """Whether u is an array's items plus t, where closed forms are faster."""
    return (
        u.__class__ is np.ndarray and len(u) == 2 and not np.count_nonzero(u[1] != 1.0)
    )


def quotient(a: Coefficients, b: Coefficients, order: int) -> Coefficients:
    """y = a / b from a = b y."""
    if len(b) == 1:
        return a / b[0] if isinstance(a, np.ndarray) else [x / b[0] for x in a]
    y = begun(a[0] / b[0], order)
    known = convolution(b[1:], y, order)
    for k in range(1, order + 1):
        y[k] = (a[k] - known(k - 1) if k < len(a) else -known(k - 1)) / b[0]
    return y


def composed(c: Sequence[Any], u: Coefficients, order: int) -> Coefficients:
    """The sum of c_k (u - u_0)^k, c_k the outer function's own coefficients at u_0."""
    inner = shifted(u, -u[0])
    y = begun(c[-1], 0)
    for outer in c[-2::-1]:
        y = shifted(product(y, inner, order), outer)
    return y


# Powers and roots.


def binomial(y0: Any, u: Coefficients, r: Any, order: int) -> Coefficients:
    """u^r away from 0, by u y' = r u' y.

    So k u_0 y_k is the sum of (r j - (k - j)) u_j y_(k-j).
    """
    y = begun(y0, order)
    if len(u) == 2:
        step = u[1] / u[0]
        for k in range(1, order + 1):
            y[k] = y[k - 1] * (step * ((r - (k - 1)) / k))
        return y
    if isinstance(u, np.ndarray):
        return binomial_rows(y, u, r)
    for k in range(1, order + 1):
        last = min(k, len(u) - 1) + 1
        weighted = [(r * j - (k - j)) * u[j] for j in range(1, last)]
        y[k] = sum(map(mul, weighted, y[k - 1 :: -1])) / (k * u[0])
    return y


def binomial_rows(y: Any, u: Any, r: Any) -> Any:
    """The same of arrays: each row that is known goes into all later ones."""
    order, rest = len(y) - 1, u[1:]
    total = np.zeros_like(y)
    part = np.empty((len(rest), *y.shape[1:]), y.dtype)
    for k in range(order):
        rows = min(len(rest), order - k)
        weights = r * counts(rows, u.ndim) - k
        np.multiply(rest[:rows], weights, out=part[:rows])
        np.multiply(part[:rows], y[k], out=part[:rows])
        later = total[k + 1 : k + 1 + rows]
        np.add(later, part[:rows], out=later)
        np.divide(total[k + 1], (k + 1) * u[0], out=y[k + 1])
    return y


def multiplied(u: Coefficients, r: int, order: int) -> Coefficients:
    """u^r for a whole r by squaring, right at 0 too."""
    if r == 0:
        return begun(u[0] ** 0, 0)
    y = None
    while r:
        if r % 2:
            y = u if y is None else product(y, u, order)
        r //= 2
        u = square(u, order) if r else u
    return y


def power(truncation: Truncation, u: Coefficients, r: Any) -> Coefficients:
    """u^r for a constant r, a number or an array."""
    y0 = value(np.power, u[0], r)
    whole = r.__class__ is float and r.is_integer() and r >= 0.0
    few = math.inf if isinstance(u[0], Traced) else FEW
    vanished = underflows(y0, u[0]) and truncation.order > 0
    if not whole or (r > few and not vanished):
        return (_from_below if vanished else raised)(truncation, u, r, y0)
    y = multiplied(u, int(r), truncation.order)
    if not isinstance(y, np.ndarray):
        return [y0, *y[1:]]
    y = y.copy() if y is u else y
    y[0] = y0
    return y


def underflows(y0: Any, x: Any) -> bool:
    """Whether a power of a small number leaves the range; its slopes may be inside."""
    if y0.__class__ is float and x.__class__ is float:
        return abs(y0) < LEAST and 0.0 < abs(x) < 1.0
    if isinstance(y0, Traced) or np.iscomplexobj(y0):
        return False
    vanished = (np.abs(y0) < LEAST) & (0.0 < np.abs(x)) & (np.abs(x) < 1.0)
    return bool(np.any(vanished))


def _from_below(
    truncation: Truncation, u: Coefficients, r: Any, y0: Any
) -> Coefficients:
    """u^r as the integral of r u^(r-1) u'."""
    below = Truncation(truncation.order - 1, truncation.side)
    lower = power(below, u[: truncation.order], r - 1.0)
    truncation.kinked |= below.kinked
    truncation.lost = max(truncation.lost, below.lost)
    slope = product(scaled(slopes(u), r), lower, below.order)
    return integral(y0, slope)


def raised(
    truncation: Truncation, u: Coefficients, r: Any, y0: Any, odd: bool = False
) -> Coefficients:
    """u^r that begins with y0; an `odd` root of a negative number is negative."""
    order, zero = truncation.order, u[0] == 0
    if zero is False or not np.any(zero) or np.iscomplexobj(u[0]):
        return binomial(y0, u, r, order)
    if not isinstance(u, np.ndarray):
        if (
            u[0].__class__ is not float
        ):  # a stand-in: the limit at 0 is of the outer trace
            return binomial(y0, u, r, order)
        y = _at_zero(truncation, np.reshape(u, (-1, 1)), r, odd)
        return [y0, *y[1:, 0].tolist()]
    away = u.copy()
    away[0] = np.where(zero, 1.0, u[0])
    y = binomial(y0, away, r, order)
    exponents = np.broadcast_to(r, zero.shape)
    for exponent in np.unique(exponents[zero]):
        there = zero & (exponents == exponent)
        y[1:, there] = _at_zero(truncation, u[:, there], float(exponent), odd)[1:]
    return y


def _at_zero(truncation: Truncation, u: Any, r: float, odd: bool) -> Any:
    """(t^m v)^r at points, along the second axis, where u begins with t^m v_0."""
    order = truncation.order
    if r.is_integer() and r >= 0:
        y = multiplied(u, int(r), order)
        return np.concatenate([y, np.zeros((order + 1 - len(y), *y.shape[1:]))])
    y = np.zeros((order + 1, u.shape[1]))
    lowest = np.where(np.any(u != 0, axis=0), np.argmax(u != 0, axis=0), len(u))
    lost = 0.0
    for m in map(int, np.unique(lowest)):
        here = lowest == m
        p = m * r
        whole = abs(p - round(p)) < 1e-9
        if m == len(u):  # nothing but zeros as far as u is known
            lost = math.inf if r < 1 else lost
        elif p < 0:
            y[:, here] = np.nan
        elif whole:
            y[:, here] = _shifted_power(truncation, u[m:, here], m, r, odd)
            lost = max(lost, m - round(p))
        else:
            y[:, here] = _cusp(truncation, u[m, here], m, p, odd)
    truncation.lost += lost
    return y


def _side(truncation: Truncation, v0: Any, m: int) -> Any:
    """The side of t where t^m v is positive; where that is both, the one to follow."""
    return np.sign(v0) if m % 2 else np.full(v0.shape, float(truncation.side))


def _shifted_power(truncation: Truncation, v: Any, m: int, r: float, odd: bool) -> Any:
    """t^p v^r for p = m r; of an even m and an odd p it is abs(t)^p v^r, a kink."""
    order, p = truncation.order, round(m * r)
    if odd:
        rest = binomial(np.cbrt(v[0]), v, r, order)
    else:
        side = _side(truncation, v[0], m)
        v = v * side**m
        rest = binomial(v[0] ** r, v, r, order) * side**p
        truncation.kinked |= p % 2 == 1 and m % 2 == 0
    y = np.zeros((order + 1, *v.shape[1:]))
    y[p:] = rest[: max(order + 1 - p, 0)]
    return y


def _cusp(truncation: Truncation, v0: Any, m: int, p: float, odd: bool) -> Any:
    """abs(t)^p v_0^r: slopes are 0 below the order p, and infinite above it."""
    orders = np.arange(1.0, truncation.order + 1)[:, None]
    signs = np.sign(np.cumprod(p + 1.0 - orders, axis=0))
    truncation.kinked |= odd or m % 2 == 0
    if odd:
        signs = signs * np.sign(v0) * float(truncation.side) ** (m + orders)
    else:
        signs = signs * _side(truncation, v0, m) ** orders
        signs = np.where((m % 2 == 0) & (v0 < 0), np.nan, signs)
    slopes = np.where(orders > p, signs, 0.0)
    slopes[orders[:, 0] > p] *= np.inf
    return np.concatenate([np.zeros((1, len(v0))), slopes])


# Choices by the sign just beside a point.


def sign_beside(truncation: Truncation, u: Coefficients) -> Any:
    """The sign of u on the side that is followed; where u is 0, its slope decides."""
    sign = (u[0] > 0) * 1.0 - (u[0] < 0)
    for m in range(1, len(u)):
        undecided = sign == 0
        if not np.any(undecided):
            break
        here = truncation.side**m * ((u[m] > 0) * 1.0 - (u[m] < 0))
        truncation.kinked |= m % 2 == 1 and bool(np.any(undecided & (here != 0)))
        sign = np.where(undecided, here, sign)
    return sign if isinstance(u, np.ndarray) or np.ndim(sign) else float(sign)


def chosen(pick: Any, a: Coefficients, b: Coefficients) -> Coefficients:
    """The series a where `pick` is true, and b elsewhere."""
    if pick is True or pick is False:
        return a if pick else b
    length = max(len(a), len(b))
    pairs = zip(padded(a, length), padded(b, length), strict=True)
    y = [np.where(pick, x, y) for x, y in pairs]
    stacked = isinstance(a, np.ndarray) or isinstance(b, np.ndarray)
    return np.stack(y) if stacked else y


def padded(a: Coefficients, length: int) -> list[Any]:
    """The coefficients with the zeros at the end written out."""
    return [*a, *[0.0] * (length - len(a))]
