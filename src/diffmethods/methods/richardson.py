"""Richardson's extrapolation: from a few steps to the limit of a step of 0."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import black_box
from diffmethods.black_box import (
    EVERYWHERE,
    MAX_EVALUATIONS,
    NEAR_ZERO,
    USUAL_STEP,
    Along,
    OneByOne,
    Result,
    Sampler,
    Status,
    checked_count,
    elementwise_result,
    first_steps,
    first_time,
    plain,
    reliable,
    room,
    room_along,
    second_derivatives,
)
from diffmethods.errors import OptionError
from diffmethods.method import Method
from diffmethods.methods.central_difference import stencil
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.stencils import EPS
from diffmethods.traced import Traced, outcome

Function = Callable[..., Any]

START = 0.1  # in parts of the scale of x
RATIO = 1.4
SAFE = 2.0  # a difference that grows by as much ends the tableau
CAUTION = 8  # as the best entry is often the luckiest, too
RTOL = 1e-4  # the largest estimated error of a success
GAINS = [  # of each row of the tableau, and how much its rounding grows
    (gain, float(np.hypot(gain, 1.0) / (gain - 1.0)))
    for gain in (RATIO ** (2 * power) for power in range(1, MAX_EVALUATIONS // 2))
]
LEAST = 64  # a step shorter than so many times the distance of numbers is lost in x

OPTIONS = {
    "step": f"the first and longest, {USUAL_STEP}",
    "ratio": f"of each step to the next; {RATIO} by default",
    **black_box.OPTIONS,
}


def solve(
    f: Function,
    x: Any,
    order: int = 1,
    *,
    step: Any = None,
    ratio: float = RATIO,
    bounds: Any = EVERYWHERE,
    max_evaluations: int = MAX_EVALUATIONS,
    rtol: float = RTOL,
) -> Result:
    """Extrapolate central differences by Ridders' tableau, with an error estimate.

    Parameters
    ----------
    f : callable
        ``f(x)``, of a number or elementwise of an array; it sees float64 alone.
    x : float or array_like
        Where to differentiate.
    order : int
        Which derivative.
    step : float or array_like, optional
        The first step, the longest.
    ratio : float
        Of each step to the next, above 1.
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
        Its `df` and `error` have the shape of ``f(x)``.

    References
    ----------
    C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in
    Engineering Software 4 (1982), 75-76.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.methods import richardson
    >>> found = richardson.solve(np.tanh, 2.0)
    >>> print(f"{found.df:.12f}, {found.nfev} evaluations, success {found.success}")
    0.070650824853, 16 evaluations, success True
    """
    x = np.asarray(x, float)[()]
    options = (step, ratio, bounds, max_evaluations, rtol)
    return elementwise_result(at_items(OneByOne(f, x), x, order, *options)[0], f)


class Tableau:
    """Ridders' tableau for every item: a column a step, and a row a power removed.

    Central differences have errors in even powers of the step.  Two of them at h and
    h / ratio give one without the square, two of those one without the fourth power.
    The best entry is the one that differs least from those that it was made of.  Its
    `blur` is what f varies by over the distance of the numbers around x, as the nodes
    are rounded, and its `scale` the usual size of the derivative, both out of the slope
    of f beside x.
    """

    def __init__(
        self,
        sampler: Sampler,
        order: int,
        ratio: float,
        steps: Any,
    ):
        self.sampler, self.order, self.ratio = sampler, order, ratio
        self.stencil = stencil(order, 2)
        self.x = np.ravel(sampler.table)
        h, least, limit = map(np.ravel, steps)
        self.h = np.minimum(h, limit / 2 / self.stencil.reach)
        self.least = least
        self.nit = 0
        self._start(self.h.size)

    def _start(self, count: int) -> None:
        self.shared = count != self.x.size
        self.h = np.resize(self.h, count)
        self.df, self.error = np.full(count, np.nan), np.full(count, np.inf)
        self.noise, self.nfev = np.zeros(count), np.zeros(count, int)
        self.best_h = self.h.copy()
        self.scale, self.blur = np.zeros((2, count))
        self.spacing = np.resize(self.least / LEAST, count)
        self.past_h = np.full(count, np.nan)
        self.past_y = np.full((len(self.stencil.offsets), count), np.nan, complex)
        self.done = np.zeros(count, bool)
        self.column: list[Any] = []

    def run(self, rounds: int) -> None:
        """Shorten the step until the tableau gets worse."""
        while self.nit < rounds and not self.done.all():
            self._round()
            self.nit += 1

    def _round(self) -> None:
        rows = np.flatnonzero(~self.done.reshape(self._rows, -1).all(1))
        own = np.arange(self.x.size).reshape(len(self.sampler.table), -1)[rows].ravel()
        offsets = np.array(self.stencil.offsets)[:, None]
        points = self.x[own] + offsets * self.h[own]
        shape = (len(offsets), -1, *self.sampler.table.shape[1:])
        y = self.sampler(points.reshape(shape), rows).reshape(len(offsets), -1)
        if y.shape[1] != len(own) and not self.shared:
            self._start(y.shape[1])
        items = np.arange(y.shape[1]) if self.shared else own
        if items.size:
            self._learn(items, y)

    @property
    def _rows(self) -> int:
        return 1 if self.shared else len(self.sampler.table)

    def _learn(self, items: Any, y: Any) -> None:
        """Add a column for the new step, and keep its best entry."""
        h = self.h[items]
        if np.iscomplexobj(y) and not np.iscomplexobj(self.df):
            self.df = self.df.astype(complex)
        weights = np.array(self.stencil.floats)[1:, None]
        power_of_h = h**self.order
        quotient = (weights * (y[1:] - y[0])).sum(0) / power_of_h
        slope = np.abs(self.past_y[:, items] - y).max(axis=0) / (self.past_h[items] - h)
        slope = np.where(np.isfinite(slope), slope, 0.0)
        self.past_y[:, items], self.past_h[items] = y, h
        blur = self.stencil.amplification * self.spacing[items] * slope / power_of_h
        usual = slope * h / power_of_h
        noise = self.sampler.eps * np.max(np.abs(y), axis=0)
        finite = np.isfinite(quotient)
        column = [quotient]
        past = self.column
        rounding = self.stencil.amplification * noise / power_of_h
        for power, before in enumerate(past, start=1):
            gain = self.ratio ** (2 * power)
            entry = (gain * column[-1] - before[items]) / (gain - 1)
            change = np.abs(entry - column[-1])
            difference = np.fmax(change, np.abs(entry - before[items]))
            rounding = rounding * np.hypot(gain, 1) / (gain - 1)
            error = CAUTION * difference + rounding
            better = finite & (error < self.error[items])
            keep = items[better]
            self.df[keep], self.error[keep] = entry[better], error[better]
            self.best_h[keep], self.noise[keep] = h[better], noise[better]
            self.scale[keep], self.blur[keep] = usual[better], blur[better]
            column.append(entry)
        self.nfev[items] += len(y)
        self._go_on(items, column, finite)

    def _go_on(self, items: Any, column: list[Any], finite: Any) -> None:
        """Shorten the steps, of items whose last entries do not drift apart."""
        if self.column:
            drift = np.abs(column[-1] - self.column[-1][items])
            self.done[items] = drift >= SAFE / CAUTION * self.error[items]
            exact = self.error[items] == 0
            self.done[items] |= exact | (drift == 0)
        self.column = self.column[: len(column)]
        for power, entries in enumerate(column):
            if power == len(self.column):
                self.column.append(np.full(self.h.size, np.nan, self.df.dtype))
            self.column[power] = self.column[power].astype(self.df.dtype, copy=False)
            self.column[power][items] = np.where(finite, entries, np.nan)
        self.h[items] /= np.where(finite, self.ratio, 8 * self.ratio)
        self.done |= self.h < self.least


def at_items(
    sampler: Sampler,
    x: Any,
    order: int,
    step: Any = None,
    ratio: float = RATIO,
    bounds: Any = EVERYWHERE,
    max_evaluations: int = MAX_EVALUATIONS,
    rtol: float = RTOL,
) -> tuple[Result, Any]:
    """The result for every item of x, and the best steps."""
    h, limit = first_steps(x, START, step), np.minimum(*room(x, bounds))
    steps = h, LEAST * np.spacing(np.abs(x)), limit
    return extrapolated(sampler, x, steps, order, ratio, max_evaluations, rtol)


def extrapolated(
    sampler: Sampler,
    x: Any,
    steps: tuple[Any, Any, Any],
    order: int,
    ratio: float,
    max_evaluations: int,
    rtol: float,
) -> tuple[Result, Any]:
    """Fill the tableau, and say how good its best entries are.

    The steps are the first, the shortest that is not lost in x, and the longest.
    """
    if not 1 < ratio <= 10:
        raise OptionError(f"ratio must lie above 1, and be 10 at most, not {ratio!r}")
    if np.any(steps[2] <= 0):
        raise OptionError(
            "richardson needs f on both sides of x, and x lies at one of the bounds; "
            "use chebyshev"
        )
    each = len(stencil(order, 2).offsets)
    tableau = Tableau(sampler, order, ratio, steps)
    with np.errstate(all="ignore"):
        tableau.run(checked_count(max_evaluations, 3 * each) // each)

    def whole(array: Any) -> Any:
        return array.reshape(sampler.shape)[()]

    names = ("df", "error", "blur", "scale", "noise", "best_h", "done", "nfev")
    df, error, blur, scale, noise, best_h, done, nfev = (
        whole(getattr(tableau, name)) for name in names
    )
    error = error + blur
    with np.errstate(all="ignore"):
        rounding = tableau.stencil.amplification * noise / best_h**order
    good = error <= rtol * np.maximum(np.abs(df), scale)
    good |= (np.abs(df) <= error) & (error <= 10 * rounding)  # 0, as far as one can see
    worse = [~np.isfinite(error), ~done]
    causes = [Status.NOT_FINITE, Status.OUT_OF_EVALUATIONS]
    status = np.select([good, *worse], [Status.CONVERGED, *causes], Status.ROUGH)[()]
    return Result(df, error, good, status, nfev, tableau.nit, 0 * noise, x), best_h


def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
    """All items of x in the same calls of f, each with steps of its own."""
    point = np.asarray(np.real(plain(x)), float)[()]
    sampler = OneByOne(f, point)
    result, h = at_items(sampler, point, order, **options)
    if isinstance(x, Traced) or sampler.traced:
        h = h if np.shape(h) == np.shape(x) else np.median(h)
        return weighted(f, x, h, order, options.get("ratio", RATIO))
    if np.ndim(x) and not np.all(result.success):
        check_elementwise(f, x, result.df)  # a better reason
    return reliable(result, f)


@np.errstate(all="ignore")
def at_number(f: Function, x: Any, **options: Any) -> Any:
    """The same at a number, in Python's floats; None if it is not as simple as that."""
    if options:
        return None
    formula, x = stencil(1, 2), float(x)
    spacing = float(np.spacing(abs(x)))
    h = (abs(x) if abs(x) > NEAR_ZERO else 1.0) * START
    df = error = blur = scale = math.nan
    least_error, column = math.inf, list[float]()
    past: tuple[float, ...] = ()
    for _ in range(MAX_EVALUATIONS // 2):
        y = f(np.float64(x - h)), f(np.float64(x + h))
        if not all(isinstance(value, float) for value in y):
            return None
        low, high = map(float, y)
        if not math.isfinite(high - low):
            return None
        slope = 0.0
        if past:
            slope = max(abs(past[0] - low), abs(past[1] - high)) / (past[2] - h)
        past = low, high, h
        entry = 0.5 * (high - low) / h
        rounding = formula.amplification * EPS * max(abs(low), abs(high)) / h
        entries = [entry]
        for before, (gain, growth) in zip(column, GAINS, strict=False):
            entry = (gain * entries[-1] - before) / (gain - 1.0)
            difference = max(abs(entry - entries[-1]), abs(entry - before))
            rounding *= growth
            error = CAUTION * difference + rounding
            if error < least_error:
                df, least_error, scale = entry, error, slope
                blur = formula.amplification * spacing * slope / h
            entries.append(entry)
        if column:
            drift = abs(entries[-1] - column[-1])
            if drift >= SAFE / CAUTION * least_error or least_error * drift == 0:
                break
        column, h = entries, h / RATIO
        if h < LEAST * spacing:
            break
    good = least_error + blur <= RTOL * max(abs(df), scale)
    return np.float64(df) if good else None


def along(
    f: Function,
    x: Any,
    v: Any,
    order: int = 1,
    step: Any = None,
    ratio: float = RATIO,
    bounds: Any = EVERYWHERE,
    max_evaluations: int = MAX_EVALUATIONS,
    rtol: float = RTOL,
) -> Any:
    """The derivative of t -> f(x + t v) at 0."""
    point, direction = np.real(plain(x)), np.real(plain(v))
    h, lost = first_time(point, direction, START, step)
    limits = h, LEAST * lost, min(room_along(point, direction, bounds))
    sampler = Along(f, point, direction)
    result, best_h = extrapolated(
        sampler, point, limits, order, ratio, max_evaluations, rtol
    )
    if isinstance(x, Traced) or isinstance(v, Traced) or sampler.traced:
        return weighted(
            lambda t: f(x + t * v), np.float64(0.0), np.median(best_h), order, ratio
        )
    return reliable(result, f)


def weighted(f: Function, x: Any, h: Any, order: int, ratio: float) -> Any:
    """Four columns of the tableau, of values of f that may be stand-ins."""
    formula = stencil(order, 2)
    h = h * ratio**3  # the best entry was made with the last of several steps
    column: list[Any] = []
    with np.errstate(all="ignore"):
        for _ in range(4):
            values = [outcome(f(x + k * h)) for k in formula.offsets]
            weighed = map(
                operator.mul, formula.floats[1:], [y - values[0] for y in values[1:]]
            )
            entries = [functools.reduce(operator.add, weighed) / h**order]
            for power, before in enumerate(column, start=1):
                gain = ratio ** (2 * power)
                entries.append((gain * entries[-1] - before) / (gain - 1))
            column, h = entries, h / ratio
    return column[-1]


def jvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    return along(f, x, v, 1, **options)


hessian, hvp = second_derivatives(along)

METHOD = Method(
    title="Richardson extrapolation",
    family="numerical",
    summary="Take central differences at several steps, and extrapolate to step 0.",
    exact=False,
    rtol=1e-9,
    max_order=8,
    options=OPTIONS,
    references=("ridders1982", "fornberg1988"),
    at_number=at_number,
    derivative=derivative,
    jvp=jvp,
    hessian=hessian,
    hvp=hvp,
)
