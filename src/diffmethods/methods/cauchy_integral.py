"""Cauchy's integral: any derivative as a mean of values on a circle around x."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.black_box import (
    ALONE,
    NEAR_ZERO,
    RTOL_OPTION,
    USUAL_STEP,
    Along,
    Result,
    Sampler,
    Status,
    elementwise_result,
    first_steps,
    first_time,
    plain,
    reliable,
    second_derivatives,
)
from diffmethods.errors import (
    DiffmethodsError,
    InputError,
    NotDifferentiableError,
    OptionError,
)
from diffmethods.method import Method
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.stencils import EPS
from diffmethods.traced import Traced, outcome

Function = Callable[..., Any]

START = 0.5  # in parts of the size of x
SCOUTS = 16  # nodes of the first circle, which tells where the next should be
ROUNDS = 12
PATIENCE = 5  # circles with a singularity inside, before f is held not analytic
LOOKS = 4  # circles in haste at a number
SMALL = np.log(1e-12)  # an error that fewer nodes are taken for
NOISE = np.log(EPS / 4)  # of a coefficient, in parts of the largest
SAME = 0.15  # a smaller change of the radius's logarithm is none
ENOUGH = 2e-14  # a relative error estimate that no further circle is drawn for
SUFFICES = 1e-11  # at a number, where two circles are to do; the truth is mostly better
SURE = 1e-9  # that f cannot reach if it mixes what it gets in one call
ACCEPTED = 1e-4  # where no other circle is better
TINY = 1e-300
BLOCK = 64  # items at a time, to save memory
GROWTHS = 2.0 ** (np.arange(-24, 25) / 6)  # of the radius
FAR = 8  # a circle so many times larger is looked at by scouts first
SLOWEST = math.log(0.98)  # decay an index: a singularity on the circle, or inside

OPTIONS = {
    "radius": f"of the first circle, {USUAL_STEP}",
    "nodes": (
        "on each circle but the first; left away, 48 at most, or 4 n + 8 from order 11 "
        "on"
    ),
    **RTOL_OPTION,
}


def solve(
    f: Function,
    x: Any,
    order: int = 1,
    *,
    radius: Any = None,
    nodes: Any = None,
    rtol: float = 1e-4,
) -> Result:
    """Differentiate an analytic function any number of times, and estimate the error.

    Parameters
    ----------
    f : callable
        ``f(z)``, of a complex number or elementwise of an array of them, analytic in a
        disc around x.
    x : complex or array_like
        Where to differentiate.
    order : int
        Which derivative.
    radius : float or array_like, optional
        Of the first circle.
    nodes : int, optional
        On each circle but the first, more than `order`.
    rtol : float
        Largest estimated error that is a success, in parts of the derivative or, where
        that is near 0, of its usual size.

    Returns
    -------
    Result
        Its `df` is real where f is real on the real axis.

    Raises
    ------
    NotDifferentiableError
        If f is not analytic.
    InputError
        If f takes no complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.methods import cauchy_integral
    >>> found = cauchy_integral.solve(np.exp, 0.0, order=20)
    >>> print(f"{found.df:.10f} by {found.nfev} evaluations")
    1.0000000000 by 192 evaluations
    """
    x = np.asarray(x)
    x = x.astype(complex if x.dtype.kind == "c" else float)[()]
    sampler = Sampler(f, np.asarray(x, complex)[()])
    found = at_items(sampler, x, order, radius, nodes, rtol)[0]
    return elementwise_result(found, f)


class Circles:
    """Draws circles of better and better radii around each item of x."""

    def __init__(self, sampler: Sampler, radius: Any, order: int, nodes: int):
        self.sampler, self.order, self.nodes = sampler, order, nodes
        self.x = np.ravel(sampler.table)
        self.nit, self.first_radius = 0, np.ravel(radius)
        self._start(self.first_radius)

    def _start(self, radius: Any) -> None:
        count = radius.size
        self.shared = count != self.x.size
        self.radius, self.best_radius = radius.copy(), radius.copy()
        self.df, self.error = np.full(count, np.nan, complex), np.full(count, np.inf)
        self.scale, self.noise = np.zeros(count), np.zeros(count)
        self.nfev, self.turned = np.zeros((2, count), int)
        self.real = np.ones(count, bool)
        self.done, self.finite, self.analytic = np.zeros((3, count), bool)

    def run(self) -> None:
        self._draw()
        unsure = self.error > SURE * np.maximum(np.abs(self.df), self.scale)
        if self.sampler.together and unsure.any() and not self._confirmed():
            nfev = self.nfev
            self._start(self.first_radius)
            self.nit, self.nfev = 0, nfev
            self._draw()

    def _draw(self) -> None:
        while self.nit < ROUNDS and not self.done.all():
            self._round(self._rows(), SCOUTS if self.nit == 0 else self.nodes)
            self.nit += 1

    def _confirmed(self) -> bool:
        """Whether f does not mix what it gets in one call, by the last circles."""
        points, rows, y = self.looked_at
        self.nfev += ALONE
        return self.sampler.confirms(points, rows, y)

    def _rows(self) -> Any:
        if self.shared:
            return np.array([0])
        return np.flatnonzero(~self.done.reshape(len(self.sampler.table), -1).all(1))

    def _round(self, rows: Any, count: int) -> None:
        own = np.arange(self.x.size).reshape(len(self.sampler.table), -1)[rows].ravel()
        order = opposite(count)
        points = self.x[own] + self.radius[own] * pairs_of_nodes(count)[:, None]
        points = points.reshape(count, -1, *self.sampler.table.shape[1:])
        try:
            values = self.sampler(points, rows)
        except DiffmethodsError:
            raise
        except TypeError as reason:
            self.sampler.value(np.real(self.sampler.x))  # may know a better reason
            raise InputError(
                f"cauchy_integral evaluates f at complex numbers, and f takes none: "
                f"{reason}; chebyshev needs real numbers alone"
            ) from reason
        self.looked_at = points, rows, values
        y = np.empty((count, values.size // count), complex)
        y[order] = values.reshape(count, -1)
        if y.shape[1] != len(own) and not self.shared:
            self._start(np.full(y.shape[1], self.radius[0]))
        items = np.arange(y.shape[1]) if self.shared else own
        self._learn(items, y)
        if self.shared and not self.done.all():
            self.radius[:] = self.radius[~self.done].min()

    def _learn(self, items: Any, y: Any) -> None:
        """Read coefficient and error off the spectrum, and choose the next radius."""
        count, order, radius = len(y), self.order, self.radius[items]
        c = np.fft.fft(y, axis=0) / count
        a = np.abs(c)
        largest = np.max(np.abs(y), axis=0)
        turning = np.max(a * np.arange(count)[:, None], axis=0)  # f' times the radius
        floor = EPS * (largest + np.abs(self.x[items % self.x.size]) * turning / radius)
        floor = np.maximum(floor, TINY)
        pairs = np.maximum(a[:-1], a[1:])
        significant = pairs > 4 * floor
        last = np.where(
            significant.any(0), count - 2 - np.argmax(significant[::-1], axis=0), 0
        )
        finite = np.isfinite(largest)
        negative, middle = (np.maximum(a[k], a[k + 1]) for k in (-2, count // 2))
        mirrored = negative > np.maximum(8 * floor, 4 * middle)

        decay = np.where(last > 0, slope(pairs, last), np.log(0.1))
        ends = last >= count - 2
        alias = np.where(ends, negative, floor) * np.exp(decay * (order + 1))
        top = np.take_along_axis(pairs, last[None], 0)[0]  # others may be 0 by symmetry
        top = top * np.exp(decay * (count - last + order))
        alias = np.where(last >= 3 * count // 4, np.fmax(alias, top), alias)
        factor = ratio(order, radius)
        self.nfev[items] += count
        sound, stale = finite & ~mirrored, np.zeros(len(items), bool)
        if order < count:
            error = (2 * floor + alias) * factor
            better = sound & (error < self.error[items])
            stale = error > self.error[items] / 2
            near = np.max(a[order : order + 2], axis=0)
            near = np.where((last < order) | (near <= 4 * floor), largest, near)
            self._keep(items[better], better, c[order] * factor, error, near * factor)
            self.noise[items] = np.where(better, floor, self.noise[items])
            real = np.max(np.abs(c.imag), axis=0) <= 8 * floor
            on_axis = np.abs(y[[0, count // 2]].imag).max(axis=0) <= 8 * floor
            real |= on_axis & (np.abs(c[order].imag) * factor <= error)
            self.real[items] = np.where(better, real, self.real[items])
        self.finite[items] |= finite
        self.analytic[items] |= sound

        growth = improvement(pairs, last, decay, order, (self.nodes,))[0][0]
        blind = decay == SLOWEST
        wanted = radius * np.where(blind, np.minimum(growth, 0.5), growth)
        wanted = np.where(mirrored, radius / 8, wanted)
        inside = np.where(radius > 4, np.minimum(radius / 8, 0.5), radius / 8)
        wanted = np.where(finite, wanted, inside)
        change = np.abs(np.log(wanted / radius))
        tried = (
            sound & (count == self.nodes) & ((change < SAME) | (stale & (self.nit > 5)))
        )
        good = self.error[items] < ENOUGH * np.abs(self.df[items])
        self.turned[items] += mirrored
        tried |= self.turned[items] >= PATIENCE
        self.analytic[items] &= self.turned[items] < PATIENCE
        self.done[items] = good | tried | (largest == 0)
        self.radius[items] = wanted

    def _keep(self, items: Any, better: Any, df: Any, error: Any, scale: Any) -> None:
        self.df[items], self.error[items] = df[better], error[better]
        self.scale[items] = scale[better]
        self.best_radius[items] = self.radius[items]


def improvement(
    pairs: Any, last: Any, decay: Any, order: int, counts: tuple[int, ...]
) -> tuple[Any, Any]:
    """How many times larger the radius should be, for each number of nodes.

    Coefficient k grows like the k-th power of the radius.  Noise comes with the
    largest of all, alias from the first that the nodes cannot tell from the one
    that is wanted; both count in parts of that one, and noise a quarter, as a
    coefficient is a mean of 16 values or more.  Where the singularity is a
    branch point, the decay seems steeper than it goes on, by a part of 1 / k.

    Returns
    -------
    growth, error : ndarray
        The radius of least error, and the logarithm of that error in parts of the
        derivative, by number of nodes and item.
    """
    k, gains = grown_by(counts[-1] + order + 1)
    size = np.log(np.maximum(pairs[np.minimum(k, last), np.arange(len(last))], TINY))
    size += np.maximum(k - last, 0) * (decay + 1 / (last + 1))
    growth, error = np.empty((2, len(counts), len(last)))
    for first in range(0, len(last), BLOCK):
        some = slice(first, first + BLOCK)
        grown = size[:, None, some] + gains
        alias = grown[[count + order for count in counts]]
        costs = np.maximum(grown.max(0) + NOISE, alias) - grown[order]
        growth[:, some] = GROWTHS[costs.argmin(1)]
        error[:, some] = costs.min(1)
    return growth, error


def improvement_at(
    pairs: Any, last: int, decay: float, order: int, counts: tuple[int, ...]
) -> tuple[list[float], list[float]]:
    """The same for one item, in half of the time."""
    k, gains = grown_by(counts[-1] + order + 1)
    size = np.empty(len(k))
    np.log(np.maximum(pairs[: last + 1], TINY), size[: last + 1])
    np.multiply(k[1 : len(k) - last, 0], decay + 1 / (last + 1), size[last + 1 :])
    size[last + 1 :] += size[last]
    grown = size[:, None] + gains[..., 0]
    alias = grown[[count + order for count in counts]]
    costs = np.maximum(grown.max(0) + NOISE, alias) - grown[order]
    return GROWTHS[costs.argmin(1)].tolist(), costs.min(1).tolist()


@functools.lru_cache
def grown_by(count: int) -> tuple[Any, Any]:
    """Indices, and how the logarithms of coefficients grow, by index and growth."""
    k = np.arange(count)[:, None]
    return k, (np.log(GROWTHS) * k)[..., None]


def slope(pairs: Any, last: Any) -> Any:
    """How fast the logarithms fall an index, in the last third above the noise."""
    items = np.arange(len(last))
    first = 2 * last // 3 * (last > 2)
    fall = np.log(pairs[last, items] / pairs[first, items])
    return np.minimum(fall / np.maximum(last - first, 1), SLOWEST)


def ratio(order: int, radius: Any) -> Any:
    """n! / r**n, without an overflow on the way."""
    return functools.reduce(
        operator.mul, (k / radius for k in range(1, order + 1)), 1.0
    )


def at_items(
    sampler: Sampler,
    x: Any,
    order: int,
    radius: Any = None,
    nodes: Any = None,
    rtol: float = 1e-4,
) -> tuple[Result, Any]:
    """The result for every item of x, and the best radii."""
    start = first_steps(x, START, radius, "radius")
    return drawn(sampler, x, start, order, nodes, rtol)


def drawn(
    sampler: Sampler, x: Any, start: Any, order: int, nodes: Any, rtol: float
) -> tuple[Result, Any]:
    """Draw the circles, and put together what they tell."""
    circles = Circles(sampler, start, order, checked_nodes(nodes, order))
    with np.errstate(all="ignore"):
        circles.run()
    if np.any(circles.finite & ~circles.analytic):
        raise NotDifferentiableError(
            "f is not analytic there: around a circle it turns the other way, however "
            "small the circle (abs, real, imag and conj do so, and what is chosen by "
            "comparing them); use dual_numbers, or chebyshev for real numbers alone"
        )

    def whole(array: Any) -> Any:
        return array.reshape(sampler.shape)[()]

    df = whole(circles.df)
    if not np.iscomplexobj(x) and circles.real.all():
        df = df.real
    error, scale, noise = map(whole, (circles.error, circles.scale, circles.noise))
    good = error <= rtol * np.maximum(np.abs(df), scale)
    good |= (scale == 0) & np.isfinite(error)
    worse = [~np.isfinite(error), ~whole(circles.done)]
    causes = [Status.NOT_FINITE, Status.OUT_OF_EVALUATIONS]
    status = np.select([good, *worse], [Status.CONVERGED, *causes], Status.ROUGH)[()]
    nfev = whole(circles.nfev)
    result = Result(df, error, good, status, nfev, circles.nit, noise, x)
    return result, whole(circles.best_radius)


def checked_nodes(nodes: Any, order: int) -> int:
    """As many nodes as are asked for, or as the order needs."""
    if nodes is None:
        return 48 if order <= 10 else 4 * order + 8
    if not isinstance(nodes, (int, np.integer)) or nodes < max(2 * order, 8):
        raise OptionError(
            f"nodes must be a whole number from {max(2 * order, 8)} for order {order}, "
            f"not {nodes!r}"
        )
    return int(nodes)


def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
    """Circles for each item of x, all of them in the same calls of f."""
    if not options and type(x) is np.float64:
        df = first_looks(f, x, order)
        if df is not None:
            return df
    point = plain(x)
    sampler = Sampler(f, np.asarray(point, complex)[()])
    try:
        result, radius = at_items(sampler, point, order, **options)
    except NotDifferentiableError:
        if np.ndim(x) and not isinstance(x, Traced):
            check_elementwise(f, x, x)  # a better reason
        raise
    if isinstance(x, Traced) or sampler.traced:
        radius = radius if np.shape(radius) == np.shape(x) else np.median(radius)
        return weighted(f, x, radius, order, np.isrealobj(result.df))
    return reliable(result, f)


@np.errstate(all="ignore")
def first_looks(f: Function, x: Any, order: int) -> Any:
    """The derivative at a number from a few circles, or None if it needs more."""
    x = float(x)
    radius = (abs(x) if abs(x) > NEAR_ZERO else 1.0) * START
    most = checked_nodes(None, order)
    choices, count = (most * 2 // 3, most * 5 // 6, most), SCOUTS
    for _ in range(LOOKS):
        points = x + radius * pairs_of_nodes(count)
        y = values_around(f, points)
        if y is None:
            return None
        c = transform(count).dot(y)
        a = np.abs(c)
        size, turning = a.dot(sums(count)).tolist()
        floor = EPS * (size + abs(x) / radius * turning)
        pairs = np.maximum(a[:-1], a[1:])
        significant = (pairs > 4 * floor).nonzero()[0]
        end, middle = max(a[-4:].tolist()), a.item(count // 2)
        mirrored = end > max(8 * floor, 4 * middle)
        if not 0 < floor < math.inf or mirrored or not significant.size:
            return None
        last = significant.item(-1)
        first = 2 * last // 3 * (last > 2)
        fall = math.log(pairs.item(last) / max(pairs.item(first), TINY))
        decay = min(fall / max(last - first, 1), SLOWEST)
        df, error = math.nan, math.inf
        if order < count:
            factor = math.prod([k / radius for k in range(1, order + 1)])
            noise = min(floor, 4 * max(end, floor / 8))
            alias = end * math.exp((order + 1) * decay)
            df, error = c.item(order) * factor, (noise + alias) * factor
            if abs(df.imag) > error:
                error = math.inf
            df = df.real
        if error < SUFFICES * abs(df):
            return np.float64(df)
        growths, errors = improvement_at(pairs, last, decay, order, choices)
        enough = sum(error > SMALL for error in errors[:-1])
        growth = growths[enough]
        if decay == SLOWEST:
            growth = min(growth, 0.5)
        settled = count > SCOUTS and abs(math.log(growth)) < SAME
        if settled and error < ACCEPTED * abs(df):
            return np.float64(df) if same_alone(f, points, y) else None
        radius *= growth
        count = SCOUTS if growth > FAR and count == SCOUTS else choices[enough]
    return None


def values_around(f: Function, points: Any) -> Any:
    """The first pair of them alone and the others together; None if f refuses that."""
    try:
        others = f(points[ALONE:])
        alone = [f(point) for point in points[:ALONE]]
    except Exception:  # f wants numbers, or real ones
        return None
    if type(others) is not np.ndarray or others.dtype != complex:
        return None
    if others.shape != (len(points) - ALONE,) or not all(map(is_complex, alone)):
        return None
    return np.concatenate([alone, others])


def same_alone(f: Function, points: Any, y: Any) -> bool:
    """Whether f gives the second pair alone what it gave with the others."""
    size = np.abs(y).max().item()
    for k in range(ALONE, 2 * ALONE):
        try:
            alone = f(points[k])
        except Exception:  # f wants arrays
            return False
        value = y.item(k)
        if not (
            is_complex(alone)
            and abs(alone.item() - value) <= 16 * EPS * (size + abs(value))
        ):
            return False
    return True


def is_complex(y: Any) -> bool:
    return type(y) is np.complex128


@functools.cache
def opposite(count: int) -> Any:
    """The nodes of a circle in pairs of opposite ones, those on the real axis first."""
    return np.array(sorted(range(count), key=lambda k: k % (count // 2)))


@functools.cache
def pairs_of_nodes(count: int) -> Any:
    """The nodes themselves, in that order, around 0 and of radius 1."""
    return circle(count)[opposite(count)]


@functools.lru_cache
def sums(count: int) -> Any:
    """Two columns that bound f on a circle, and f' times the radius, by |c_k|."""
    return np.stack([np.ones(count), np.arange(count)], axis=1)


