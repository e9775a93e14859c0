"""The operators: each takes a function and returns the function that differentiates it.

An operator asks the method for the operation itself, and derives it from the method's
`jvp` or `vjp` where the method has nothing better.
"""

import functools
import math
import numbers
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from diffmethods.errors import (
    DiffmethodsError,
    InputError,
    MissingRuleError,
    NotDifferentiableError,
    OptionError,
    ShapeError,
    TracedValueError,
)
from diffmethods.method import Method, get_method
from diffmethods.traced import Traced, is_foreign, joined, outcome

OF_ONE_VARIABLE, ALONG, OF_MANY = "taylor_series", "dual_numbers", "reverse_tape"
FLOAT, FLOAT64 = np.dtype(float), np.float64

Function = Callable[..., Any]


def derivative(
    f: Function, *, method: str = OF_ONE_VARIABLE, order: int = 1, **options: Any
) -> Function:
    """Differentiate a function of one variable, elementwise on arrays.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from a number to a number or an array, or elementwise
        from an array to an array of the same shape.
    method : str
        A name out of `list_methods`.
    order : int
        Which derivative, from 1.
    **options
        The method's own options, as its ``Method.options`` describes them.

    Returns
    -------
    callable
        ``df(x)``: float64 of the shape of ``f(x)``; complex where `x` is complex.

    Raises
    ------
    OptionError
        If the method cannot do that order, or has no such option.
    ShapeError
        If ``f`` of an array is not elementwise.
    NotDifferentiableError
        If ``f`` of a complex number has no complex derivative.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> print(dm.derivative(np.tanh)(2.0))
    0.0706508248531645
    >>> dm.derivative(lambda x: x**3, order=2)(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """
    chosen = _chosen(f, method, options)
    _check_order(chosen, order)

    def df(f: Function, x: Any) -> Any:
        x = _point(x, chosen, at_complex=True, used_again=True)
        if hasattr(x, "map_blocks"):
            return _in_blocks(f, x, method, order, options)
        return _result(_derivative(chosen, f, x, order, options), chosen, x)

    slowly = _explained(df, f)
    if order > 1 or not (chosen.at_number or chosen.at_array):
        return slowly
    at_number, at_array = (
        functools.partial(short_cut, **options) if options else short_cut
        for short_cut in (chosen.at_number or _no_way, chosen.at_array or _no_way)
    )

    @functools.wraps(df)
    def quickly(x: Any) -> Any:
        slope = None
        try:  # what goes wrong here, the long way explains
            if type(x) is float or type(x) is FLOAT64:
                slope = at_number(f, x)
            elif type(x) is np.ndarray and x.dtype is FLOAT:
                slope = at_array(f, x)
        except Exception:
            return slowly(x)
        return slowly(x) if slope is None else slope

    return quickly


def gradient(f: Function, *, method: str = OF_MANY, **options: Any) -> Function:
    """Differentiate a scalar function of an array by every item.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array of any shape to a number.
    method, **options
        As for `derivative`.

    Returns
    -------
    callable
        ``grad(x)``, float64 of the shape of `x`; complex where `x` is complex: the
        partial derivatives, not conjugated.

    Raises
    ------
    ShapeError
        If ``f(x)`` is not a scalar.
    NotDifferentiableError
        If `x` is complex and ``f`` is not holomorphic there.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.gradient(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    chosen = _chosen(f, method, options)

    def grad(f: Function, x: Any) -> Any:
        x = _point(x, chosen, at_complex=True)
        check_holomorphic(chosen, f, x, options)
        return _result(_gradient(chosen, f, x, options), chosen, x)

    return _explained(grad, f)


def jacobian(
    f: Function, *, method: str = OF_MANY, sparsity: Any = None, **options: Any
) -> Function:
    """Differentiate every item of the result by every item of the argument.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    method, **options
        As for `derivative`.
    sparsity : array_like or "detect", optional
        Where an item may be other than 0, as for `sparse_jacobian`: the same array in
        less time.

    Returns
    -------
    callable
        ``jac(x)``, float64 of shape ``f(x).shape + x.shape``; complex where `x` is.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.jacobian(lambda x: np.stack([x[0] * x[1], x[0]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 0.]])
    """
    if sparsity is not None:
        return _explained(_by_colours(f, method, sparsity, options, 1).as_dense)
    chosen = _chosen(f, method, options)

    def jac(f: Function, x: Any) -> Any:
        x = _point(x, chosen, at_complex=True)
        check_holomorphic(chosen, f, x, options)
        return _result(_jacobian(chosen, f, x, options), chosen, x)

    return _explained(jac, f)


def hessian(
    f: Function, *, method: str = OF_MANY, sparsity: Any = None, **options: Any
) -> Function:
    """Differentiate a scalar function twice by every pair of items.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array of any shape to a number.
    method, **options
        As for `derivative`.
    sparsity : array_like or "detect", optional
        Where an item may be other than 0, as for `sparse_hessian`: the same array in
        less time.

    Returns
    -------
    callable
        ``hess(x)``, float64 of shape ``x.shape + x.shape``; complex where `x` is.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    if sparsity is not None:
        return _explained(_by_colours(f, method, sparsity, options, 2).as_dense)
    chosen = _chosen(f, method, options)
    _check_order(chosen, 2)

    def hess(f: Function, x: Any) -> Any:
        x = _point(x, chosen, at_complex=True)
        check_holomorphic(chosen, f, x, options, 2)
        return _result(_hessian(chosen, f, x, options), chosen, x)

    return _explained(hess, f)


