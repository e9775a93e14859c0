"""Implicit functions: the slope of a root from the equation, however it was found.

Where F(y, x) = 0 defines y, the implicit function theorem gives dy as the solution of
the linear system F_y dy = -F_x dx.  The solver that found y is never differentiated.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.custom_rules import (
    CustomFunction,
    as_numbers,
    is_float,
    is_zero,
    known_to,
    let_in,
)
from diffmethods.errors import InputError, NotDifferentiableError, ShapeError
from diffmethods.methods import dual_numbers
from diffmethods.methods.dual_numbers import Dual, tangents
from diffmethods.recording import Recorded
from diffmethods.traced import LEVELS, Traced, leaves, outcome

Function = Callable[..., Any]

WORST_CONDITION = 1e14


def custom_root(
    residual: Function,
    solve: Function | None = None,
    *,
    elementwise: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-12,
) -> Any:
    """Differentiate the root of an equation, whatever finds it.

    Parameters
    ----------
    residual : callable
        ``residual(y, *xs)`` in plain NumPy, 0 at the root: a number or an array of the
        shape of `y`.
    solve : callable, optional
        ``y = solve(*xs, **options)``, a number or an array.  Any solver: SciPy's, an
        iteration of your own, compiled code.  Left away, `custom_root` is a decorator.
    elementwise : bool
        Whether each item of the residual depends on the same item of `y` alone; then
        no matrix is made.  It is checked.
    rtol : float
        The residual must be smaller than what a relative change of the root and the
        arguments by `rtol` makes of it.
    atol : float
        The residual may always be as large as that.

    Returns
    -------
    CustomFunction
        ``y = solve(*xs)`` with the derivatives of the root by every argument, in both
        modes and to higher orders.

    Raises
    ------
    NotDifferentiableError
        When called, if the residual is not small at what `solve` returns, or its
        Jacobian by the root is singular there.
    ShapeError
        If the residual has another shape than the root.

    See Also
    --------
    custom_fixed_point : The same for y = T(y, x).

    Notes
    -----
    The derivative is that of the root, and as inexact as the root is: a solver that
    stops early costs digits of both.  At the end of each call the residual is
    evaluated three times to see that it converged.  The Jacobian by the root takes one
    pushforward for each of its n items, and the system n**3 operations.

    References
    ----------
    :cite:t:`griewank2008`, chapter 15; :cite:t:`blondel2022`.

    Examples
    --------
    >>> import diffmethods as dm
    >>> def cube_root(a):
    ...     low, high = 0.0, max(a, 1.0)
    ...     for _ in range(60):
    ...         middle = (low + high) / 2
    ...         low, high = (middle, high) if middle**3 < a else (low, middle)
    ...     return low
    >>> root = dm.custom_root(lambda y, a: y**3 - a, cube_root)
    >>> print(f"{dm.derivative(root)(8.0):.12f}, {1 / 12:.12f}")
    0.083333333333, 0.083333333333
    >>> print(f"{dm.derivative(root, method='reverse_tape', order=2)(8.0):.12f}")
    -0.006944444444
    """
    if not callable(residual):
        raise InputError(
            f"the residual must be a function, not {type(residual).__name__}"
        )
    if solve is None:
        return functools.partial(
            custom_root, residual, elementwise=elementwise, rtol=rtol, atol=atol
        )
    if not callable(solve):
        raise InputError(f"the solver must be a function, not {type(solve).__name__}")
    name = getattr(solve, "__name__", "the solver")

    @functools.wraps(solve)
    def root(*xs: Any, **options: Any) -> Any:
        y = solve(*xs, **options)
        if isinstance(y, (tuple, list)):
            raise InputError(
                f"{name} must return the root alone, a number or an array, not a "
                f"{type(y).__name__}"
            )
        y = as_numbers(y, name)
        f = with_options(residual, options)
        check_converged(f, y, xs, name, rtol, atol)
        if elementwise:
            check_diagonal(f, y, xs, name)
        return y

    def jvp(y: Any, *xs_and_dxs: Any, **options: Any) -> Any:
        half = len(xs_and_dxs) // 2
        xs, dxs = xs_and_dxs[:half], xs_and_dxs[half:]
        f = with_options(residual, options)
        change = moved_by_arguments(f, y, xs, dxs)
        return -solved(f, y, xs, change, elementwise, name)

    return CustomFunction(root, jvp=jvp)


def custom_fixed_point(
    step: Function,
    solve: Function | None = None,
    *,
    elementwise: bool = False,
    rtol: float = 1e-6,
    atol: float = 1e-12,
) -> Any:
    """Differentiate the fixed point of an iteration, whatever finds it.

    Parameters
    ----------
    step : callable
        ``step(y, *xs)`` in plain NumPy, equal to `y` at the fixed point.
    solve : callable, optional
        ``y = solve(*xs, **options)``: the iteration itself, or something faster.  Left
        away, `custom_fixed_point` is a decorator.
    elementwise, rtol, atol
        As for `custom_root`, with ``step(y, *xs) - y`` for the residual.

    Returns
    -------
    CustomFunction
        ``y = solve(*xs)`` with the derivatives of the fixed point by every argument, in
        both modes and to higher orders.

    Raises
    ------
    NotDifferentiableError, ShapeError
        As for `custom_root`.

    References
    ----------
    :cite:t:`christianson1994`; :cite:t:`griewank2008`, chapter 15.

    Examples
    --------
    >>> import numpy as np
    >>> import diffmethods as dm
    >>> @dm.custom_fixed_point(lambda y, a: np.cos(a * y))
    ... def settled(a):
    ...     y = 0.5
    ...     for _ in range(200):
    ...         y = np.cos(a * y)
    ...     return y
    >>> print(f"{dm.derivative(settled)(1.0):.12f}")
    -0.297474341510
    """
    if not callable(step):
        raise InputError(f"the step must be a function, not {type(step).__name__}")

    @functools.wraps(step)
    def residual(y: Any, *xs: Any, **options: Any) -> Any:
        return outcome(step(y, *xs, **options)) - y

    return custom_root(residual, solve, elementwise=elementwise, rtol=rtol, atol=atol)


def with_options(residual: Function, options: dict[str, Any]) -> Function:
    """The residual, given those of the solver's options that it knows."""
    known = known_to(residual, tuple(options.items()))
    return functools.partial(residual, **known) if known else residual


