"""Taylor series: run f on a truncated series; all derivatives to any order arrive."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import elementwise, operators, rules
from diffmethods.errors import OptionError
from diffmethods.method import Method
from diffmethods.methods import dual_numbers
from diffmethods.recurrences import recurrence_of
from diffmethods.series import Run, Series, coefficients
from diffmethods.traced import LEVELS, Traced, outcome
from diffmethods.truncated import Coefficients

Function = Callable[..., Any]

NUMBERS = (np.ndarray, np.number, float)
MOST_TERMS = 64  # beyond those asked for, to find where the operand of a root begins


def expand(f: Function, x: Any, v: Any, order: int) -> Coefficients:
    """Taylor coefficients of f(x + t v) in t; at a kink the mean of its two series."""
    c, kinked = one_sided(f, x, v, order, 1)
    if not kinked:
        return c
    other, _ = one_sided(f, x, v, order, -1)
    with np.errstate(invalid="ignore"):
        return [0.5 * (right + left) for right, left in zip(c, other, strict=True)]


def one_sided(
    f: Function, x: Any, v: Any, order: int, side: int
) -> tuple[Coefficients, bool]:
    """Those for small t > 0 or t < 0, out of longer series if some terms are lost."""
    terms = order
    while True:
        run = Run(terms, next(LEVELS), side)
        y = f(Series(seed(x, v), run))
        y = y if y.__class__ is Series else outcome(y)
        spare = terms - order
        if run.lost <= spare or spare >= MOST_TERMS:
            rows = coefficients(y, run)[: order + 1]
            if len(rows) <= order:
                rows = [*rows]
                rows += [np.zeros(np.shape(rows[0]))] * (order + 1 - len(rows))
            return rows, run.kinked
        terms = order + math.ceil(min(run.lost, 2 * spare + 2))


def seed(x: Any, v: Any) -> Coefficients:
    """The coefficients of x + t v."""
    if isinstance(x, float) and isinstance(v, float):
        return [float(x), float(v)]
    if not (isinstance(x, NUMBERS) and isinstance(v, NUMBERS)):
        return [x, v]  # of an outer trace, or another library's
    if np.ndim(x):
        c = np.empty((2, *np.shape(x)), np.result_type(x, v))
        c[0], c[1] = x, v
        return c
    return [complex(x), complex(v)]


def jvp(f: Function, x: Any, v: Any) -> Any:
    """The first coefficient of f(x + t v)."""
    return expand(f, x, v, 1)[1]


def derivative(f: Function, x: Any, order: int) -> Any:
    """One run for any order."""
    return value_and_derivative(f, x, order)[1]


def value_and_derivative(f: Function, x: Any, order: int) -> tuple[Any, Any]:
    """The value and n! c_n, from c_n s^n where n! or c_n leaves the range of floats."""
    one = 1.0 if isinstance(x, NUMBERS) else np.ones(np.shape(x))[()]
    c = expand(f, x, one, order)
    if order <= 20:
        return c[0], c[order] * float(math.factorial(order))
    exponent, tries = 0, 3
    while (step := better_step(c)) and tries:
        exponent, tries = exponent + step, tries - 1
        c = expand(f, x, one * 2.0**exponent, order)
    factorial = math.factorial(order)
    bits = factorial.bit_length()
    y, shift = c[order] * (factorial / 2**bits), bits - order * exponent
    if np.iscomplexobj(y):
        return c[0], np.ldexp(np.real(y), shift) + 1j * np.ldexp(np.imag(y), shift)
    return c[0], np.ldexp(y, shift)


def better_step(c: list[Any]) -> int:
    """The power of two to stretch t by where coefficients leave the range of floats."""
    if isinstance(c[-1], Traced):
        return 0
    last_size = np.abs(c[-1])
    if np.all((1e-290 < last_size) & (last_size < 1e290)):
        return 0
    sizes = [float(np.max(np.abs(y), initial=0.0)) for y in c]
    usable = [k for k, size in enumerate(sizes) if 1e-290 < size < 1e290]
    last = max((k for k, size in enumerate(sizes) if size != 0), default=0)
    if last in usable or not usable or not usable[-1]:
        return 0
    return -round(math.log2(sizes[usable[-1]]) / usable[-1])


def taylor(f: Function, x: Any, order: int, v: Any = None) -> Any:
    """Expand a function in a Taylor series.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    x : float, complex or array_like
        The point of expansion.
    order : int
        The highest power of t, from 0.
    v : array_like, optional
        The direction, of the shape of `x`; ones by default, as an elementwise function
        of an array wants.

    Returns
    -------
    ndarray, shape (order + 1,) + f(x).shape
        The coefficients of ``f(x + t v)`` in powers of t.

    Raises
    ------
    OptionError
        If `order` is not a whole number from 0.

    References
    ----------
    Griewank, A. and Walther, A. (2008). Evaluating Derivatives, chapter 13. SIAM.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.taylor(np.exp, 0.0, 4) * [1, 1, 2, 6, 24]
    array([1., 1., 1., 1., 1.])
    >>> dm.taylor(lambda x: x**2, np.array([1.0, 3.0]), 2)
    array([[1., 9.],
           [2., 6.],
           [1., 1.]])
    """
    check_order(order)
    x = operators._point(x, METHOD, at_complex=True, used_again=True)
    v = np.ones(np.shape(x))[()] if v is None else operators._like(v, x, METHOD)
    c = expand(f, x, v, int(order))
    return c if isinstance(c, np.ndarray) else np.stack(c)


def check_order(order: Any) -> None:
    """Refuse what is no order of a series."""
    if not isinstance(order, (int, np.integer)) or isinstance(order, bool) or order < 0:
        raise OptionError(f"order must be a whole number from 0, not {order!r}")


def at_number(f: Function, x: float) -> np.float64 | None:
    """To first order a dual number is the series, wherever f is smooth.

    Kinks turn it into another kind, and singularities make its slope infinite.
    """

    def smooth(point: Any) -> Any:
        y = f(point)
        return y if type(y) is dual_numbers.DualNumber else None

    slope = dual_numbers.at_number(smooth, x)
    return slope if slope is not None and math.isfinite(slope) else None


def at_array(f: Function, x: Any) -> Any:
    """The same at the items of an array; where one meets a kink, an error."""
    slope = elementwise.derivative(f, x, means_at_kinks=False)
    if slope is None or not slope.size:
        return None
    return slope if math.isfinite(slope.max()) and math.isfinite(slope.min()) else None


def handles(function: Function) -> bool:
    """Whether there is a recurrence or a rule."""
    return recurrence_of(function) is not None or rules.known(function)


METHOD = Method(
    title="Taylor series",
    family="forward",
    summary="Carry a power series instead of a number; all derivatives arrive at once.",
    exact=True,
    rtol=1e-14,
    at_number=at_number,
    at_array=at_array,
    jvp=jvp,
    derivative=derivative,
    value_and_derivative=value_and_derivative,
    complex_points=True,
    handles=handles,
    references=("griewank2008", "siskind2008"),
)
