"""Series: truncated power series that stand in for arrays, for every NumPy call alike.

Elementwise functions go by `diffmethods.recurrences`, linear ones coefficient by
coefficient, products by convolution, and what is left by integrating the slope that
`diffmethods.rules` gives.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS, knowing_its_arguments
from diffmethods.errors import NotDifferentiableError
from diffmethods.recurrences import RECURRENCES, exponential, recurrence_of
from diffmethods.traced import Traced, leaves, one_array, rebuilt
from diffmethods.truncated import Coefficients, Truncation, slopes

Function = Callable[..., Any]

STRIP = 2048  # items of a long array that are done together
SINGULAR = 1e8  # matrices of a smaller condition number are divided by


class Run(Truncation):
    """The truncation that all series of one run of a function share."""

    def __init__(self, order: int, level: int, side: int = 1):
        super().__init__(order, side)
        self.level = level
        self.results: dict[Any, Any] = {}

    @functools.cached_property
    def below(self) -> "Run":
        """The same run to one order less, where slopes live."""
        return Run(self.order - 1, self.level, self.side)

    def shortened(self, x: Any) -> Any:
        """An operand to one order less; the same object each time it is asked for."""
        if not isinstance(x, Series) or x.run is not self:
            return x
        kept = self.results.setdefault(
            id(x), (Series(x.c[: self.order], self.below), x)
        )
        return kept[0]

    def learn(self) -> None:
        """Take over what the run below has met."""
        self.kinked |= self.below.kinked
        self.lost = max(self.lost, self.below.lost)


class Series(Traced):
    """c[0] + c[1] t + c[2] t^2 + ..., cut off after the order of its run.

    The coefficients are a list of Python numbers for a scalar, an array whose first
    axis counts them, or, inside another derivative, a list of that one's stand-ins.
    """

    __slots__ = ("c", "run")
    method = "taylor_series"

    def __init__(self, c: Coefficients, run: Run):
        self.c = c
        self.run = run

    level = property(lambda self: self.run.level)
    value = property(lambda self: self.c[0])

    @property
    def dtype(self) -> Any:
        return getattr(self.c[0], "dtype", np.dtype(type(self.c[0])))

    # Another library's derivative goes through all coefficients.

    @property
    def parts(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"c{k}" for k in range(len(self.c)))

    def arrays(self) -> list[Any]:
        return list(self.c)

    def with_parts(self, arrays: list[Any]) -> "Series":
        return Series(list(arrays), self.run)

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        """Take the short way where all operands are series and numbers of one kind."""
        if how == "__call__" and not kwargs and ufunc in RECURRENCES:
            operands = plain_operands(args, self.run)
            if operands:
                try:
                    c = in_strips(RECURRENCES[ufunc], operands, self.run)
                except (ArithmeticError, ValueError):  # NumPy knows inf and nan
                    c = NotImplemented
                if c is not NotImplemented:
                    return Series(c, self.run)
        return super().__array_ufunc__(ufunc, how, *args, **kwargs)

    def apply(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        run = self.run
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        named = mine(tuple(kwargs.values()), run)
        steps = function in rules.CONSTANT and function not in rules.PUSHFORWARDS
        constant = run.order == 0 or steps
        if constant or all(len(x.c) == 1 for x in mine(args, run) + named):
            known = {key: values(x, run) for key, x in kwargs.items()}
            return function(*values(args, run), **known)
        if named:
            return NotImplemented
        if recurrence_of(function) or rules.partials(function):
            return NotImplemented if kwargs else elementwise(function, args, run)
        for table, rule in ARRAY_RULES:
            if function in table:
                return rule(function, args, kwargs, run)
        return NotImplemented


# Operands and results.


def plain_operands(args: tuple[Any, ...], run: Run) -> list[Coefficients] | None:
    """The coefficients of operands that are all scalars, or arrays of one shape."""
    operands: list[Coefficients] = []
    shape, longest = None, 1
    for x in args:
        if x.__class__ is Series and x.run is run:
            c = x.c
            itself = c[0].__class__ is float or (
                c.__class__ is np.ndarray and c.shape[1:]
            )
            if not itself or (shape is not None and shape != itself):
                return None
            shape, longest = itself, max(longest, len(c))
            operands.append(c)
        elif x.__class__ is float or x.__class__ is int:
            operands.append([float(x)])
        else:
            return None
    return operands if longest > 1 else None


def mine(tree: Any, run: Run) -> list[Series]:
    """The series of this run in nested arguments."""
    return [x for x in leaves(tree) if isinstance(x, Series) and x.run is run]


def coefficient(tree: Any, k: int, run: Run) -> Any:
    """Replace every series in nested arguments by its k-th coefficient."""
    if isinstance(tree, Series) and tree.run is run:
        x = tree.c[k] if k < len(tree.c) else np.zeros(tree.shape)
        return np.asarray(x) if isinstance(x, (float, complex)) else x
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [coefficient(branch, k, run) for branch in tree])
    return tree if k == 0 else np.zeros(np.shape(tree))


def values(tree: Any, run: Run) -> Any:
    """Replace every series in nested arguments by its value."""
    return coefficient(tree, 0, run) if mine((tree,), run) else tree


def collected(ys: list[Any], run: Run) -> Any:
    """The series of these coefficients; a tuple of series from tuples of them."""
    if isinstance(ys[0], (tuple, list)):
        items = [collected(list(item), run) for item in zip(*ys, strict=True)]
        return rebuilt(ys[0], items)
    if any(isinstance(y, Traced) for y in ys):
        return Series(ys, run)
    shape = np.shape(ys[0])
    if shape:
        return Series(np.stack([np.broadcast_to(y, shape) for y in ys]), run)
    kind = complex if any(map(np.iscomplexobj, ys)) else float
    return Series([kind(y) for y in ys], run)


# Elementwise functions.


def elementwise(function: Function, args: tuple[Any, ...], run: Run) -> Any:
    """By recurrence, on operands brought to one shape; else from the slope."""
    args = tuple(map(one_array, args))
    recurrence, c = recurrence_of(function), NotImplemented
    if recurrence:
        shape = np.broadcast_shapes(*map(np.shape, args))
        nested = any(isinstance(y, Traced) for x in args for y in coefficients(x, run))
        operands = [operand(coefficients(x, run), shape, nested) for x in args]
        c = by_recurrence(recurrence, operands, run)
    if c is not NotImplemented:
        return Series(c, run)
    return by_slope(function, args, run) if rules.partials(function) else NotImplemented


def coefficients(x: Any, run: Run) -> Coefficients:
    """Those of a series, or the constant alone."""
    return x.c if isinstance(x, Series) and x.run is run else [x]


def operand(c: Coefficients, shape: tuple[int, ...], nested: bool) -> Coefficients:
    """A constant number as it is, and anything else in the full shape."""
    if len(c) == 1 and not isinstance(c[0], Traced) and not np.ndim(c[0]):
        return [complex(c[0]) if np.iscomplexobj(c[0]) else float(c[0])]
    if nested:
        return [y if np.shape(y) == shape else np.broadcast_to(y, shape) for y in c]
    if not shape:
        return c
    c = np.asarray(c)
    c = c.astype(np.result_type(c, float), copy=False)
    c = c.reshape(len(c), *(1,) * (len(shape) + 1 - c.ndim), *c.shape[1:])
    return np.broadcast_to(c, (len(c), *shape))


def in_strips(
    recurrence: Function, operands: list[Coefficients], run: Run
) -> Coefficients:
    """A recurrence on long arrays, some items at a time.

    So all their coefficients stay in the processor's cache.
    """
    first = max(operands, key=len)
    size = first[0].size if first.__class__ is np.ndarray else 0
    constants = [c[0] for c in operands if len(c) == 1]
    if size <= 2 * STRIP or any(x.__class__ is not float for x in constants):
        return recurrence(run, *operands)
    flat = [c if len(c) == 1 else c.reshape(len(c), size) for c in operands]
    kind = np.result_type(*(c for c in flat if len(c) > 1), float)
    y, longest = np.zeros((run.order + 1, size), kind), 1
    for start in range(0, size, STRIP):
        here = slice(start, start + STRIP)
        part = recurrence(run, *(c if len(c) == 1 else c[:, here] for c in flat))
        if part is NotImplemented:
            return part
        y[: len(part), here] = part
        longest = max(longest, len(part))
    return y[:longest].reshape(longest, *first.shape[1:])


def by_recurrence(
    recurrence: Function, operands: list[Coefficients], run: Run
) -> Coefficients:
    """Where Python's numbers raise errors, arrays of one item give inf and nan."""
    try:
        return in_strips(recurrence, operands, run)
    except (ArithmeticError, ValueError):
        if not all(type(x) in (float, complex) for c in operands for x in c):
            raise
    columns = [c if len(c) == 1 else np.reshape(c, (-1, 1)) for c in operands]
    y = recurrence(run, *columns)
    return y if y is NotImplemented else [row.item() for row in y]