def moved_by_root(f: Function, y: Any, xs: Any, dy: Any) -> Any:
    """F_y dy"""
    return dual_numbers.jvp(lambda z: f(z, *xs), y, dy)


def moved_by_arguments(f: Function, y: Any, xs: Any, dxs: Any) -> Any:
    """F_x dx"""
    level = next(LEVELS)
    moving = [
        x if is_zero(dx) else Dual(x, dx, level) for x, dx in zip(xs, dxs, strict=True)
    ]
    return np.broadcast_to(tangents(outcome(f(y, *moving)), level), np.shape(y))


def solved(
    f: Function, y: Any, xs: Any, change: Any, elementwise: bool, name: str
) -> Any:
    """The dy for which F_y dy is the change."""
    shape, size = np.shape(y), np.size(y)
    if elementwise or not shape:
        slope = moved_by_root(f, y, xs, np.ones(shape)[()])
        if np.any(slope == 0):
            raise singular(name)
        return change / slope
    if not size:
        return change
    basis = np.eye(size).reshape((size, *shape))
    columns = [np.reshape(moved_by_root(f, y, xs, e), size) for e in basis]
    matrix = np.stack(columns, axis=-1)
    known = innermost_value(matrix)
    if known is not None and nearly_singular(known):
        raise singular(name)
    return np.reshape(np.linalg.solve(matrix, np.reshape(change, size)), shape)


def innermost_value(x: Any) -> Any:
    """The array inside stand-ins, or None where a library keeps it to itself."""
    while isinstance(x, Traced):
        x = x.step.held if isinstance(x, Recorded) else x.value
    try:
        return np.asarray(x)
    except (TypeError, ValueError):
        return None


def nearly_singular(matrix: Any) -> bool:
    """Whether a system has no digits left, seen by the solution for one other side."""
    side = np.cos(np.arange(1.0, len(matrix) + 1.0))
    try:
        y = np.linalg.solve(matrix, side)
    except np.linalg.LinAlgError:
        return True
    condition = np.linalg.norm(matrix) * np.linalg.norm(y) / np.linalg.norm(side)
    return not condition < WORST_CONDITION


def singular(name: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"what {name} returns has no derivative there: the Jacobian of the residual by "
        "the root is singular, so several roots meet or the equation leaves it open"
    )


def check_converged(
    f: Function, y: Any, xs: Any, name: str, rtol: float, atol: float
) -> None:
    """Compare the residual with what a small relative change makes of it."""
    with np.errstate(all="ignore"):
        remains = outcome(f(y, *xs))
    if np.shape(remains) != np.shape(y):
        raise ShapeError(
            f"the residual has shape {np.shape(remains)}, and the root that {name} "
            f"returns has shape {np.shape(y)}: as many equations as unknowns are needed"
        )
    if leaves((remains,)):
        raise let_in(name)
    itself = [x if is_float(x) else 0.0 for x in xs]
    with np.errstate(all="ignore"):
        scale = np.absolute(moved_by_root(f, y, xs, y))
        scale = scale + np.absolute(moved_by_arguments(f, y, xs, itself))
    largest = np.max(np.absolute(remains), initial=0.0)
    allowed = atol + rtol * np.max(scale, initial=0.0)
    if not (largest <= allowed and np.isfinite(largest)):
        raise NotDifferentiableError(
            f"{name} did not converge: the residual at what it returns is "
            f"{largest:.1e}, and at a root it is below {allowed:.1e}; the theorem of "
            "implicit functions holds at roots only"
        )


def check_diagonal(f: Function, y: Any, xs: Any, name: str) -> None:
    """Let the items change by different amounts: each residual follows its own."""
    if np.size(y) < 2:
        return
    amounts = np.cos(1.0 + np.arange(np.size(y))).reshape(np.shape(y))
    together = moved_by_root(f, y, xs, np.ones(np.shape(y)))
    apart = moved_by_root(f, y, xs, amounts)
    if not np.allclose(apart, together * amounts, rtol=1e-9, atol=1e-300):
        raise ShapeError(
            f"items of the residual for {name} depend on other items of the root, so "
            "it is not elementwise: leave elementwise= away"
        )