def jvp(f: Function, *, method: str = ALONG, **options: Any) -> Function:
    """Push a direction forward: the Jacobian-vector product J(x) v.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    method, **options
        As for `derivative`.

    Returns
    -------
    callable
        ``push(x, v)``, float64 of the shape of ``f(x)``; `v` has the shape of `x`.
        Where `x` is complex, so are the result and `v`.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> print(dm.jvp(np.prod)(np.array([2.0, 3.0]), np.array([1.0, 0.0])))
    3.0
    """
    chosen = _chosen(f, method, options)

    def push(f: Function, x: Any, v: Any) -> Any:
        x = _point(x, chosen, at_complex=True)
        v = _like(v, x, chosen)
        check_holomorphic(chosen, f, x, options)
        return _result(_jvp(chosen, f, x, v, options), chosen, x)

    return _explained(push, f)


def vjp(f: Function, *, method: str = OF_MANY, **options: Any) -> Function:
    """Pull a weight back: the vector-Jacobian product w J(x).

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    method, **options
        As for `derivative`.

    Returns
    -------
    callable
        ``pull(x, w)``, float64 of the shape of `x`; `w` has the shape of ``f(x)``.
        Where `x` is complex, so are the result and `w`; nothing is conjugated.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.vjp(np.sin)(np.array([0.0, np.pi]), np.array([1.0, 2.0]))
    array([ 1., -2.])
    """
    chosen = _chosen(f, method, options)

    def pull(f: Function, x: Any, w: Any) -> Any:
        x = _point(x, chosen, at_complex=True)
        w = _point(w, chosen, at_complex=is_complex(x))
        if is_complex(x) and not is_complex(w):
            w = w + 0j
        check_holomorphic(chosen, f, x, options)
        return _result(_vjp(chosen, f, x, w, options), chosen, x)

    return _explained(pull, f)


def hvp(f: Function, *, method: str = OF_MANY, **options: Any) -> Function:
    """The Hessian-vector product H(x) v of a scalar function, without the Hessian.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array of any shape to a number.
    method, **options
        As for `derivative`.

    Returns
    -------
    callable
        ``product(x, v)``, float64 of the shape of `x`; `v` has that shape, too.  Where
        `x` is complex, so are the result and `v`.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> dm.hvp(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    array([6., 4.])
    """
    chosen = _chosen(f, method, options)
    _check_order(chosen, 2)

    def product(f: Function, x: Any, v: Any) -> Any:
        x = _point(x, chosen, at_complex=True)
        v = _like(v, x, chosen)
        check_holomorphic(chosen, f, x, options, 2)
        return _result(_hvp(chosen, f, x, v, options), chosen, x)

    return _explained(product, f)