def by_slope(function: Function, args: tuple[Any, ...], run: Run) -> Any:
    """Picard's iteration: y' = w(y, u) u' gives one more coefficient each time.

    It ends early where w does not depend on y.  Results are kept, since functions may
    be each other's slopes.
    """
    key = (
        function,
        *(id(x) if isinstance(x, Traced) else np.asarray(x).tobytes() for x in args),
    )
    if key in run.results:
        return run.results[key][0]
    inner = [run.shortened(x) for x in args]
    y0 = function(*values(args, run))
    partials = rules.partials(function, y0) or ()
    y, result = y0, None
    for _ in range(run.order):
        dy: Any = 0.0
        for partial, x in zip(partials, args, strict=True):
            if mine((x,), run):
                dy = dy + partial(y, *inner) * slope(x, run)
        last, result = result, integrated(y0, dy, run)
        if last is not None and unchanged(last.c, result.c):
            break
        y = run.shortened(result)
    run.learn()
    run.results[key] = (result, args)
    return result


def slope(x: Any, run: Run) -> Any:
    """The derivative by t, to one order less."""
    if mine((x,), run) and len(x.c) > 1:
        return Series(slopes(x.c), run.below)
    return np.zeros(np.shape(x))


def unchanged(a: Coefficients, b: Coefficients) -> bool:
    """Whether two steps gave the same numbers, bit by bit."""
    if len(a) != len(b) or any(isinstance(x, Traced) for x in (*a, *b)):
        return False
    return np.array_equal(a, b, equal_nan=True)


