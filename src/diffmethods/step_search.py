"""The search for the best step of a black box, round by round, for many items at once.

A round evaluates f at a few nodes around each item that is not done.  The spectrum says
how good the derivative is, and at which step it would be better.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffmethods.black_box import (
    ALONE,
    Result,
    Sampler,
    Status,
    checked_count,
    power_of_two,
)
from diffmethods.spectrum import (
    BITS,
    ENOUGH,
    SIGNIFICANT,
    TINY,
    UNSEEN,
    Verdict,
    first_step,
    judged,
    nodes,
    size,
)
from diffmethods.traced import outcome

Function = Callable[..., Any]

STRIP = 1024  # rows at a time, for the processor's cache


class Search:
    """Looks for the best step of each item of x, round by round.

    Parameters
    ----------
    sampler
        Gives values of f at nodes.
    rows : ndarray of int
        Which rows of the sampler's x to look at.
    start : sequence of ndarray
        Of the shape of those rows: first steps, the distance of the numbers around x,
        and how far f may be evaluated below and above it.
    order : int
        Which derivative.
    """

    def __init__(
        self,
        sampler: Sampler,
        rows: Any,
        start: Sequence[Any],
        order: int,
    ):
        self.sampler, self.rows, self.order = sampler, rows, order
        self.x = np.ravel(sampler.table[rows])
        self.rest = sampler.table.shape[1:]
        self.first_h, *limits = map(np.ravel, start)
        self.spacing, self.below, self.above = limits
        self.nit = 0
        self._start(self.x.size, self.first_h)

    def _start(self, count: int, h: Any) -> None:
        """Room for that many results; f may give several for one x."""
        self.shared = count != self.x.size
        self.h = np.resize(h, count)
        self.df, self.error = np.full(count, np.nan), np.full(count, np.inf)
        self.best_h, self.scale = self.h.copy(), np.zeros(count)
        self.cap, self.scare = np.full(count, np.inf), np.full(count, np.nan)
        self.kink = np.full((3, count), np.nan)
        self.noise, self.nfev = np.zeros(count), np.zeros(count, int)
        self.done, self.trusted, self.rough = np.zeros((3, count), bool)
        self.tried: list[Any] = []

    def run(self, rounds: int, known: Any = None) -> None:
        """Go on until every item is done; `known` values are those of the first."""
        while self.nit < rounds and not self.done.all():
            looked_at = self._round(known if self.nit == 0 else None)
            self.nit += 1
            if self.nit == 1 < rounds and not self.done.all():
                self._confirm(*looked_at)

    def _pending(self) -> tuple[Any, Any]:
        """The rows that are not done, and their items."""
        pending = ~self.done.reshape(len(self.rows) if not self.shared else 1, -1)
        rows = np.flatnonzero(pending.any(1))
        own = np.arange(self.x.size).reshape(len(self.rows), -1)[rows].ravel()
        return rows, own

    def _confirm(self, points: Any, y: Any) -> None:
        """Start anew, node by node, if f mixes what it gets in one call."""
        if not self.sampler.together:
            return
        rows, own = self._pending()
        nfev = self.nfev
        nfev[own] += ALONE
        if not self.sampler.confirms(points[:, rows], self.rows[rows], y[:, rows]):
            self._start(self.h.size, self.first_h)
            self.nfev = nfev

    def _round(self, known: Any) -> tuple[Any, Any]:
        rows, own = self._pending()
        limits = (part[own] for part in (self.spacing, self.below, self.above))
        kinds, self.h[own] = intervals(self.h[own], *limits)
        at = np.empty((size(self.order), len(own)))
        for kind, these in kinds.items():
            at[:, these] = nodes(self.order, *kind).column
        points = (self.x[own] + self.h[own] * at).reshape(len(at), -1, *self.rest)
        y = self.sampler(points, self.rows[rows]) if known is None else known
        looked_at = points, y
        y = y.reshape(len(at), -1)
        if y.shape[1] != len(own) and not self.shared:
            self._start(y.shape[1], self.h)
        if self.shared and y.size:
            self.h[:] = self.h[0]
            self.tried.append(self.h.copy())
            self._learn(np.arange(y.shape[1]), y, *kinds)
            if not self.done.all():
                self.h[:] = self.h[~self.done].min()
        if self.shared:
            return looked_at
        self.tried.append(np.full(self.h.size, np.nan))
        self.tried[-1][own] = self.h[own]
        for kind, these in kinds.items():
            self._learn(own[these], y[:, these], kind)
        return looked_at

    def _learn(self, items: Any, y: Any, kind: tuple[int, int]) -> None:
        """Keep what is better than before, and choose the next steps."""
        h, order = self.h[items], self.order
        there = nodes(order, *kind)
        blur = self.spacing[np.minimum(items, self.x.size - 1)] / h
        seen = judged(there, y, h, blur, self.noise[items], self.sampler.eps, order)
        self.nfev[items] += len(y)
        finite = np.isfinite(seen.error)
        error = np.where(finite, seen.error, np.inf)
        error = np.where(seen.flat, error, np.fmax(error, self._hidden(items, seen)))
        before, so_far = self.df[items], self.error[items]
        if np.iscomplexobj(seen.df) and not np.iscomplexobj(self.df):
            self.df = self.df.astype(complex)
        trusted = self.trusted[items]
        stairs = (seen.last < order) & self.rough[items] & ~trusted
        sound = finite & ~seen.flat & ~stairs  # flat here, but not a little farther
        error = np.where(stairs, np.fmax(error, self.kink[1, items]), error)
        self.rough[items] |= seen.flat
        self.kink[:, items[seen.flat]] = np.array([seen.tail, error, h])[:, seen.flat]
        better = np.where(sound == trusted, error < so_far, sound)
        self.trusted[items] = sound | trusted
        gap = np.where(trusted & sound, np.abs(seen.df - before), np.nan)
        self.error[items] = np.where(
            better, np.fmax(error, gap - so_far), np.fmax(so_far, gap - error)
        )
        self.df[items] = np.where(better, seen.df, before)
        self.best_h[items] = np.where(better, h, self.best_h[items])
        natural = seen.middle * there.natural / h**order
        natural = np.where(gap > so_far + error, natural + TINY, natural)
        self.scale[items] = np.where(better, natural, self.scale[items])
        good = np.fmax(error, gap - so_far) < ENOUGH * np.abs(seen.df)
        self.done[items] = good
        if not good.all():
            self._propose(items[~good], seen.only(~good), finite[~good], len(y))

    def _hidden(self, items: Any, seen: Verdict) -> Any:
        """The error that a kink, of f or of its slopes, makes without being seen.

        In a shorter interval the tail is smaller by a power of the step.  Where that is
        below the noise, the kink that was seen in the longer one may still be there.
        """
        tail, error, before = self.kink[:, items]
        shorter = self.h[items] / before
        hidden = np.zeros(len(items))
        for power in (1, 2, 3):
            drowned = 3 * SIGNIFICANT * seen.floor > tail * shorter**power
            same = error * shorter ** (power - self.order)
            hidden = np.where(drowned, np.fmax(hidden, same), hidden)
        return hidden

    def _propose(self, items: Any, seen: Verdict, finite: Any, count: int) -> None:
        """The step at which the last coefficient reaches the noise, or a better view.

        Coefficient k grows like the k-th power of the step.
        """
        h, noise = self.h[items], self.noise[items]
        to_come = seen.decay * np.maximum(count - 1 - seen.last, 0)
        growth = np.log(2 * seen.floor / np.maximum(seen.amplitude, seen.floor))
        growth = np.where(seen.last == 0, np.log(16), (growth - to_come) / (count - 1))
        settled = (seen.truncation <= 2 * seen.rounding) & (
            growth * self.order < np.log(4)
        )
        stale = (seen.error > 0.9 * self.error[items]) & (
            self.error[items] < 1e-10 * np.abs(self.df[items])
        )
        finished = settled | (seen.head == 0) | (stale & (self.nit > 0))
        wanted = h * np.exp(np.clip(growth, np.log(1e-4), np.log(64)))

        # Where the tail is flat, f is noisy, has a kink, or waves too short to be seen.
        # Noise is all that stays the same in a shorter interval.
        unseen = seen.tail > UNSEEN * seen.head
        loud = seen.tail > SIGNIFICANT * seen.floor
        near = np.minimum(self.below, self.above)[np.minimum(items, self.x.size - 1)]
        at_end = (
            seen.flat & (0 < near) & (8 * h > near)
        )  # a bound, where f may be singular
        noisy = loud & (seen.tail > self.scare[items] / 3) & ~at_end
        shorter = np.where(unseen & (self.nit > 0), h / 64, h / 16)
        usual = first_step(self.order)
        shorter = np.where(unseen & (self.nit == 0) & (h > 4), usual, shorter)
        wanted = np.where(seen.flat, shorter, wanted)
        wanted = np.where(noisy, 32 * h, wanted)
        wanted = np.where(at_end, near * usual, wanted)
        finished &= ~seen.flat & ~noisy
        noise = np.where(noisy, 1.5 * np.fmax(seen.tail, self.scare[items]), noise)
        self.noise[items] = noise
        self.trusted[items] &= ~noisy  # what was seen before was seen without the noise
        self.kink[:, items[noisy]] = np.nan
        for past in self.tried:
            past[items[noisy]] = np.nan
        scare = np.where(loud, self.scare[items], np.nan)
        scare = np.where(seen.flat & ~unseen & ~at_end, seen.tail, scare)
        self.scare[items] = np.where(noisy, np.nan, scare)

        distance = np.abs(self.x[np.minimum(items, self.x.size - 1)])
        inside = np.where(distance > 0, np.minimum(h, distance) / 8, h / 8)
        wanted = np.where(finite, wanted, inside)
        self.cap[items] = np.where(finite, self.cap[items], h / 2)
        new = power_of_two(1.2 * wanted)
        longer = np.where(seen.truncation > seen.rounding, h / 2, 2 * h)
        new = np.minimum(np.where(new == h, longer, new), self.cap[items])
        tried = np.any([past[items] == new for past in self.tried], axis=0)
        spacing = self.spacing[np.minimum(items, self.x.size - 1)]
        self.done[items] = finished | tried | (new < 2.0 ** BITS[-1] * spacing)
        self.h[items] = new


def searched(
    sampler: Sampler,
    x: Any,
    start: Sequence[Any],
    order: int,
    max_evaluations: int,
    rtol: float,
    known: Any = None,
    rows: Any = None,
) -> tuple[Result, Any]:
    """Run the searches, for some rows or for all, and put what they found together."""
    budget = checked_count(max_evaluations, size(order))
    rounds = max(1, (budget - ALONE * sampler.together) // size(order))
    parts = [np.reshape(part, np.shape(sampler.table)) for part in start]
    searches = []
    every = np.arange(len(sampler.table)) if rows is None else rows
    with np.errstate(all="ignore"):
        for first in range(0, max(len(every), 1), STRIP):
            some = every[first : first + STRIP]
            searches.append(Search(sampler, some, [a[some] for a in parts], order))
            searches[-1].run(rounds, known)
    if rows is None:
        shape = sampler.shape
    else:
        x = x[rows]
        shape = x.shape

    def joined(name: str) -> Any:
        whole = np.concatenate([getattr(search, name) for search in searches])
        return whole.reshape(shape)[()]

    df, error, scale, noise = map(joined, ("df", "error", "scale", "noise"))
    good = error <= rtol * np.maximum(np.abs(df), scale)
    good = (good | (scale == 0) & np.isfinite(error)) & joined("trusted")
    seen_through = ~np.isfinite(joined("scare"))
    worse = [~np.isfinite(error), noise > 0, ~joined("done") & seen_through]
    causes = [Status.NOT_FINITE, Status.NOISY, Status.OUT_OF_EVALUATIONS]
    status = np.select([good, *worse], [Status.CONVERGED, *causes], Status.ROUGH)[()]
    nit = max(search.nit for search in searches)
    nfev = joined("nfev")
    return Result(df, error, good, status, nfev, nit, noise, x), joined("best_h")


def weighted(f: Function, x: Any, h: Any, limits: tuple[Any, ...], order: int) -> Any:
    """The derivative as a weighted sum of values of f, which may be stand-ins."""
    shape = np.shape(h)
    kinds, h = intervals(*map(np.ravel, (h, *limits)))
    at, weights = np.empty((2, size(order), h.size))
    for kind, these in kinds.items():
        there = nodes(order, *kind)
        at[:, these] = there.column
        weights[:, these] = (there.slopes @ there.transform)[:, None]
    steps = (h * at).reshape(-1, *shape)
    weights = (weights / h**order).reshape(-1, *shape)
    with np.errstate(all="ignore"):
        base, *others = [outcome(f(x + step)) for step in steps]
        terms = [w * (y - base) for w, y in zip(weights[1:], others, strict=True)]
    return functools.reduce(operator.add, terms)


def intervals(h: Any, spacing: Any, below: Any, above: Any) -> tuple[Any, Any]:
    """Which nodes suit each item, on which side of x, and its step within bounds.

    Returns
    -------
    kinds : dict
        By side and bits of the nodes, which items they are for.
    h : ndarray
        Powers of two, so that x + h t carries no rounding.
    """
    near, far = np.minimum(below, above), np.maximum(below, above)
    around = (h <= near) | (4 * near >= np.minimum(h, far / 2))
    side = np.where(around, 0, np.where(above > below, 1, -1))
    h = power_of_two(np.minimum(h, np.where(around, near, far / 2)))
    bits = np.select([h >= np.ldexp(spacing, bits) for bits in BITS], BITS, BITS[-1])
    kinds = sorted(set(zip(side.tolist(), bits.tolist(), strict=True)))
    return {kind: (side == kind[0]) & (bits == kind[1]) for kind in kinds}, h