def value_and_derivative(
    f: Function, *, method: str = OF_ONE_VARIABLE, order: int = 1, **options: Any
) -> Function:
    """The value and the derivative together, as a pair.

    Takes what `derivative` takes; the returned function gives ``(f(x), df(x))``.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> value, slope = dm.value_and_derivative(np.exp)(0.0)
    >>> print(value, slope)
    1.0 1.0
    """
    chosen = _chosen(f, method, options)
    _check_order(chosen, order)

    def both(f: Function, x: Any) -> tuple[Any, Any]:
        x = _point(x, chosen, at_complex=True, used_again=True)
        if hasattr(x, "map_blocks"):
            return outcome(f(x)), _in_blocks(f, x, method, order, options)
        if chosen.value_and_derivative:
            check_complex_derivative(chosen, f, x, order, options)
            y, dy = chosen.value_and_derivative(f, x, order, **options)
            if np.ndim(x) and not isinstance(x, Traced):
                _check_elementwise(f, x, dy)
        else:
            y = _evaluated(chosen, f, x, options)
            dy = _derivative(chosen, f, x, order, options)
        return _value(y, chosen), _result(dy, chosen, x)

    return _explained(both, f)


def value_and_gradient(
    f: Function, *, method: str = OF_MANY, **options: Any
) -> Function:
    """The value and the gradient together, as a pair.

    Takes what `gradient` takes; the returned function gives ``(f(x), grad(x))``.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> value, slope = dm.value_and_gradient(np.sum)(np.array([1.0, 2.0]))
    >>> print(value, slope)
    3.0 [1. 1.]
    """
    chosen = _chosen(f, method, options)

    def both(f: Function, x: Any) -> tuple[Any, Any]:
        x = _point(x, chosen, at_complex=True)
        check_holomorphic(chosen, f, x, options)
        if chosen.value_and_gradient:
            y, dy = chosen.value_and_gradient(f, x, **options)
        else:
            y = _evaluated(chosen, f, x, options)
            dy = _gradient(chosen, f, x, options)
        return _value(y, chosen), _result(dy, chosen, x)

    return _explained(both, f)


def sparse_jacobian(
    f: Function,
    *,
    method: str = "reverse_tape",
    sparsity: Any = "detect",
    **options: Any,
) -> Function:
    """The Jacobian as a sparse matrix, by a few products instead of one a column.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array to an array, of any shapes.
    method : str
        A name out of `list_methods`.  One that gives `jvp` colours columns, one that
        gives `vjp` rows; one that gives both takes whichever needs fewer colours.
    sparsity : "detect" or array_like
        Where an item may be other than 0: an array or a ``scipy.sparse`` array of shape
        ``(f(x).size, x.size)``; or ``"detect"``, to find out by running `f` once.
    **options
        The method's own options, as its ``Method.options`` describes them.

    Returns
    -------
    callable
        ``jac(x)``, a ``scipy.sparse.csr_array`` of float64 of shape
        ``(f(x).size, x.size)``, items of `x` and ``f(x)`` counted in C order.  Pattern
        and colours are found at the first point and kept for the next ones.

    Raises
    ------
    SparsityError
        If the pattern misses an item that is not 0 at `x`, or cannot be detected.
    ShapeError
        If the pattern has the wrong shape.
    MissingLibraryError
        If SciPy is not installed.

    Notes
    -----
    One more product, along a direction at random, checks every result.  Where it
    disagrees, a detected pattern is detected anew (f has taken another branch); for a
    given one it is an error.  An item that is missed and is less than 1e-9 of its row
    escapes the check.

    References
    ----------
    .. [1] Curtis, Powell and Reid (1974), *On the estimation of sparse Jacobian
       matrices*, IMA Journal of Applied Mathematics 13, 117-119.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> jac = dm.sparse_jacobian(np.diff)(np.arange(1000.0))
    >>> jac.shape, jac.nnz
    ((999, 1000), 1998)
    """
    return _explained(_by_colours(f, method, sparsity, options, 1).as_sparse)