def integrated(y0: Any, dy: Any, run: Run) -> Any:
    """The series that begins with y0 and has the slope dy; of tuples, the tuple."""
    if isinstance(y0, (tuple, list)):
        return rebuilt(
            y0, [integrated(*pair, run) for pair in zip(y0, dy, strict=True)]
        )
    rows = coefficients(dy, run.below)
    return collected([y0, *(row / k for k, row in enumerate(rows, 1))], run)


# Functions of whole arrays: (function, args, kwargs, run).


def linear(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """Coefficient by coefficient; what adds a constant does so to the first alone."""
    operands, others = args[: rules.LINEAR[function]], args[rules.LINEAR[function] :]
    if mine(others, run):
        return NotImplemented
    named = rules.ADDS_A_CONSTANT & kwargs.keys()
    none = {key: np.zeros(np.shape(kwargs[key])) for key in named}
    ys = [function(*coefficient(operands, 0, run), *others, **kwargs)]
    for k in range(1, max(len(x.c) for x in mine(operands, run))):
        ys.append(function(*coefficient(operands, k, run), *others, **kwargs | none))
    return collected(ys, run)


def multilinear(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """Cauchy's product: to t^k all products whose powers of t add up to k."""
    args = tuple(map(one_array, args))
    places = [i for i, x in enumerate(args) if mine((x,), run)]
    ys: dict[int, Any] = {}
    for powers in itertools.product(*(range(len(args[i].c)) for i in places)):
        if (k := sum(powers)) <= run.order:
            operands = list(args)
            for i, j in zip(places, powers, strict=True):
                operands[i] = coefficient(args[i], j, run)
            term = function(*operands, **kwargs)
            ys[k] = ys[k] + term if k in ys else term
    return collected([ys[k] for k in sorted(ys)], run)


def pushed(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """By integrating the tangent, which the rules give to one order less."""
    count = rules.OPERANDS.get(function, 1)
    operands, others = args[:count], args[count:]
    if mine(others, run):
        return NotImplemented
    inner = [run.shortened(x) for x in operands]
    tangents = [slope(x, run) for x in operands]
    result = rules.PUSHFORWARDS[function](*inner, *tangents, *others, **kwargs)
    if result is NotImplemented:
        return result
    run.learn()
    return integrated(values(result[0], run.below), result[1], run)


def where(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """Choose every coefficient by the condition on the values."""
    condition, *branches = args
    length = max((len(x.c) for x in mine(branches, run)), default=1)
    chosen = values(condition, run)
    rows = [coefficient(branches, k, run) for k in range(length)]
    return collected([np.where(chosen, *row) for row in rows], run)


def sign(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """A step; for complex numbers the direction, which turns."""
    (x,) = args
    return x / np.absolute(x) if np.iscomplexobj(x.value) else np.sign(x.value)


def extremum(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """The item that is ahead just beside the point; three that meet share equally."""
    turn = 1.0 if function is np.max else -1.0

    @knowing_its_arguments
    def ahead(x, axis=None, keepdims=False):  # type: ignore[no-untyped-def]
        best = function(x.c[0], axis=axis, keepdims=True)
        tied = x.c[0] == best
        count = np.sum(tied, axis=axis, keepdims=True)
        first, many = tied, False
        for k in range(1, len(x.c)):
            key = np.where(first, turn * run.side**k * x.c[k], -np.inf)
            leads = key == np.max(key, axis=axis, keepdims=True)
            dropped = np.any(first & ~leads, axis=axis, keepdims=True)
            run.kinked |= k % 2 == 1 and bool(np.any(dropped & (count == 2)))
            many |= dropped & (count > 2)
            first = first & leads
        if run.order > 1 and np.any(many):
            raise NotDifferentiableError(
                f"np.{function.__name__} of three items that meet has no higher "
                "derivatives"
            )
        first = np.where(many, tied, first)
        share = first / np.sum(first, axis=axis, keepdims=True)
        ys = [np.sum(share * row, axis=axis, keepdims=keepdims) for row in x.c[1:]]
        return collected([function(x.c[0], axis=axis, keepdims=keepdims), *ys], run)

    return ahead(*args, **kwargs)


def norm(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """The root of the sum of squares; other norms by the rules or NumPy's own code."""

    @knowing_its_arguments
    def length(x, ord=None, axis=None, keepdims=False):  # type: ignore[no-untyped-def]
        axes = len(x.shape) if axis is None else np.size(axis)
        if not (ord is None or ord == ("fro" if axes == 2 else 2)):
            return pushed(function, args, kwargs, run)
        parts = [np.real(x), np.imag(x)] if np.iscomplexobj(x.value) else [x]
        largest = np.max(np.absolute(x.value), initial=0.0)
        nested = isinstance(largest, Traced)
        scale = (
            1.0 if nested else np.ldexp(1.0, -np.clip(np.frexp(largest)[1], -999, 999))
        )
        squares = [
            np.sum((z * scale) ** 2, axis=axis, keepdims=keepdims) for z in parts
        ]
        return np.sqrt(sum(squares[1:], squares[0])) / scale

    return length(*args, **kwargs)


# Linear algebra: comparing coefficients in A Y = 1 and A Y = B.


def convolution(a: Any, turned: Any) -> Any:
    """The sum of a_j @ turned_j over what both have; None if that is nothing."""
    terms = [x @ y for x, y in zip(a, turned, strict=False)]
    return functools.reduce(np.add, terms) if terms else None


def inverse(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """A_0 Y_k is minus the sum of A_j Y_(k-j)."""
    (a,) = args
    ys = [np.linalg.inv(a.c[0])]
    for _ in range(run.order):
        ys.append(-ys[0] @ convolution(a.c[1:], ys[::-1]))
    return collected(ys, run)


def solution(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """A_0 Y_k is B_k less the sum of A_j Y_(k-j)."""
    a, b = args
    if np.ndim(b) == 1:  # NumPy takes a vector for a column, but no stack of vectors
        return solution(function, (a, np.reshape(b, (-1, 1))), kwargs, run)[..., 0]
    first, *rest = coefficients(a, run)
    ys: list[Any] = []
    for k in range(run.order + 1):
        right, known = coefficient(b, k, run), convolution(rest, ys[::-1])
        ys.append(np.linalg.solve(first, right if known is None else right - known))
    return collected(ys, run)


def determinant(function: Function, args: Any, kwargs: Any, run: Run) -> Any:
    """y' = y trace(A^-1 A'); next to a singular matrix from its invariants."""
    (a,) = args
    y0 = np.linalg.det(a.c[0])
    nested = isinstance(y0, Traced)
    if np.any(y0 == 0 if nested else ~(np.linalg.cond(a.c[0]) < SINGULAR)):
        return determinant_by_invariants(a, y0, run)
    relative = np.linalg.solve(run.shortened(a), slope(a, run))
    log = integrated(0.0 * y0, np.trace(relative, axis1=-2, axis2=-1), run)
    return Series(
        exponential(y0 if np.ndim(y0) or nested else y0.item(), log.c, run.order), run
    )


def determinant_by_invariants(a: Series, y0: Any, run: Run) -> Any:
    """Faddeev and LeVerrier's traces of products, divided by whole numbers alone."""
    size = a.shape[-1]
    m, invariant = np.eye(size), a[..., 0, 0] * 0.0
    for k in range(1, size + 1):
        product = a @ m
        invariant = -np.trace(product, axis1=-2, axis2=-1) / k
        m = product + invariant[..., None, None] * np.eye(size)
    return collected([y0, *(invariant * (-1.0) ** size).c[1:]], run)


ARRAY_RULES: list[tuple[Any, Function]] = [
    (rules.LINEAR, linear),
    (rules.MULTILINEAR, multilinear),
    ({np.where}, where),
    ({np.sign}, sign),
    ({np.max, np.min}, extremum),
    ({np.linalg.norm}, norm),
    ({np.linalg.inv}, inverse),
    ({np.linalg.solve}, solution),
    ({np.linalg.det}, determinant),
    (rules.PUSHFORWARDS, pushed),
]
