"""Which items of x each item of a result depends on, found by running f once.

A `Dependence` stands in for an array and carries a set of item numbers for each of its
items, as the rows of a sparse matrix of Booleans.  An elementwise function unites the
sets of its operands, a rearrangement moves them, a sum unites those that it adds.  A
function without a rule counts as one whose every result depends on every operand, so
that a set may be too large, but never too small.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.errors import (
    DiffmethodsError,
    MissingRuleError,
    ShapeError,
    SparsityError,
)
from diffmethods.pullbacks import MOVES, REWRITES, spelled_out
from diffmethods.traced import (
    LEVELS,
    Traced,
    joined,
    leaves,
    one_array,
    origins,
    outcome,
    rebuilt,
)

Function = Callable[..., Any]

MOST = 2**27  # item numbers in the sets of one array; a pattern so full is not sparse


class Dependence(Traced):
    """A value, and for each of its items the set of items of x behind it.

    What is constant between jumps, as ``np.floor(x)``, has empty sets; ``x > 0`` is
    plain True or False.  Both may decide a branch: the pattern is that of the branch
    taken.
    """

    __slots__ = ("level", "sets", "value")
    method = "the detection of sparsity"

    def __init__(self, value: Any, sets: Any, level: int):
        self.value = value
        self.sets = sets
        self.level = level

    def apply(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        for table in (DEFINITIONS, REWRITES):
            if function in table:
                result = table[function](*args, **kwargs)
                if result is not NotImplemented:
                    return result
        return self._by_rule(function, args, kwargs)

    def _by_rule(self, function: Function, args: Any, kwargs: Any) -> Any:
        others = self._mine((args[1:], tuple(kwargs.values())))
        apart = all(not x.sets.nnz for x in others)
        if is_constant(function, args):
            return self._constant(function, args, kwargs)
        if is_elementwise(function):
            return self._unite(function, args, kwargs)
        if function in PRODUCTS and kwargs.keys() <= {"mode", "optimize"}:
            terms = PRODUCTS[function](*args, **kwargs)
            if terms is not NotImplemented:
                y = function(*self._values(args), **kwargs)
                return Dependence(y, terms.sets, self.level)
        if apart and (function in MOVES or function in SHAPES):
            return self._move(function, args, kwargs)
        if apart and (function in TOTALS or function in RUNNING):
            return self._gather(function, args, kwargs)
        if any(map(callable, args)):
            return NotImplemented  # NumPy's own Python calls it on stand-ins
        return self._blend(function, args, kwargs)

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        try:
            return super().__array_ufunc__(ufunc, how, *args, **kwargs)
        except MissingRuleError:
            if how == "__call__":
                raise
            return self._offer(getattr(ufunc, how), args, kwargs)

    def _values(self, tree: Any) -> Any:
        """Replace every stand-in of this trace by its value."""
        if isinstance(tree, Dependence) and tree.level == self.level:
            return tree.value
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(self._values, tree))
        if isinstance(tree, dict):
            return {key: self._values(branch) for key, branch in tree.items()}
        return tree

    def _mine(self, tree: Any) -> Any:
        return [x for x in leaves(tree) if x.level == self.level]

    def _constant(self, function: Function, args: Any, kwargs: Any) -> Any:
        """What has no slope, though another x may give another value."""
        y = function(*self._values(args), **self._values(kwargs))
        if not isinstance(function, np.ufunc) or np.asarray(y).dtype.kind != "f":
            return y
        none = sparse.csr_array((np.size(y), self.sets.shape[1]), dtype=bool)
        return Dependence(y, none, self.level)

    def _unite(self, function: Function, args: Any, kwargs: Any) -> Any:
        """Each item of the result depends on those that stand at its place."""
        args = tuple(map(one_array, args))
        ys = function(*self._values(args), **self._values(kwargs))
        shape = np.shape(ys[0] if isinstance(ys, tuple) else ys)
        choosing = function is np.where
        total = None
        for x in args[1:] if choosing else args:
            if isinstance(x, Dependence) and x.level == self.level and x.sets.nnz:
                sets, counts = x.sets, where_it_counts(function, args, x)
                if counts is not True or x.shape != shape:
                    source = np.arange(x.size).reshape(x.shape)
                    source = np.broadcast_to(np.where(counts, source, -1), shape)
                    sets = taken(sets, source.ravel())
                total = sets if total is None else total + sets
        if total is None:
            size = math.prod(shape), self.sets.shape[1]
            total = sparse.csr_array(size, dtype=bool)
        if isinstance(ys, tuple):
            return tuple(Dependence(y, total, self.level) for y in ys)
        return Dependence(ys, total, self.level)

    def _move(self, function: Function, args: Any, kwargs: Any) -> Any:
        """Each item of the result is an item of an operand, or a constant."""
        args, kwargs = (args[0], *self._values(args[1:])), self._values(kwargs)
        source, operands = origins(function, args, kwargs, self.level)
        sets = [x.sets for x in operands]
        stacked = sets[0] if len(sets) == 1 else sparse.vstack(sets, format="csr")

        def moved(y: Any, source: Any) -> Any:
            if isinstance(y, (tuple, list)):
                return rebuilt(y, map(moved, y, source))
            return Dependence(y, taken(stacked, np.ravel(source) - 1), self.level)

        return moved(function(self._values(args[0]), *args[1:], **kwargs), source)

    def _gather(self, function: Function, args: Any, kwargs: Any) -> Any:
        """Each total depends on all items along its axes; so does a running one."""
        args = (one_array(args[0]), *args[1:])
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
        x, axis = args[0], self._values(bound.get("axis"))
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % max(x.ndim, 1)
        kept = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
        groups = np.arange(math.prod(kept)).reshape(kept)
        groups = np.broadcast_to(groups, x.shape).ravel()
        gathered = ones((groups, np.arange(x.size)), (math.prod(kept), x.size)) @ x.sets
        if function in RUNNING:
            gathered = taken(gathered, groups)
        y = function(*self._values(args), **self._values(kwargs))
        return Dependence(y, gathered, self.level)

    def _blend(self, function: Function, args: Any, kwargs: Any) -> Any:
        """Everything depends on everything."""
        args = joined(args)
        sets = [x.sets.indices for x in self._mine((args, tuple(kwargs.values())))]
        union = np.unique(np.concatenate(sets))
        row = ones((np.zeros(len(union), int), union), (1, self.sets.shape[1]))

        def blended(y: Any) -> Any:
            if isinstance(y, (tuple, list)):
                return rebuilt(y, map(blended, y))
            if np.asarray(y).dtype.kind == "O":
                y = np.array(np.asarray(y).tolist())  # of numbers, one hopes
                if y.dtype.kind == "O":
                    return self._refuse(function)
            if np.asarray(y).dtype.kind not in "fc":
                return y
            everywhere = taken(row, np.zeros(np.size(y), int))
            return Dependence(y, everywhere, self.level)

        return blended(function(*self._values(args), **self._values(kwargs)))

    def _number(self, kind: Any) -> Any:
        """What jumps between constants may become a plain number."""
        return self._not_a_number() if self.sets.nnz else kind(self.value)

    def __int__(self) -> int:  # type: ignore[override]
        number: int = self._number(int)
        return number

    def __float__(self) -> float:  # type: ignore[override]
        number: float = self._number(float)
        return number


def is_constant(function: Function, args: Any) -> bool:
    """Whether the result stays the same near x."""
    if function is np.where:
        return len(args) == 1
    turns = function is np.sign and np.iscomplexobj(args[0])
    return function in rules.CONSTANT and not turns


def is_elementwise(function: Function) -> bool:
    """Whether items meet only where broadcasting puts them."""
    plain = isinstance(function, np.ufunc) and function.signature is None
    return plain or function in ELEMENTWISE or rules.partials(function) is not None


def where_it_counts(function: Function, args: Any, x: Dependence) -> Any:
    """Where a constant factor of 0 does not hide an operand; True for everywhere."""
    hides = HIDES.get(function)
    if hides is None:
        return True
    others = [a for k, a in enumerate(args) if k in hides and a is not x]
    if not others or isinstance(others[0], Traced):
        return True
    factor = np.asarray(others[0])
    if factor.dtype.kind == "b":  # a comparison, which another x may decide otherwise
        return True
    return True if factor.all() else factor != 0


def ones(places: Any, shape: tuple[int, int]) -> Any:
    """A sparse matrix that is true at some places."""
    return sparse.csr_array((np.ones(len(places[0]), bool), places), shape=shape)


def taken(sets: Any, source: Any) -> Any:
    """Rows of a sparse matrix of Booleans; -1 takes an empty one."""
    if not sets.shape[0]:
        return sparse.csr_array((len(source), sets.shape[1]), dtype=bool)
    lengths = np.where(source < 0, 0, sets.indptr[source + 1] - sets.indptr[source])
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    if total > MOST:
        raise SparsityError(
            f"a step of f has {len(source)} items that depend on {total} items of x "
            "together: too many for a sparse pattern; leave sparsity away"
        )
    starts = sets.indptr[source] - (ends - lengths)
    indices = sets.indices[np.repeat(starts, lengths) + np.arange(total)]
    indptr = np.concatenate([[0], ends])
    shape = (len(source), sets.shape[1])
    return sparse.csr_array((np.ones(total, bool), indices, indptr), shape=shape)


# Functions that multiply and add, as elementwise products and one sum.


def matmul(a: Any, b: Any) -> Any:
    first = a[None, :] if np.ndim(a) == 1 else a
    second = b[:, None] if np.ndim(b) == 1 else b
    rows, columns = np.shape(first)[-2], np.shape(second)[-1]
    if max(np.size(first) * columns, np.size(second) * rows) > MOST // 8:
        return NotImplemented
    return np.sum(first[..., :, :, None] * second[..., None, :, :], axis=-2)


def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Any:
    terms, result, _ = spelled_out(subscripts, operands)  # type: ignore[no-untyped-call]
    if any(len(set(term)) < len(term) for term in terms):
        return NotImplemented  # a diagonal
    labels = [*result, *sorted({label for term in terms for label in term} - {*result})]
    product: Any = 1.0
    for term, x in zip(terms, map(one_array, operands), strict=True):
        order = [term.index(label) for label in labels if label in term]
        here = iter(np.shape(np.transpose(x, order)))
        shape = [next(here) if label in term else 1 for label in labels]
        product = product * np.reshape(np.transpose(x, order), shape)
        if np.size(product) > MOST // 8:
            return NotImplemented
    return np.sum(product, axis=tuple(range(len(result), len(labels))))


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    long, short = (a, v) if np.size(a) >= np.size(v) else (v, a)
    n, k = np.size(long), np.size(short)
    start, stop = {
        "full": (0, n + k - 1),
        "same": ((k - 1) // 2, (k - 1) // 2 + n),
        "valid": (k - 1, n),
    }[mode]
    none = np.zeros(k - 1)
    padded = np.concatenate([none, long, none])
    windows = np.arange(start, stop)[:, None] + np.arange(k)
    return np.sum(padded[windows] * short[::-1], axis=-1)


SHAPES = {np.transpose, np.matrix_transpose, np.squeeze, np.expand_dims}
SHAPES |= {np.broadcast_to, np.atleast_1d, np.atleast_2d, np.atleast_3d}
SHAPES |= {np.block, np.insert, np.resize}
PRODUCTS: dict[Function, Function] = {
    np.matmul: matmul,
    np.einsum: einsum,
    np.convolve: convolve,
}
ELEMENTWISE = {np.where, np.real, np.imag, np.real_if_close, np.i0}
TOTALS = {np.sum, np.prod, np.max, np.min, np.nanprod, np.nanmax, np.nanmin}
TOTALS |= {np.linalg.norm}
RUNNING = {np.cumsum, np.cumprod, np.nancumsum, np.nancumprod}
# A constant 0 in these places makes the result a constant.
HIDES: dict[Any, tuple[int, ...]] = {
    np.multiply: (0, 1),
    np.divide: (0,),
    np.power: (1,),
    np.float_power: (1,),
}


# Patterns of a function's derivatives.


def jacobian_pattern(f: Function, x: Any) -> tuple[Any, tuple[int, ...]]:
    """Where the Jacobian may be other than 0, and the shape of f(x).

    Returns
    -------
    tuple
        A ``scipy.sparse.csr_array`` of Booleans, shape ``(f(x).size, x.size)``, and
        ``f(x).shape``.  Valid wherever f takes the branches that it takes at `x`.
    """
    level, size = next(LEVELS), np.size(x)
    every = sparse.eye_array(size, dtype=bool, format="csr")
    try:
        with np.errstate(all="ignore"):
            y = outcome(f(Dependence(x, every, level)))
    except TypeError as error:
        raise SparsityError(
            f"the pattern cannot be detected ({error}); give it as sparsity="
        ) from error
    if isinstance(y, Dependence) and y.level == level:
        return y.sets, y.shape
    return sparse.csr_array((np.size(y), size), dtype=bool), np.shape(y)


def hessian_pattern(f: Function, x: Any) -> Any:
    """Where the Hessian may be other than 0: the gradient's own pattern.

    The tape's reading of f is a program, too, and its Jacobian is the Hessian.  Where
    the tape has no rule, all items that f depends on may interact.
    """
    from diffmethods.methods import reverse_tape

    if not np.size(x):
        return sparse.csr_array((0, 0), dtype=bool)
    try:
        pattern = jacobian_pattern(lambda z: reverse_tape.gradient(f, z), x)[0]
    except ShapeError:
        raise
    except (DiffmethodsError, ValueError):
        behind = jacobian_pattern(f, x)[0]
        if len(behind.indices) ** 2 > MOST:
            raise
        pattern = behind.T @ behind
    return sparse.csr_array(pattern.multiply(pattern.T))  # symmetric, as Hessians are