def sparse_hessian(
    f: Function,
    *,
    method: str = "reverse_tape",
    sparsity: Any = "detect",
    **options: Any,
) -> Function:
    """The Hessian as a sparse matrix, by a few Hessian-vector products.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy, from an array of any shape to a number.
    method : str
        A name out of `list_methods`; one that gives `hvp` costs the least.
    sparsity : "detect" or array_like
        As for `sparse_jacobian`, of shape ``(x.size, x.size)``.  One triangle is
        enough.
    **options
        The method's own options, as its ``Method.options`` describes them.

    Returns
    -------
    callable
        ``hess(x)``, a ``scipy.sparse.csr_array`` of float64 of shape
        ``(x.size, x.size)``.

    Raises
    ------
    SparsityError, ShapeError, MissingLibraryError
        As for `sparse_jacobian`.

    References
    ----------
    .. [1] Coleman and Moré (1984), *Estimation of sparse Hessian matrices and graph
       coloring problems*, Mathematical Programming 28, 243-270.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> hess = dm.sparse_hessian(lambda x: np.sum(x[1:] * x[:-1]))(np.ones(1000))
    >>> hess.shape, hess.nnz
    ((1000, 1000), 1998)
    """
    return _explained(_by_colours(f, method, sparsity, options, 2).as_sparse)


def _by_colours(
    f: Function, method: str, sparsity: Any, options: dict[str, Any], order: int
) -> Any:
    from diffmethods.sparsity import Compressed  # SciPy is loaded for it

    return Compressed(f, method, sparsity, options, second=order == 2)


def _evaluated(method: Method, f: Function, x: Any, options: dict[str, Any]) -> Any:
    return method.value(f, x, **options) if method.value else outcome(f(x))


# What a method does not give is derived here from what it gives.


def _jvp(method: Method, f: Function, x: Any, v: Any, options: dict[str, Any]) -> Any:
    if method.jvp:
        return method.jvp(f, x, v, **options)
    return contract(_jacobian(method, f, x, options), v, first=False)


def _vjp(method: Method, f: Function, x: Any, w: Any, options: dict[str, Any]) -> Any:
    if method.vjp:
        return method.vjp(f, x, w, **options)
    jacobian = _jacobian(method, f, x, options)
    shape = np.shape(jacobian)[: np.ndim(jacobian) - np.ndim(x)]
    check_weight(w, shape)
    return contract(jacobian, w, first=True)


def _hessian(method: Method, f: Function, x: Any, options: dict[str, Any]) -> Any:
    if method.hessian:
        return method.hessian(f, x, **options)
    return _jacobian(method, lambda z: _gradient(method, f, z, options), x, options)


def _hvp(method: Method, f: Function, x: Any, v: Any, options: dict[str, Any]) -> Any:
    if method.hvp:
        return method.hvp(f, x, v, **options)
    return _jvp(method, lambda z: _gradient(method, f, z, options), x, v, options)


def check_weight(w: Any, shape: tuple[int, ...]) -> None:
    """A weight has the shape of f(x)."""
    if tuple(np.shape(w)) != shape:
        raise ShapeError(
            f"w has shape {tuple(np.shape(w))}, but f(x) has shape {shape}"
        )


def contract(jacobian: Any, vector: Any, first: bool) -> Any:
    """Sum a Jacobian's first or last axes against a vector of their shape."""
    axes = np.ndim(vector)
    return (
        np.tensordot(vector, jacobian, axes)
        if first
        else np.tensordot(jacobian, vector, axes)
    )


def _jacobian(method: Method, f: Function, x: Any, options: dict[str, Any]) -> Any:
    if method.jacobian:
        found = method.jacobian(f, x, **options)
        if found is not None:
            return found
    if method.jvp:
        shape, size = np.shape(x), np.size(x)
        if not size:
            return np.zeros(np.shape(outcome(f(x))) + shape)
        basis = np.eye(size).reshape((size, *shape))
        columns = [method.jvp(f, x, e if shape else 1.0, **options) for e in basis]
        return np.reshape(np.stack(columns, axis=-1), np.shape(columns[0]) + shape)
    shape = np.shape(outcome(f(x)))
    size = int(np.prod(shape))
    if not size:
        return np.zeros(shape + np.shape(x))
    basis = np.eye(size).reshape((size, *shape))
    rows = [_vjp(method, f, x, w if shape else 1.0, options) for w in basis]
    return np.reshape(np.stack(rows), shape + np.shape(x))


