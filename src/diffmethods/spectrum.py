"""Chebyshev spectra: what the coefficients of f around x tell of its derivative."""

import functools
import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from diffmethods.black_box import ALONE
from diffmethods.stencils import EPS

SIGNIFICANT = 4  # times the noise
SAFETY = 2  # what the noise enters the error estimate with
FLAT = -0.5  # a slower fall of the logarithm, a degree, is none
FALL = math.exp(2 * FLAT)  # the same in two degrees
SLOWER = 0.4  # of what it was a little earlier, it is no more what an analytic f has
LEAST_FALL = 1e-3  # in two degrees, that a hasty look counts on
EVEN = 200  # times the last coefficient, an even one may be in a hasty look
ENOUGH = 5e-12  # a relative error estimate that no further round is spent on
BITS = (20, 12, 6)  # of the nodes, as the spacing of numbers around x allows
UNSEEN = 1 / 30  # a larger tail beside the head says that the interval is too long
TINY = 1e-300


@dataclass(frozen=True)
class Nodes:
    """Interpolation in [-1, 1], or in [0, 2] or [-2, 0] at the end of a domain.

    Attributes
    ----------
    at
        Chebyshev's nodes, in pairs of opposite ones from the outermost, and rounded to
        a few bits: with a power of two as the step h, the sum ``x + h * at`` is exact
        unless it passes another power of two.
    transform
        Values at the nodes to coefficients of T_1, T_2, ...
    slopes
        Derivatives of T_1, T_2, ... at x.
    amplification
        How much noise of the coefficients up to T_k enters the derivative, by k from 0.
    natural
        The derivative of T_n, for a derivative of order n.
    omitted, beyond
        The derivative of the first polynomial left out that has one at x, and how many
        coefficients further than the last it is.
    """

    at: Any
    transform: Any
    slopes: Any
    amplification: Any
    omitted: float
    beyond: int
    natural: float

    @functools.cached_property
    def column(self) -> Any:
        return self.at[:, None]

    @functools.cached_property
    def rows(self) -> Any:
        """What gives the derivative and the last six coefficients, out of values.

        The first row is for the derivative without the last two of them.
        """
        short = self.slopes[:-2] @ self.transform[:-2]
        return np.vstack([short, self.slopes @ self.transform, self.transform[-6:]])

    @functools.cached_property
    def others(self) -> Any:
        """The same out of the differences to the value at the first node."""
        return np.ascontiguousarray(self.rows[:, 1:])

    @functools.cached_property
    def hasty(self) -> tuple[Any, ...]:
        """Weights for a first derivative, and for what must be less than it.

        The derivative, the last coefficient and the last odd one before follow from the
        differences of the values at opposite nodes, the last even one from all values,
        and the noise from any.
        """
        limit = 2 / ENOUGH
        slope, odd, before = self.rows[[1, -1, -3], ::2]
        error = limit * self.omitted
        even = error / EVEN * self.rows[-2]
        noise = limit * self.noisiest * EPS / 2
        return slope, error * odd, error * before, even, noise

    @functools.cached_property
    def noisiest(self) -> float:
        """What the noise of all coefficients enters the error estimate with."""
        return SAFETY * float(self.amplification[-1])


