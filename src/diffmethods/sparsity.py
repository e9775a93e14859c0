"""Sparse Jacobians and Hessians: one product with the derivative for each colour.

Columns that share no row can be added up before f is differentiated: one product along
their sum holds the items of all of them (Curtis, Powell and Reid 1974).  So a matrix of
a million columns may cost three products.  One product more, along a direction that no
pattern is made for, shows whether the pattern was right at this point.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    from scipy import sparse
except ModuleNotFoundError as error:
    from diffmethods.errors import MissingLibraryError

    raise MissingLibraryError(
        "sparsity needs SciPy, which is not installed: "
        'pip install "diffmethods[sparse]"'
    ) from error

from diffmethods import operators
from diffmethods.colouring import column_colours, most, star_colours
from diffmethods.cotangents import added
from diffmethods.dependence import hessian_pattern, jacobian_pattern
from diffmethods.errors import InputError, ShapeError, SparsityError
from diffmethods.traced import Traced, outcome

Function = Callable[..., Any]
Shape = tuple[int, ...]

AT_ONCE = 2**22  # items of all seeds that one batch may have
DENSE = 2**24  # items up to which a matrix is computed whole when its pattern fails
DETECT = "detect"
ANYWHERE = np.zeros(1, int)  # the rows of a matrix that has another shape


@dataclass(frozen=True, eq=False)
class Compression:
    """How to read a sparse matrix off its products with a few seeds.

    Attributes
    ----------
    pattern
        Where items may be other than 0, a CSR array.
    shapes
        The shapes of f(x) and of x.
    by
        The product: ``jvp``, ``vjp`` or ``hvp``.
    seeds
        A row for each colour, 1 at its columns (rows, for ``vjp``); and the probe.
    rows, columns
        Where the items of the pattern lie, row by row.
    source
        Where each of them stands among the products, counted through all of them.
    weights
        The item of the probe that multiplies each of them.
    """

    pattern: Any
    shapes: tuple[Shape, Shape]
    by: str
    seeds: Any
    rows: Any
    columns: Any
    source: Any
    weights: Any

    @property
    def saves(self) -> bool:
        """Whether there are fewer colours than columns (rows, for ``vjp``)."""
        return self.by != "none" and len(self.seeds) <= self.seeds.shape[1]

    def read(self, products: Any, rtol: float, exact: bool) -> tuple[Any, Any]:
        """The items, and in which rows of the product the probe disagrees with them."""
        at, size = self.rows, self.pattern.shape[0]
        if self.by == "vjp":
            at, size = self.columns, self.pattern.shape[1]
        if products.shape[1] != size:
            return None, ANYWHERE
        items = products.ravel()[self.source]
        terms = items * self.weights
        probed = added(at, terms, size)
        scale = added(at, np.abs(terms), size)
        with np.errstate(invalid="ignore"):
            off = np.abs(probed - products[-1])
            largest = scale.max(initial=0.0, where=np.isfinite(scale))
            bound = rtol * scale + (1e-14 if exact else rtol) * largest
            fits = (off <= bound) | ~(np.isfinite(products[-1]) | np.isfinite(probed))
        return items, np.flatnonzero(~fits)

    def dense(self, items: Any) -> Any:
        """The matrix as an array of shape ``f(x).shape + x.shape``."""
        whole = np.zeros(self.pattern.shape, items.dtype)
        whole[self.rows, self.columns] = items
        return whole.reshape(self.shapes[0] + self.shapes[1])

    def sparse(self, items: Any) -> Any:
        where = self.pattern.indices.copy(), self.pattern.indptr.copy()
        return sparse.csr_array((items, *where), shape=self.pattern.shape)


def compress(pattern: Any, shapes: tuple[Shape, Shape], by: str) -> Compression:
    """Colour a pattern, and note from which product each item is to be read."""
    pattern = sparse.csr_array(pattern)
    pattern.sort_indices()
    rows, columns = pattern.nonzero()
    counted = rows if by == "vjp" else columns
    if by == "hvp":
        colours = star_colours(pattern)
    else:
        colours = column_colours(pattern.T if by == "vjp" else pattern)
    count, size = most(colours), len(colours)
    seeds = np.zeros((count + 1, size))
    seeds[colours, np.arange(size)] = 1.0
    seeds[-1] = probe(size)
    if by == "jvp":
        source = colours[counted] * pattern.shape[0] + rows
    elif by == "vjp":
        source = colours[counted] * pattern.shape[1] + columns
    elif by == "none":
        source = counted
    else:
        source = read_from_stars(rows, columns, colours, count)
    weights = seeds[-1][counted]
    return Compression(pattern, shapes, by, seeds, rows, columns, source, weights)


def read_from_stars(rows: Any, columns: Any, colours: Any, count: int) -> Any:
    """An item (i, j) stands alone in row i of its column's product, or else in row j.

    Both triangles are read from the same place, so that the matrix is symmetric.
    """
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    size = len(colours)
    met = np.bincount(rows * count + colours[columns], minlength=size * count)
    alone = met[low * count + colours[high]] == 1
    here, there = colours[high] * size + low, colours[low] * size + high
    return np.where(alone, here, there)


def probe(size: int) -> Any:
    """A direction that no pattern is made for: the same whenever it is asked for."""
    numbers = np.random.default_rng(size).uniform(0.5, 1.5, (2, size))
    return np.copysign(numbers[0], numbers[1] - 1.0)


class Compressed:
    """A derivative by compression, with the patterns found so far."""

    def __init__(
        self, f: Function, method: str, sparsity: Any, options: Any, second: bool
    ):
        self.f, self.options, self.second = f, options, second
        self.method = operators._chosen(f, method, options)
        if second:
            operators._check_order(self.method, 2)
        self.given: Any = None if is_detect(sparsity) else as_pattern(sparsity)
        self.known: dict[Shape, Compression] = {}

    def as_dense(self, x: Any) -> Any:
        """The matrix as the operators give it."""
        point = operators._point(x, self.method)
        if not isinstance(point, (np.ndarray, np.generic)):
            return self._whole(point)
        compression, items = self._at(point)
        return compression.dense(items) if compression else items

    def as_sparse(self, x: Any) -> Any:
        """The matrix as a CSR array."""
        point = operators._point(x, self.method)
        if isinstance(point, (np.ndarray, np.generic)):
            compression, items = self._at(point)
            if compression:
                return compression.sparse(items)
            if not isinstance(items, Traced):
                rows = np.shape(items)[: np.ndim(items) - point.ndim]
                shape = (math.prod(rows), point.size)
                return sparse.csr_array(np.reshape(items, shape))
        raise InputError(
            "a sparse matrix holds numbers alone: inside another derivative use "
            "jacobian or hessian"
        )

    def _at(self, x: Any) -> tuple[Compression | None, Any]:
        """A compression and the items that it gave; or None and the whole matrix."""
        known, fresh = self.known.get(x.shape), False
        while True:
            if known is None:
                known, fresh = self._learn(x), True
            if not known.saves:
                return None, self._whole(x)
            found = self._read(known, x, fresh)
            if isinstance(found, Traced):
                return None, self._whole(x)
            items, off = found
            if not len(off):
                return known, items
            if self.given is not None:
                raise self._missed(known, off)
            if fresh:  # rounding errors alone, if f gives the same result twice
                return None, self._whole(x, known)
            known, fresh = self._learn(x, known), True

    def _read(self, known: Compression, x: Any, fresh: bool) -> Any:
        """The items and where they are wrong; or products that are stand-ins."""
        try:
            products = self._products(known, x)
        except ShapeError:
            if fresh or self.given is not None:
                raise
            return None, ANYWHERE  # f gives another shape now
        if isinstance(products, Traced):
            return products
        exact, rtol = self.method.exact, max(1e-9, 100 * self.method.rtol)
        if self.second and not exact:
            rtol = max(rtol, self.method.rtol**0.5)
        return known.read(products, rtol, exact)

    def _learn(self, x: Any, before: Compression | None = None) -> Compression:
        """Find the pattern at x, beside one that held elsewhere, and colour it."""
        shape: Shape = ()
        if self.given is None:
            if self.second:
                pattern = hessian_pattern(self.f, x)
            else:
                pattern, shape = jacobian_pattern(self.f, x)
            if before is not None and before.shapes == (shape, x.shape):
                pattern = pattern + before.pattern
        else:
            shape = np.shape(outcome(self.f(x)))
            pattern = self._fitting(shape, x)
        shapes = (x.shape if self.second else shape, x.shape)
        kinds = [by for by in self._kinds() if self._gives(by)] or ["none"]
        found = [compress(pattern, shapes, by) for by in kinds]
        best = min(found, key=lambda c: (len(c.seeds), not self._at_once(c.by)))
        self.known[x.shape] = best
        return best

    def _fitting(self, shape: Shape, x: Any) -> Any:
        """The given pattern, if it has the shape of the matrix."""
        if self.second and shape:
            raise operators.not_a_scalar(shape)
        rows = x.size if self.second else math.prod(shape)
        pattern = self.given
        if pattern.shape != (rows, x.size):
            raise ShapeError(
                f"the sparsity pattern has shape {pattern.shape}, but this derivative "
                f"has {rows} rows and {x.size} columns"
            )
        return pattern + pattern.T if self.second else pattern

    def _kinds(self) -> tuple[str, ...]:
        return ("hvp",) if self.second else ("jvp", "vjp")

    def _at_once(self, by: str) -> Any:
        """The method's own function for many products at once, if it has one."""
        return getattr(self.method, f"{by}s", None)

    def _gives(self, by: str) -> bool:
        own = getattr(self.method, by) or self._at_once(by)
        return bool(own or (by == "hvp" and self.method.jvp))

    def _products(self, known: Compression, x: Any) -> Any:
        """One row for each seed."""
        f, method, options, by = self.f, self.method, self.options, known.by
        shape = known.shapes[0] if by == "vjp" else known.shapes[1]
        seeds = known.seeds.reshape((-1, *shape))
        many = self._at_once(by)
        if many:
            step = max(1, AT_ONCE // max(x.size, 1))
            blocks = [seeds[k : k + step] for k in range(0, len(seeds), step)]
            found = [many(f, x, block, **options) for block in blocks]
            products = found[0] if len(found) == 1 else np.concatenate(found)
        else:
            one = {"jvp": operators._jvp, "vjp": operators._vjp, "hvp": operators._hvp}
            found = [one[by](method, f, x, seed, options) for seed in seeds]
            products = np.stack(found)
        return products.reshape(len(seeds), -1)

    def _whole(self, x: Any, failed: Compression | None = None) -> Any:
        """The matrix without compression."""
        if failed is not None and math.prod(failed.pattern.shape) > DENSE:
            raise SparsityError(
                "the products with the derivative do not agree with each other, and "
                "the matrix is too large to be computed whole: is f the same function "
                "at each call?"
            )
        whole = operators._hessian if self.second else operators._jacobian
        return operators._value(
            whole(self.method, self.f, x, self.options), self.method
        )

    def _missed(self, known: Compression, off: Any) -> SparsityError:
        line = "column" if known.by == "vjp" else "row"
        return SparsityError(
            f"the sparsity pattern misses an item that is not 0 at x, in {line} "
            f"{off[0]}"
            + (f" and {len(off) - 1} more" if len(off) > 1 else "")
            + '; add it, or let sparsity="detect" find the pattern'
        )


def is_detect(sparsity: Any) -> bool:
    if isinstance(sparsity, str) and sparsity != DETECT:
        raise SparsityError(f'sparsity must be a pattern or "detect", not {sparsity!r}')
    return isinstance(sparsity, str)


def as_pattern(sparsity: Any) -> Any:
    """A given pattern as a CSR array of Booleans, explicit zeros left out."""
    if not sparse.issparse(sparsity):
        sparsity = np.asarray(sparsity)
    if sparsity.ndim != 2 or sparsity.dtype.kind not in "biuf":
        raise SparsityError(
            "a sparsity pattern is a two-dimensional array of True and False, not "
            f"{type(sparsity).__name__} of shape {sparsity.shape} and dtype "
            f"{sparsity.dtype}"
        )
    pattern = sparse.csr_array(sparsity, dtype=bool, copy=True)
    pattern.sum_duplicates()
    pattern.eliminate_zeros()
    return pattern
