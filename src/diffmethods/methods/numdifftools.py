"""numdifftools: extrapolate differences of many steps, and look a second time."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numdifftools as nd
import numpy as np

from diffmethods.black_box import RTOL_OPTION
from diffmethods.errors import (
    DiffmethodsError,
    NotDifferentiableError,
    OptionError,
)
from diffmethods.estimates import RTOL, believed, plain_point, plainly
from diffmethods.method import Method
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.operators import contract, no_hessian, not_a_scalar

Function = Callable[..., Any]

NAME = "numdifftools"
# Its own first step, 2 log(e + |x|), asks f as far as 3 away from 2: out of domains,
# into loops that never end there. A quarter of that finds as many digits.
FIRST_STEPS = (0.5, 2.0**-7, 2.0**-13, 2.0**-19)  # the next where f is not finite
# How much shorter the steps of the second look are, for each order. Each is half a step
# off from the others by numdifftools' ratio (2, and 1.6 from order 2 on): the same
# steps would see the same waves.
SHORTER = {1: 2**5.5, 2: 1.6**4.5, 3: 1.6**2.5, 4: 1.6**1.5, 5: 1.6**1.5}
SIDES = ("central", "forward", "backward")
ADVICE = "give step=, or use chebyshev, which finds the scale of f by itself"

OPTIONS = {
    "step": (
        "numdifftools' step: a number or an array of the shape of x, used as it is and "
        "not looked at twice, or one of its step generators"
    ),
    "sides": f"numdifftools' method: {', '.join(SIDES)}",
    "accuracy": "numdifftools' order: the power of the step that the error falls with",
    **RTOL_OPTION,
}


def looked(kind: Function, f: Function, x: Any, y: Any, n: int, **options: Any) -> Any:
    """What a class of numdifftools finds, if it finds it again with shorter steps.

    The estimate of its error comes from the steps that it has chosen, and means nothing
    where f varies faster than those: then the two looks disagree.
    """
    named = {
        theirs: options[ours]
        for ours, theirs in (("sides", "method"), ("accuracy", "order"))
        if options.get(ours) is not None
    }
    if named.get("method", "central") not in SIDES:
        raise OptionError(
            f"sides is {', '.join(SIDES)}, not {named['method']!r}; for complex steps "
            "use complex_step, which notices where f does not take them"
        )
    undefined = ~np.isfinite(y)

    def finite(z: Any) -> Any:
        """numdifftools warns of what is not finite; where f(x) is not, 0 will do."""
        values = f(z)
        values = np.where(np.reshape(undefined, np.shape(values)), 0.0, values)[()]
        if not np.all(np.isfinite(values)):
            raise OutOfDomain
        return values

    def look(step: Any) -> tuple[Any, Any]:
        found = kind(finite, step=step, full_output=True, **named)(x)
        return np.asarray(found.estimate), np.asarray(found.error_estimate)

    with np.errstate(all="ignore"):
        try:
            return look_twice(look, n, options.get("step"))
        except OutOfDomain:
            raise NotDifferentiableError(
                f"f is finite at x = {x}, but not within the steps of numdifftools: "
                "give a shorter step=, or sides='forward' or 'backward'"
            ) from None
        except (ValueError, IndexError, AssertionError) as error:
            if isinstance(error, DiffmethodsError):
                raise
            raise OptionError(f"numdifftools: {error}") from error


class OutOfDomain(Exception):
    """f is not finite at a node."""


def look_twice(look: Function, n: int, step: Any) -> tuple[Any, Any]:
    """The estimate, and its error or the difference to the second one."""
    if step is not None:
        df, error = look(step)
        return df, error if callable(step) else np.zeros_like(error)
    for longest in FIRST_STEPS:
        try:
            df, error = look(nd.MaxStepGenerator(base_step=longest))
            shorter = longest / SHORTER[n]
            again, _ = look(nd.MaxStepGenerator(base_step=shorter))
            return df, np.maximum(error, np.reshape(np.abs(df - again), error.shape))
        except OutOfDomain:
            continue
    raise OutOfDomain


def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
    """numdifftools' Derivative, item by item."""
    x = plain_point(x, NAME)
    value = plainly(f, NAME)
    y = value(x)
    if np.shape(x) and np.shape(y) != np.shape(x):
        check_elementwise(f, x, y)
    flat = value if np.shape(x) else lambda z: np.ravel(value(z))
    kind = functools.partial(nd.Derivative, n=order)
    return found(kind, flat, x, x, y, np.shape(y), order, **options)


def jvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    """The derivative of t -> f(x + t v) at 0."""
    x, v = plain_point(x, NAME), plain_point(v, NAME)
    return derivative(lambda t: f(x + t * v), np.float64(0.0), 1, **options)


def gradient(f: Function, x: Any, **options: Any) -> Any:
    """numdifftools' Gradient."""
    return of_many(nd.Gradient, f, x, scalar=not_a_scalar, **options)


def jacobian(f: Function, x: Any, **options: Any) -> Any:
    """numdifftools' Jacobian."""
    return of_many(nd.Jacobian, f, x, **options)


def hessian(f: Function, x: Any, **options: Any) -> Any:
    """numdifftools' Hessian."""
    return of_many(nd.Hessian, f, x, order=2, scalar=no_hessian, **options)


def hvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    """The Hessian times v."""
    return contract(hessian(f, x, **options), plain_point(v, NAME), first=False)


def of_many(
    kind: Function,
    f: Function,
    x: Any,
    *,
    order: int = 1,
    scalar: Function | None = None,
    **options: Any,
) -> Any:
    """Derivatives by every item of x; numdifftools takes and gives vectors."""
    x = plain_point(x, NAME)
    value = plainly(f, NAME)
    y = value(x)
    if scalar and np.shape(y):
        raise scalar(np.shape(y))

    def flat(z: Any) -> Any:
        values = np.ravel(value(np.reshape(z, np.shape(x))))
        return values[0] if scalar else values

    shape = np.shape(y) + np.shape(x) * order
    if isinstance(step := options.get("step"), (list, tuple, np.ndarray)):
        options["step"] = np.ravel(step)
    return found(kind, flat, np.ravel(x), x, y, shape, order, **options)


def found(
    kind: Function,
    f: Function,
    z: Any,
    x: Any,
    y: Any,
    shape: tuple[int, ...],
    order: int,
    **options: Any,
) -> Any:
    if not (math.prod(shape) and np.isfinite(y).any()):
        return np.where(np.isfinite(y).all(), 0.0, np.full(shape, np.nan))[()]
    rtol = options.pop("rtol", RTOL)
    df, error = looked(kind, f, z, y, order, **options)
    df, error = np.reshape(df, shape), np.reshape(error, shape)
    return believed(NAME, ADVICE, x, y, df, error, order, rtol)


METHOD = Method(
    title="numdifftools",
    family="numerical",
    summary="Extrapolate differences of many steps, and take the best of them.",
    exact=False,
    rtol=1e-9,
    max_order=max(SHORTER),
    options=OPTIONS,
    derivative=derivative,
    jvp=jvp,
    gradient=gradient,
    jacobian=jacobian,
    hessian=hessian,
    hvp=hvp,
    references=("ridders1982",),
)
