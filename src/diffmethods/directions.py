"""Mixed partial derivatives from Taylor series along directions in whole numbers.

To order d a function of n variables has as many partial derivatives as there are
multi-indices j with ``j_1 + ... + j_n = d``, and the d-th Taylor coefficients along
those j, taken as directions, determine them all: the d-th derivative is a homogeneous
polynomial of the direction, and `weights` interpolates it (Griewank, Utke and Walther
2000).
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from diffmethods import operators
from diffmethods.errors import OptionError, ShapeError
from diffmethods.methods import taylor_series
from diffmethods.traced import Traced, outcome

Function = Callable[..., Any]
MultiIndex = tuple[int, ...]


def derivative_tensor(f: Function, x: Any, order: int) -> Any:
    """Differentiate by every choice of variables, as many times as the order says.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    x : float, complex or array_like
        The point.
    order : int
        How many times to differentiate, from 0.

    Returns
    -------
    ndarray, shape f(x).shape + x.shape * order
        For a vector x, item ``[..., i, j, k]`` is the derivative by the variables i, j
        and k; the order of these does not matter.

    Raises
    ------
    OptionError
        If `order` is not a whole number from 0.
    NotDifferentiableError
        If `x` is complex, and `f` not holomorphic there.

    Notes
    -----
    Of n variables it runs `f` ``comb(n + order - 1, order)`` times on a Taylor series.
    The interpolation costs about a digit for every two orders.

    References
    ----------
    Griewank, A., Utke, J. and Walther, A. (2000). Evaluating higher derivative tensors
    by forward propagation of univariate Taylor series. Mathematics of Computation 69,
    1117-1130.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.derivative_tensor(lambda x: x[0] ** 2 * x[1], np.array([2.0, 3.0]), 2)
    array([[6., 4.],
           [4., 0.]])
    """
    taylor_series.check_order(order)
    x = operators._point(x, taylor_series.METHOD, at_complex=True, used_again=True)
    size, shape = np.size(x), np.shape(x)
    check_holomorphic(f, x, int(order))
    along = coefficients_along(f, x, int(order))
    if order == 0:
        return along(())
    found = {
        variables: partial(along, variables)
        for variables in itertools.combinations_with_replacement(range(size), order)
    }
    rows = [
        found[tuple(sorted(variables))]
        for variables in itertools.product(range(size), repeat=order)
    ]
    if not rows:
        return np.zeros(np.shape(outcome(f(x))) + shape * order)
    return np.reshape(np.stack(rows, axis=-1), np.shape(rows[0]) + shape * order)


def partial_derivative(f: Function, x: Any, orders: Any) -> Any:
    """Differentiate so many times by each variable.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    x : float, complex or array_like
        The point.
    orders : int or array_like of int, of the shape of x
        How many times to differentiate by each item of `x`, from 0.

    Returns
    -------
    ndarray, shape f(x).shape
        The mixed partial derivative.

    Raises
    ------
    OptionError
        If `orders` are not whole numbers from 0.
    ShapeError
        If `orders` has not the shape of `x`.
    NotDifferentiableError
        If `x` is complex, and `f` not holomorphic there.

    References
    ----------
    As for `derivative_tensor`.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> f = lambda x: x[0] ** 2 * np.exp(x[1])
    >>> print(dm.partial_derivative(f, np.array([5.0, 0.0]), (2, 7)))
    2.0
    """
    x = operators._point(x, taylor_series.METHOD, at_complex=True, used_again=True)
    counts = np.asarray(orders)
    if counts.dtype.kind not in "iu" or np.any(counts < 0):
        raise OptionError(f"orders must be whole numbers from 0, not {orders!r}")
    if counts.shape != np.shape(x):
        raise ShapeError(
            f"orders has shape {counts.shape}, but x has shape {np.shape(x)}"
        )
    times = counts.ravel().tolist()
    variables = tuple(k for k, count in enumerate(times) for _ in range(count))
    check_holomorphic(f, x, len(variables))
    along = coefficients_along(f, x, len(variables))
    return partial(along, variables) if variables else along(())


def check_holomorphic(f: Function, x: Any, order: int) -> None:
    """At a complex point, i times the direction turns each coefficient by i^k."""
    if not operators.is_complex(x) or isinstance(x, Traced) or not order:
        return
    v = operators.moving_all(np.shape(x))
    c, turned = (taylor_series.expand(f, x, d, order) for d in (v, 1j * v))
    for k in range(1, order + 1):
        size = np.abs(c[0]) + np.abs(c[k])
        if np.any(np.abs(turned[k] - 1j**k * c[k]) > 1e-10 * size):
            raise operators.not_holomorphic()


def coefficients_along(f: Function, x: Any, order: int) -> Function:
    """The last Taylor coefficient of f along a direction, each expanded once.

    A direction is given by pairs of a variable's number and how far to go along it.
    """

    @functools.cache
    def along(direction: tuple[tuple[int, int], ...]) -> Any:
        v = np.zeros(np.size(x))
        for variable, distance in direction:
            v[variable] = distance
        return taylor_series.expand(f, x, np.reshape(v, np.shape(x))[()], order)[order]

    return along


def partial(along: Function, variables: tuple[int, ...]) -> Any:
    """The derivative by these variables, each named as often as it counts."""
    names = sorted(set(variables))
    times = tuple(variables.count(name) for name in names)
    terms = (
        weight
        * along(tuple((n, j) for n, j in zip(names, direction, strict=True) if j))
        for direction, weight in weights(times)
    )
    return functools.reduce(np.add, terms)


@functools.cache
def weights(i: MultiIndex) -> list[tuple[MultiIndex, float]]:
    """Directions j, and what the coefficients along them count in the i-th derivative.

    The weight is the sum over 0 < k <= i of
    ``(-1)^|i - k| (i over k) (d k / |k| over j) (|k| / d)^d`` with d = abs(i).
    """
    d = sum(i)
    if len(i) == 1:
        return [((1,), float(math.factorial(d)))]
    found = []
    for j in multi_indices(len(i), d):
        weight = Fraction(0)
        for k in itertools.product(*(range(count + 1) for count in i)):
            if size := sum(k):
                term = (-1) ** (d - size) * Fraction(size, d) ** d
                for i_l, k_l, j_l in zip(i, k, j, strict=True):
                    term *= math.comb(i_l, k_l) * choices(Fraction(d * k_l, size), j_l)
                weight += term
        if weight:
            found.append((j, float(weight)))
    return found


def choices(z: Fraction, m: int) -> Fraction:
    """The binomial coefficient z over m, of any z."""
    return math.prod((z - s for s in range(m)), start=Fraction(1, math.factorial(m)))


def multi_indices(length: int, total: int) -> Iterator[MultiIndex]:
    """All tuples of so many whole numbers from 0 with this sum."""
    if length == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in multi_indices(length - 1, total - first):
            yield first, *rest