@functools.lru_cache
def transform(count: int) -> Any:
    """Values at pairs of opposite nodes to coefficients, for one point.

    Beside it an FFT takes long to begin.
    """
    return (np.fft.fft(np.eye(count)) / count)[:, opposite(count)]


@functools.cache
def circle(count: int) -> Any:
    """Nodes around 0 of radius 1."""
    return np.exp(2j * np.pi * np.arange(count) / count)


def along(
    f: Function,
    x: Any,
    v: Any,
    order: int,
    radius: Any = None,
    nodes: Any = None,
    rtol: float = 1e-4,
) -> Any:
    """The derivative of t -> f(x + t v) at 0, for complex t."""
    point, direction = plain(x), plain(v)
    start, _ = first_time(point, direction, START, radius, "radius")
    sampler = Along(f, point, direction)
    result, best = drawn(sampler, point, start, order, nodes, rtol)
    if isinstance(x, Traced) or isinstance(v, Traced) or sampler.traced:
        real = np.isrealobj(result.df)
        return weighted(lambda t: f(x + t * v), 0.0, np.median(best), order, real)
    return reliable(result, f)


def weighted(f: Function, x: Any, radius: Any, order: int, real: bool) -> Any:
    """The derivative as a weighted sum of values of f, which may be stand-ins."""
    count = checked_nodes(None, order)
    factor = ratio(order, radius) / count
    with np.errstate(all="ignore"):
        values = [
            outcome(f(x + radius * z)) * (factor / z**order) for z in circle(count)
        ]
    whole = functools.reduce(operator.add, values)
    return np.real(whole) if real else whole


def jvp(f: Function, x: Any, v: Any, **options: Any) -> Any:
    return along(f, x, v, 1, **options)


hessian, hvp = second_derivatives(along)

METHOD = Method(
    title="Cauchy integral",
    family="numerical",
    summary=(
        "The nth derivative is a mean of f over a circle in the complex plane, each "
        "value turned by n times its angle."
    ),
    exact=False,
    rtol=1e-13,
    max_order=50,
    complex_points=True,
    options=OPTIONS,
    references=("lyness1967", "fornberg1981", "bornemann2011"),
    derivative=derivative,
    jvp=jvp,
    hessian=hessian,
    hvp=hvp,
)