def _gradient(method: Method, f: Function, x: Any, options: dict[str, Any]) -> Any:
    if method.gradient:
        return method.gradient(f, x, **options)
    if method.vjp:
        try:
            return method.vjp(f, x, 1.0, **options)
        except ShapeError as error:
            shape = np.shape(_evaluated(method, f, x, options))
            raise not_a_scalar(shape) from error
    jacobian = _jacobian(method, f, x, options)
    shape = np.shape(jacobian)[: np.ndim(jacobian) - np.ndim(x)]
    if shape:
        raise not_a_scalar(shape)
    return jacobian


def no_hessian(shape: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"a Hessian needs a function with a scalar result, and f(x) has shape {shape}; "
        "use jacobian twice for all second derivatives"
    )


def not_a_scalar(shape: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"gradient needs a function with a scalar result, and f(x) has shape {shape}; "
        "use jacobian, or derivative for an elementwise function"
    )


def _derivative(
    method: Method, f: Function, x: Any, order: int, options: dict[str, Any]
) -> Any:
    check_complex_derivative(method, f, x, order, options)
    if method.derivative:
        dy = method.derivative(f, x, order, **options)
    elif order > 1:
        dy = _derivative(
            method,
            lambda z: _derivative(method, f, z, 1, options),
            x,
            order - 1,
            options,
        )
    else:
        dy = _jvp(method, f, x, np.ones(np.shape(x)) if np.ndim(x) else 1.0, options)
    if np.ndim(x) and not isinstance(x, Traced):
        if np.shape(dy) != np.shape(x) or not (order > 1 and _proven(method, f)):
            _check_elementwise(lambda x: _evaluated(method, f, x, options), x, dy)
    return dy


def _proven(method: Method, f: Function) -> bool:
    """Whether f is known to be elementwise, which a method for black boxes never asks.

    Such a method has no short cut at arrays, and shows f numbers alone.
    """
    if not method.at_array:
        return False
    from diffmethods import elementwise  # loaded with the method

    return elementwise.proven(f)


def _in_blocks(
    f: Function, x: Any, method: str, order: int, options: dict[str, Any]
) -> Any:
    """Leave the work to the library whose array it is: each block by itself, later.

    So any method serves, also one that looks at values, and each block is checked.
    """
    run = functools.partial(_of_block, f, method, order, options)
    return x.map_blocks(run, dtype=x.dtype, meta=np.empty((0,) * x.ndim, x.dtype))


def _of_block(
    f: Function, method: str, order: int, options: dict[str, Any], block: Any
) -> Any:
    dy = derivative(f, method=method, order=order, **options)(block)
    return np.asarray(dy) if isinstance(block, np.ndarray) else dy


def check_complex_derivative(
    method: Method, f: Function, x: Any, order: int, options: dict[str, Any]
) -> None:
    """At a complex point the derivatives up to an order are the same all around it."""
    check_holomorphic(method, f, x, options)
    if order > 1 and method.exact:  # differences would not tell
        below = lambda z: _derivative(method, f, z, order - 1, options)
        check_holomorphic(method, below, x, options)


def check_holomorphic(
    method: Method, f: Function, x: Any, options: dict[str, Any], order: int = 1
) -> None:
    """At a complex point f has a complex derivative; to order 2, its gradient, too."""
    if is_complex(x) and method.complex_points:
        _check_turning(method, _jvp, f, x, options, 1)
        if order == 2:
            _check_turning(method, _hvp, f, x, options, 2)


def _check_turning(
    method: Method, push: Function, f: Function, x: Any, options: Any, order: int
) -> None:
    """Cauchy and Riemann: i times a direction gives i times the slope along it.

    Where a compiler traces, there are no numbers to tell by.
    """
    v = moving_all(np.shape(x))
    along, turned = (plain(push(method, f, x, d, options)) for d in (v, 1j * v))
    if along is None or turned is None:
        return
    y = _evaluated(method, f, x if isinstance(x, Traced) else x.copy(), options)
    distance = np.abs(plain(x))
    if np.shape(distance) != np.shape(along):
        distance = np.min(distance, initial=np.inf)
    size = np.abs(plain(y)) / np.maximum(distance, 1.0) ** order + np.abs(along)
    rtol = 1e-10 if method.exact else max(1e-10, 100 * method.rtol ** (1 / order))
    if np.any(np.abs(turned - 1j * along) > rtol * size):
        raise not_holomorphic()