@functools.cache
def nodes(order: int, side: int = 0, bits: int = BITS[0]) -> Nodes:
    """The nodes for one order of derivative, on both sides of x or on one."""
    count = size(order)
    turn = (2 * np.arange(count // 2) + 1) * np.pi / (2 * count)
    half = np.round(np.ldexp(np.cos(turn), bits))
    at = np.ldexp(np.ravel([-half, half], order="F"), -bits)
    values = np.polynomial.chebyshev.chebvander(at, count - 1)
    transform = np.linalg.inv(values)
    transform += transform @ (np.eye(count) - values @ transform)
    known = np.polynomial.Chebyshev.basis
    slopes = np.array([known(k).deriv(order)(-side) for k in range(count + 2)])
    beyond = 1 if slopes[count] else 2
    return Nodes(
        at=at + side,
        transform=transform[1:],
        slopes=slopes[1:count],
        amplification=np.sqrt(np.cumsum(np.square(slopes[:count]))),
        omitted=abs(slopes[count - 1 + beyond]),
        beyond=beyond,
        natural=abs(slopes[order]),
    )


def size(order: int) -> int:
    """The number of nodes: more for higher derivatives, which lose more digits."""
    return 10 + order // 2 * 4


@functools.cache
def first_step(order: int) -> float:
    """In parts of x: what suits a function that has a singularity at 0."""
    return 2.3 * float(EPS ** (1 / size(order)))


@dataclass
class Verdict:
    """What the spectrum of f in one interval tells, for each item of x."""

    df: Any
    error: Any
    truncation: Any
    rounding: Any
    last: Any  # the degree of the last coefficient above the noise
    amplitude: Any  # its size
    decay: Any  # of the logarithm of the coefficients, a degree
    head: Any  # the size of the first coefficients
    middle: Any  # the size of that for the order of the derivative; 0 if it is noise
    tail: Any  # the size of the last coefficients
    floor: Any  # the noise of a coefficient
    flat: Any  # whether the last ones do not decay

    def only(self, these: Any) -> "Verdict":
        return Verdict(*(getattr(self, field.name)[these] for field in fields(self)))


def judged(
    there: Nodes, y: Any, h: Any, blur: Any, noise: Any, eps: float, order: int
) -> Verdict:
    """Read the derivative and its error off the coefficients of f.

    Those of an analytic function fall like a geometric series until they drown in
    noise.  What comes after is left out of the derivative; where nothing drowns, the
    first omitted coefficient is extrapolated.  f may round what it makes of x: that
    moves x by its `blur`, in parts of h, and is no larger than the last coefficients.
    """
    count = len(y)
    base = y[0]  # the differences to it are exact, and 0 for a constant
    c = there.transform @ (y - base)
    a = np.abs(c)
    floor = np.maximum(np.abs(base) + a[0] + a[1], TINY) * (eps / 2)
    floor = np.maximum(floor, noise)
    head, middle, before, tail = (np.maximum(a[k], a[k + 1]) for k in (0, -6, -4, -2))
    fall = np.log(np.maximum(tail, floor) / np.maximum(before, floor)) / 2
    earlier = np.log(np.maximum(before, floor) / np.maximum(middle, floor)) / 2
    slow = (fall > FLAT) | (fall > SLOWER * earlier) | (tail > UNSEEN * head)
    flat = slow & (tail > SIGNIFICANT * floor)
    hum = flat & (tail < 64 * floor) & (tail < 1e-4 * head)  # of the inside of f
    if hum.any():
        floor = np.where(hum, tail, floor)
        flat &= ~hum
    significant = a > SIGNIFICANT * floor
    last = np.where(
        significant.any(0), count - 1 - np.argmax(significant[::-1], axis=0), 0
    )
    kept = np.minimum(last + 2, count - 1)
    terms = there.slopes[:, None] * c
    df = np.where(np.arange(1, count)[:, None] <= kept, terms, 0).sum(0)
    pairs = np.maximum(a[:-1], a[1:])
    top = np.clip(last, 1, count - 2) - 1
    amplitude = np.take_along_axis(pairs, top[None], 0)[0]
    long = np.log(
        np.where(last > 2, amplitude, floor) / np.maximum(head, floor)
    ) / np.where(last > 2, last - 2, np.maximum(last, 1))
    ends = last >= count - 2
    decay = np.minimum(np.where(ends, np.maximum(long, fall), long), -0.05)
    omitted = np.where(
        ends,
        tail * np.where(flat, count, np.exp(there.beyond * decay)),
        floor * np.exp((there.beyond + 1) * decay),
    )
    truncation = there.omitted * omitted / h**order
    wrong = np.maximum(floor, np.minimum(tail, blur * head))
    rounding = SAFETY * there.amplification[kept] * wrong / h**order
    return Verdict(
        df / h**order,
        truncation + rounding,
        truncation,
        rounding,
        last,
        amplitude,
        decay,
        head,
        np.where(last < order, 0, np.maximum(a[order - 1], a[order])),
        tail,
        floor,
        flat,
    )


def judged_number(there: Nodes, base: float, y: Any) -> tuple[float, float]:
    """A derivative and its error, times a power of the step, of one item in haste.

    It takes the first value, and the differences of the others to it.  The coefficients
    tell no more than whether it is good: the error is larger than the one that `judged`
    would tell, and infinite where the tail does not decay as an analytic function's
    does.
    """
    short, df, mid, mid_2, before, before_2, tail, tail_2 = there.others.dot(y).tolist()
    floor = (abs(base) + abs(df) + TINY) * (EPS / 2)
    before, before_2, tail = abs(before), abs(before_2), max(abs(tail), abs(tail_2))
    least = SIGNIFICANT * floor
    if tail < floor:  # no further call of max: it costs more than this comparison
        tail = floor
    if before_2 <= least and tail <= least:
        df = short
    if before < before_2:
        before = before_2
    if before < floor:
        before = floor
    fall = tail / before
    if tail > least:
        earlier = before / max(abs(mid), abs(mid_2), before)
        if fall > FALL or fall > earlier**SLOWER:
            return df, math.inf
    if fall < LEAST_FALL:
        fall = LEAST_FALL
    return df, there.omitted * tail * fall + there.noisiest * floor


def judged_strip(there: Nodes, pair: Any, others: Any) -> tuple[Any, Any]:
    """A first derivative, times the step, of many items, and which of them are good.

    It looks at less than `judged_number`: half of what is enough each for what is left
    out and for the noise, and the decay of the odd coefficients alone.  That takes few
    passes over the values, and products of a matrix with single rows, which cost half
    of what those with several do.
    """
    slope, odd, earlier, even, noise = there.hasty
    first, second = pair
    changes = np.empty((len(slope), len(first)))
    np.subtract(first, second, out=changes[0])
    np.subtract(others[::2], others[1::2], out=changes[1:])
    df, tail = slope.dot(changes), odd.dot(changes)
    head = np.abs(df)
    np.abs(tail, out=tail)
    worst = even[ALONE:].dot(others)
    both = np.add(first, second)
    both *= even[0]
    worst += both
    np.abs(worst, out=worst)
    size = np.abs(first, out=both)
    size *= noise
    np.maximum(worst, size, out=worst)
    good = np.maximum(worst, tail, out=size) < head
    if not good.all():  # but it may decay fast enough
        before = earlier.dot(changes)
        np.abs(before, out=before)
        before *= head
        good |= tail * tail < before
        tail *= LEAST_FALL
        good &= np.maximum(worst, tail, out=worst) < head
    return df, good
