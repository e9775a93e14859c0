"""scipy.differentiate: shrink the step until the estimated error is small enough."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import differentiate

from diffmethods.black_box import RTOL_OPTION
from diffmethods.errors import OptionError
from diffmethods.estimates import believed, plain_point, plainly
from diffmethods.method import Method
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.operators import contract, no_hessian

Function = Callable[..., Any]

NAME = "scipy_differentiate"
FIRST_STEPS = (0.5, 2.0**-7, 2.0**-13, 2.0**-19)  # the first is SciPy's own
ADVICE = (
    "try a shorter initial_step=, more maxiter=, a step_direction= away from the end "
    "of the domain"
)

OPTIONS = {
    "initial_step": (
        f"the largest step, SciPy's {FIRST_STEPS[0]}; left away, a shorter one where f "
        "is not finite so far from x"
    ),
    "step_factor": "what the step is divided by from one round to the next, 2",
    "step_direction": "-1 or 1 for nodes on that side of x only; 0 for both",
    "accuracy": "SciPy's order: the power of the step that the error falls with, 8",
    "maxiter": "the most rounds, 10",
    "tolerances": "SciPy's: a dict of atol and rtol, where it stops; sqrt(eps)",
    **RTOL_OPTION,
}


def solved(
    solver: Function, field: str, f: Function, x: Any, y: Any, **options: Any
) -> Any:
    """What a solver of SciPy's finds, from the first step at which f is finite."""
    options = {("order" if k == "accuracy" else k): v for k, v in options.items()}
    rtol = {"rtol": options.pop("rtol")} if "rtol" in options else {}
    steps = [options.pop("initial_step")] if "initial_step" in options else FIRST_STEPS
    undefined = ~np.isfinite(np.reshape(y, (-1, 1)))
    with np.errstate(all="ignore"):
        for step in steps:
            try:
                found = solver(f, x, initial_step=step, **options)
            except (TypeError, ValueError) as error:
                if "`" not in str(error):  # SciPy puts the names of options into these
                    raise
                raise OptionError(f"scipy.differentiate: {error}") from error
            slopes = found[field]
            if np.all(np.isfinite(np.reshape(slopes, (np.size(y), -1))) | undefined):
                break
    return slopes, found.error, rtol


def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
    """Item by item, all with one step; the second is the derivative of the first."""
    if order > 1:
        first = lambda z: derivative(f, z, order - 1, **options)
        return derivative(first, x, 1, **options)
    x = plain_point(x, NAME)
    value = plainly(f, NAME)
    y = value(x)
    if np.shape(x) and np.shape(y) != np.shape(x):
        check_elementwise(f, x, y)
    if not np.size(y):
        return np.zeros(np.shape(y))

    def at_nodes(points: Any) -> Any:
        """SciPy asks for many nodes at once, along the last axis."""
        nodes = np.moveaxis(points, -1, 0) if points.ndim > np.ndim(y) else [points]
        first = (0,) * np.ndim(y)
        values = [value(node if np.shape(x) else node[first]) - y for node in nodes]
        return np.reshape(np.stack(values, axis=-1), points.shape)

    slopes, error, rtol = solved(
        lambda g, z, **kw: differentiate.derivative(g, z, preserve_shape=True, **kw),
        "df",
        at_nodes,
        np.broadcast_to(x, np.shape(y)),
        y,
        **options,
    )
    return believed(NAME, ADVICE, x, y, slopes, error, **rtol)


def jvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    """The derivative of t -> f(x + t v) at 0."""
    x, v = plain_point(x, NAME), plain_point(v, NAME)
    return derivative(lambda t: f(x + t * v), np.float64(0.0), 1, **options)


def at_columns(value: Function, x: Any, y: Any) -> Function:
    """f at many points, each a column of items, as SciPy's Jacobian asks for them.

    f(x) is subtracted: SciPy's weights sum to 0 up to rounding only.
    """

    def run(points: Any) -> Any:
        columns = np.reshape(points, (np.size(x), -1)).T
        values = [np.ravel(value(np.reshape(z, np.shape(x))) - y) for z in columns]
        return np.reshape(np.stack(values, axis=-1), (-1, *points.shape[1:]))

    return run


def jacobian(f: Function, x: Any, **options: Any) -> Any:
    """SciPy's Jacobian: one derivative a variable, all with the same steps."""
    x = plain_point(x, NAME)
    value = plainly(f, NAME)
    y = value(x)
    shape = np.shape(y) + np.shape(x)
    if not (np.size(x) and np.size(y)):
        return np.zeros(shape)
    run = at_columns(value, x, y)
    found = solved(differentiate.jacobian, "df", run, np.ravel(x), y, **options)
    slopes, error = (np.reshape(part, shape) for part in found[:2])
    return believed(NAME, ADVICE, x, y, slopes, error, **found[2])


def hessian(f: Function, x: Any, **options: Any) -> Any:
    """SciPy's Hessian: the Jacobian of the Jacobian."""
    if directed := {"step_direction", "step_factor"} & options.keys():
        raise OptionError(f"SciPy's hessian has no option {directed.pop()!r}")
    x = plain_point(x, NAME)
    value = plainly(f, NAME)
    y = value(x)
    if np.shape(y):
        raise no_hessian(np.shape(y))
    if not np.size(x):
        return np.zeros(np.shape(x) * 2)
    columns = at_columns(value, x, y)
    run = lambda points: columns(points)[0]
    found = solved(differentiate.hessian, "ddf", run, np.ravel(x), y, **options)
    slopes, error = (np.reshape(part, np.shape(x) * 2) for part in found[:2])
    return believed(NAME, ADVICE, x, y, slopes, error, 2, **found[2])


def hvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    """The Hessian times v."""
    return contract(hessian(f, x, **options), plain_point(v, NAME), first=False)


METHOD = Method(
    title="scipy.differentiate",
    family="numerical",
    summary="Shrink the step until the estimated error is small enough.",
    exact=False,
    rtol=1e-9,
    max_order=2,
    options=OPTIONS,
    derivative=derivative,
    jvp=jvp,
    jacobian=jacobian,
    hessian=hessian,
    hvp=hvp,
    references=("virtanen2020",),
)