def moving_all(shape: tuple[int, ...]) -> Any:
    """A direction that moves every item, none so that its slope may cancel another."""
    return np.reshape(1.0 + 0.618 * np.arange(math.prod(shape)) % 1.0, shape)[()] + 0j


def not_holomorphic() -> NotDifferentiableError:
    return NotDifferentiableError(
        "f has no complex derivative there: its slopes along the real and the "
        "imaginary axis differ (abs, real, imag and conj have none anywhere)"
    )


def _check_elementwise(f: Function, x: Any, dy: Any) -> None:
    """Look at two items alone: they must come out as they did in the array."""
    if np.shape(dy) != np.shape(x):
        raise ShapeError(
            f"derivative works elementwise, and f of an array of shape {np.shape(x)} "
            f"gave shape {np.shape(dy)}; for a function of several variables use "
            "gradient or jacobian"
        )
    if not isinstance(x, np.ndarray) or np.size(x) < 2:
        return
    whole = np.ravel(f(x))
    for position in (0, np.size(x) - 1):
        try:
            with np.errstate(all="ignore"):
                alone = f(np.ravel(x)[position].reshape((1,) * np.ndim(x)))
        except Exception:  # f wants that shape, and may still be elementwise
            return
        alone = np.ravel(alone)
        alone = alone[position if alone.size == x.size else 0]
        check_alone(alone, whole[position], position)


def check_alone(alone: Any, within: Any, position: int, rtol: float = 1e-6) -> None:
    """An item of f(x) is the same whether f gets all items of x or one."""
    if not _close(alone, within, rtol):
        raise ShapeError(
            f"derivative works elementwise, and item {position} of f(x) depends on "
            "other items of x; use jacobian for all its derivatives, or jvp along one "
            "direction"
        )


def _close(a: Any, b: Any, rtol: float) -> bool:
    """``np.isclose`` of two numbers, in a tenth of its time."""
    if a == b or (a != a and b != b):
        return True
    return bool(abs(a - b) <= rtol**2 + rtol * abs(b) < np.inf)


# What comes in and what goes out.


def _chosen(f: Function, name: str, options: dict[str, Any]) -> Method:
    if not callable(f):
        raise InputError(
            f"f must be a function, not {type(f).__name__}: write derivative(f)(x), "
            "not derivative(f(x))"
        )
    method = get_method(name)
    method.check_options(options)
    return method


def _no_way(*_: Any, **options: Any) -> Any:
    """The short cut of a method that has none."""


def _check_order(method: Method, order: int) -> None:
    if not isinstance(order, (int, np.integer)) or isinstance(order, bool) or order < 1:
        raise OptionError(f"order must be a whole number from 1, not {order!r}")
    if method.max_order is not None and order > method.max_order:
        raise OptionError(
            f"{method.name} gives derivatives to order {method.max_order}, not "
            f"{order}; taylor_series gives any order"
        )


def _explained(operation: Function, f: Function | None = None) -> Function:
    """Do the operation on f; say what to do where NumPy's own words would not.

    Where it fails, and f makes arrays of items, it is done once more on the same
    function with a NumPy that joins them.
    """
    first = operation if f is None else functools.partial(operation, f)

    @functools.wraps(operation)
    def run(*args: Any) -> Any:
        try:
            return first(*args)
        except FAILURES as error:
            from diffmethods.item_arrays import joining  # most functions need it never

            other = None if f is None else joining(f)
            if other is None:
                explain(error)
        try:
            return operation(other, *args)
        except FAILURES as error:
            explain(error)

    return run


FAILURES = (TypeError, ValueError, AttributeError, MissingRuleError)


def explain(error: Exception) -> NoReturn:
    """Raise the error, or one of ours that says what to do about it."""
    if isinstance(error, DiffmethodsError):
        raise error
    if isinstance(error.__cause__, TracedValueError):
        raise error.__cause__ from None
    said = str(error)
    if "truth value of an array" in said:
        raise InputError(
            "f branches with if, and and or on a whole array: choose item by item with "
            "np.where, or differentiate at one number at a time"
        ) from error
    if "arrays must have the same shape" in said:
        raise ShapeError("f changes the shape of its result around x") from error
    if "dtype('O')" in said:
        raise InputError(
            "f gives NumPy an array of objects, which it cannot compute with: build "
            f"the array by np.stack or np.concatenate, not np.array ({said})"
        ) from error
    raise error


def _point(
    x: Any, method: Method, at_complex: bool = False, used_again: bool = False
) -> Any:
    """Numbers as float64 or complex; another library's array stays one.

    Parameters
    ----------
    at_complex
        Whether the operator has a meaning at complex points.
    used_again
        Whether f itself is called at the point, too, which it may write into.
    """
    lent = method.reads_only and not used_again
    if type(x) is np.ndarray and x.dtype is FLOAT:
        return (x if lent else x.copy()) if x.ndim else x[()]
    if type(x) is FLOAT64:
        return x
    if (own := _own(x, method)) is not None:
        return own
    refuse_mask("x", x)
    foreign = is_foreign(x)
    x = x if foreign else joined(np.asarray(x))
    if x.dtype.kind == "c" and not (at_complex and method.complex_points):
        raise InputError(
            f"{method.name} takes real points here; at complex ones dual_numbers and "
            "reverse_tape give every operator but the sparse ones"
        )
    if isinstance(x, Traced):
        return x
    if x.dtype.kind == "c":
        return x.astype(complex)[()]
    objects = x.dtype == object and not foreign
    real = objects and all(isinstance(item, numbers.Real) for item in x.flat)
    if x.dtype.kind not in "fiub" and not real:
        raise InputError(
            f"x must hold numbers, not {x.dtype.name}: give a number or an array of "
            "numbers"
        )
    return x.astype(float, copy=not lent)[()]


def refuse_mask(name: str, x: Any) -> None:
    """A masked array would lose its mask on the way."""
    if isinstance(x, np.ndarray) and hasattr(x, "mask"):
        raise InputError(
            f"{name} is a masked array, and derivatives know no masks: give "
            f"{name}.filled(np.nan), or {name}.compressed() for the items that are not "
            "masked"
        )


def _like(v: Any, x: Any, method: Method) -> Any:
    """A direction, of the shape of the point."""
    refuse_mask("v", v)
    if (own := _own(v, method)) is not None:
        v = own
    elif is_foreign(v):
        v = v.astype(complex if is_complex(x) else float)
    elif not isinstance(v, Traced):
        v = np.asarray(v)
        if v.dtype.kind == "c" and not is_complex(x):
            raise InputError("v is complex, but x is real: give a real direction")
        v = v.astype(complex if is_complex(x) else float)[()]
    if v.shape != (x.shape if hasattr(x, "shape") else np.shape(x)):
        raise ShapeError(f"v has shape {np.shape(v)}, but x has shape {np.shape(x)}")
    return v


def is_complex(x: Any) -> bool:
    """Whether an array, or what stands in for one, is of NumPy's complex numbers."""
    if x.__class__ is FLOAT64:
        return False
    return getattr(getattr(x, "dtype", None), "kind", None) == "c"


def _result(dy: Any, method: Method, x: Any) -> Any:
    """A derivative as it goes out: complex at complex points."""
    dy = _value(dy, method)
    if not is_complex(x) or isinstance(dy, Traced) or is_foreign(dy):
        return dy
    return dy.astype(complex)


def plain(x: Any) -> Any:
    """The numbers inside stand-ins; None if there are none."""
    x = outcome(x)
    x = x.plain if isinstance(x, Traced) else x
    x = np.asarray(x) if is_foreign(x) else x
    return x if isinstance(x, (np.ndarray, np.generic, float, complex)) else None


def _value(y: Any, method: Method) -> Any:
    if type(y) is FLOAT64 or (type(y) is np.ndarray and y.ndim and y.dtype is FLOAT):
        return y
    y = joined(y)
    if isinstance(y, Traced) or is_foreign(y) or _own(y, method) is not None:
        return y
    return np.asarray(y)[()]


def _own(x: Any, method: Method) -> Any:
    """An array of the method's own library, to be left where it is; None for others."""
    return method.own(x) if method.own else None
