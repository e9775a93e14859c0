"""CasADi: build the graph of the function once, and differentiate and sparsify that.

CasADi's arrays are matrices, counted by columns, whose products and broadcasting are
not NumPy's.  So every array of NumPy's, of any shape, is one column of CasADi's here,
its items in NumPy's order: what remains are operations between the items of columns.
"""

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import casadi as ca
import numpy as np

from diffmethods import rules
from diffmethods.compiled import by_program
from diffmethods.errors import (
    DiffmethodsError,
    InputError,
    ShapeError,
    TracedValueError,
)
from diffmethods.lifted import (
    Library,
    Lifted,
    Native,
    base_of,
    first_line,
    value_of,
    with_base,
)
from diffmethods.method import Method
from diffmethods.operators import check_weight, no_hessian, not_a_scalar
from diffmethods.traced import Traced, outcome, qualified_name
from diffmethods.transformations import composed, nesting, operators

Function = Callable[..., Any]


class Column:
    """The items of an array in NumPy's order, as a column of CasADi's, and its shape.

    Parameters
    ----------
    items
        CasADi's ``MX`` of shape (number of items, 1).
    shape
        NumPy's shape.
    dtype
        bool for the result of a comparison.
    """

    def __init__(self, items: Any, shape: tuple[int, ...], dtype: Any = float):
        self.items, self.shape, self.dtype = items, tuple(shape), np.dtype(dtype)

    size = property(lambda self: math.prod(self.shape))

    def __bool__(self) -> bool:
        raise TracedValueError(
            "casadi follows f with symbols, and cannot take the side of a branch that "
            "depends on a value: use np.where, or a method that follows values, such "
            "as dual_numbers"
        )

    def matrix(self) -> Any:
        """CasADi's matrix; a vector is a column."""
        if len(self.shape) < 2:
            return self.items
        if len(self.shape) > 2:
            raise NotImplementedError("one matrix at a time")
        return ca.reshape(self.items, *self.shape[::-1]).T


def column(x: Any) -> Column:
    """Numbers as a column; a column as it is."""
    if isinstance(x, Column):
        return x
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise NotImplementedError(f"CasADi has real numbers, not {array.dtype.name}")
    dtype = bool if array.dtype.kind == "b" else float
    items = ca.MX(ca.DM(array.astype(float).ravel()))
    return Column(ca.reshape(items, array.size, 1), array.shape, dtype)


def from_matrix(y: Any) -> Column:
    """A matrix of CasADi's as an array."""
    return Column(ca.vec(y.T), y.shape)


def gather(columns: list[Any], numbers: Any) -> Column:
    """The items of those numbers out of columns laid end to end."""
    items = [column(x).items for x in columns]
    together = items[0] if len(items) == 1 else ca.vertcat(*items)
    picked = together[list(map(int, np.ravel(numbers)))]
    return Column(ca.reshape(picked, np.size(numbers), 1), np.shape(numbers))


def plain_name(function: Function) -> str:
    return qualified_name(function).removeprefix("np.")


def numbers_of(x: Any) -> Any:
    return np.arange(x.size).reshape(x.shape)


def moving(function: Function) -> Function:
    """A function of one array that only moves its items."""

    def move(x: Any, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(part, Column) for part in all_in(args)):
            raise NotImplementedError("symbols cannot say which items to take")
        x = column(x)
        return gather([x], function(numbers_of(x), *args, **kwargs))

    return move


def all_in(tree: Any) -> list[Any]:
    if isinstance(tree, (tuple, list)):
        return [leaf for branch in tree for leaf in all_in(branch)]
    return [tree]


def elementwise(formula: Function, dtype: Any = float) -> Function:
    """A function of CasADi's columns item by item, with NumPy's broadcasting."""

    def run(*arrays: Any) -> Column:
        columns = list(map(column, arrays))
        shape = np.broadcast_shapes(*(x.shape for x in columns))
        operands = []
        for x in columns:
            if x.size != 1 and x.shape != shape:
                x = gather([x], np.broadcast_to(numbers_of(x), shape))
            operands.append(x.items)
        if not math.prod(shape):
            return Column(ca.MX(0, 1), shape, dtype)
        items = formula(*operands)
        if items.numel() != math.prod(shape):  # all operands were single items
            items = ca.repmat(items, math.prod(shape), 1)
        return Column(items, shape, dtype)

    return run


# Elementwise functions. A branch out of two that are both smooth there, and not abs or
# sign, where a second derivative counts.


def maximum(a: Any, b: Any) -> Any:
    """NaN where one of them is, unlike CasADi's fmax; a tie is shared."""
    return ca.if_else(a > b, a, ca.if_else(b > a, b, a / 2 + b / 2))


def minimum(a: Any, b: Any) -> Any:
    return ca.if_else(a < b, a, ca.if_else(b < a, b, a / 2 + b / 2))


def logaddexp(a: Any, b: Any) -> Any:
    d = a - b
    return ca.if_else(d > 0, a, b) + ca.log1p(ca.exp(ca.if_else(d > 0, -d, d)))


def expit(x: Any) -> Any:
    e = ca.exp(ca.if_else(x > 0, -x, x))
    return ca.if_else(x > 0, 1, e) / (1 + e)


def remainder(a: Any, b: Any) -> Any:
    """With the sign of b; CasADi's fmod has that of a, its remainder the nearest."""
    rest = ca.fmod(a, b)
    other_side = ca.logic_and(rest != 0, (rest < 0) != (b < 0))
    return rest + ca.if_else(other_side, b, 0)


def floor_divide(a: Any, b: Any) -> Any:
    return rint((a - remainder(a, b)) / b)


def rint(x: Any) -> Any:
    """Halves to the even side; the slope is 0, and floor says so to CasADi."""
    return ca.floor(x - ca.remainder(x, 1))


ONE_OPERAND: dict[str, Function] = {
    **{
        name: getattr(ca, name)
        for name in (
            "sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh "
            "exp log log10 sqrt expm1 log1p floor ceil sign fabs"
        ).split()
    },
    "absolute": ca.fabs,
    "square": lambda x: x * x,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "real": lambda x: x,
    "imag": lambda x: 0 * x,
    "reciprocal": lambda x: 1 / x,
    "cbrt": lambda x: ca.sign(x) * ca.fabs(x) ** (1 / 3),
    "exp2": lambda x: 2**x,
    "log2": lambda x: ca.log(x) / math.log(2),
    "deg2rad": lambda x: x * (math.pi / 180),
    "radians": lambda x: x * (math.pi / 180),
    "rad2deg": lambda x: x * (180 / math.pi),
    "degrees": lambda x: x * (180 / math.pi),
    "trunc": lambda x: ca.if_else(x < 0, ca.ceil(x), ca.floor(x)),
    "fix": lambda x: ca.if_else(x < 0, ca.ceil(x), ca.floor(x)),
    "rint": rint,
    "scipy.special.erf": ca.erf,
    "scipy.special.erfc": lambda x: 1 - ca.erf(x),
    "scipy.special.erfinv": ca.erfinv,
    "scipy.special.expit": expit,
}
TWO_OPERANDS: dict[str, Function] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": ca.power,
    "float_power": ca.power,
    "arctan2": ca.arctan2,
    "hypot": ca.hypot,
    "copysign": ca.copysign,
    "fmax": ca.fmax,
    "fmin": ca.fmin,
    "maximum": maximum,
    "minimum": minimum,
    "logaddexp": logaddexp,
    "remainder": remainder,
    "floor_divide": floor_divide,
    "fmod": ca.fmod,
    "heaviside": lambda x, y: ca.if_else(x < 0, 0, ca.if_else(x > 0, 1, y)),
}
CONDITIONS: dict[str, Function] = {
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    **dict.fromkeys(("logical_and", "bitwise_and"), ca.logic_and),
    **dict.fromkeys(("logical_or", "bitwise_or"), ca.logic_or),
    **dict.fromkeys(("logical_not", "invert"), ca.logic_not),
}


# Reductions, products and matrices


def rows(x: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """Items along the reduced axes as rows; the shapes with and without those axes."""
    x = column(x)
    shape = x.shape
    wanted = range(len(shape)) if axis is None else np.atleast_1d(axis)
    axes = [int(a) % len(shape) for a in wanted]
    numbers = np.moveaxis(numbers_of(x), axes, range(len(axes)))
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    left = numbers.shape[len(axes) :]
    count = math.prod(shape[k] for k in axes)
    return gather([x], numbers.reshape(count, math.prod(left))), kept, left


def total(x: Any, axis: Any = None, *, keepdims: bool = False) -> Column:
    table, kept, left = rows(x, axis)
    items = ca.sum1(table.matrix()).T
    return Column(ca.reshape(items, math.prod(left), 1), kept if keepdims else left)


def average(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    y = total(x, axis, keepdims=keepdims)
    return divide(y, column(x).size / max(y.size, 1))


def folding(combine: Function, neutral: float | None = None) -> Function:
    """A reduction in pairs, so that its graph is as deep as the logarithm of items."""
    together = elementwise(combine)

    def reduce(x: Any, axis: Any = None, *, keepdims: bool = False) -> Column:
        table, kept, left = rows(x, axis)
        if not table.shape[0]:
            if neutral is None:
                raise ValueError("zero-size array to reduction which has no identity")
            return column(np.full(kept if keepdims else left, neutral))
        while (count := table.shape[0]) > 1:
            half, numbers = count // 2, numbers_of(table)
            halves = (gather([table], numbers[:half]), gather([table], numbers[-half:]))
            pairs = together(*halves)
            if count % 2:
                middle = gather([table], numbers[half : half + 1])
                joint = ca.vertcat(pairs.items, middle.items)
                pairs = Column(joint, (half + 1, *pairs.shape[1:]))
            table = pairs
        return Column(table.items, kept if keepdims else left)

    return reduce


def accumulating(combine: Function) -> Function:
    """Each item with all before it."""
    together = elementwise(combine)

    def accumulate(x: Any, axis: Any = None) -> Column:
        x = column(x)
        numbers = numbers_of(x)
        numbers = numbers.ravel() if axis is None else np.moveaxis(numbers, axis, 0)
        if not x.size:
            return Column(x.items, numbers.shape)
        found = [gather([x], numbers[0])]
        for row in numbers[1:]:
            found.append(together(found[-1], gather([x], row)))
        order = np.moveaxis(
            np.arange(x.size).reshape(numbers.shape), 0, 0 if axis is None else axis
        )
        return gather(found, order)

    return accumulate


def matmul(a: Any, b: Any) -> Column:
    a, b = column(a), column(b)
    if not (a.shape and b.shape) or a.shape[-1] != b.shape[-2:][0]:
        raise ShapeError(f"matmul of shapes {a.shape} and {b.shape} does not fit")
    left = a.matrix() if len(a.shape) == 2 else a.matrix().T
    product = from_matrix(ca.mtimes(left, b.matrix()))
    return Column(product.items, a.shape[:-1] + b.shape[1:])


def squared(a: Any) -> Any:
    """A square matrix, which CasADi does not always ask for."""
    a = column(a)
    if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
        raise NotImplementedError(f"one square matrix, not an array of shape {a.shape}")
    return a.matrix()


def solve(a: Any, b: Any) -> Column:
    b = column(b)
    return Column(from_matrix(ca.solve(squared(a), b.matrix())).items, b.shape)


def slogdet(a: Any) -> tuple[Column, Column]:
    det = ca.det(squared(a))
    return Column(ca.sign(det), ()), Column(ca.log(ca.fabs(det)), ())


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = column(x)
    vectors = len(x.shape) == 1 if axis is None else np.ndim(axis) == 0
    if ord is None or (ord == 2 and vectors) or (ord == "fro" and not vectors):
        return square_root(total(multiply(x, x), axis, keepdims=keepdims))
    if vectors and ord == 1:
        return total(magnitude(x), axis, keepdims=keepdims)
    if vectors and ord == np.inf:
        return largest(magnitude(x), axis, keepdims=keepdims)
    raise NotImplementedError(f"norm of order {ord}")


def refusing(why: str) -> Function:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(why)

    return refuse


multiply, divide = (elementwise(TWO_OPERANDS[n]) for n in ("multiply", "divide"))
magnitude, square_root = elementwise(ca.fabs), elementwise(ca.sqrt)
largest = folding(maximum)

MEND: dict[str, Function] = {
    **{
        plain_name(function): refusing(
            "it depends on values, and CasADi follows symbols"
        )
        for function in rules.CONSTANT
    },
    **{name: elementwise(formula) for name, formula in ONE_OPERAND.items()},
    **{name: elementwise(formula) for name, formula in TWO_OPERANDS.items()},
    **{name: elementwise(formula, bool) for name, formula in CONDITIONS.items()},
    **{
        plain_name(function): moving(function)
        for function in (
            *(np.transpose, np.matrix_transpose, np.squeeze, np.expand_dims),
            *(np.broadcast_to, np.reshape, np.ravel),
        )
    },
    "getitem": moving(lambda numbers, index: numbers[index]),
    "where": elementwise(ca.if_else),
    "sum": total,
    "mean": average,
    "prod": folding(lambda a, b: a * b, 1.0),
    "max": largest,
    "min": folding(minimum),
    "any": folding(ca.logic_or, 0.0),
    "all": folding(ca.logic_and, 1.0),
    "cumsum": accumulating(lambda a, b: a + b),
    "cumprod": accumulating(lambda a, b: a * b),
    "matmul": matmul,
    "zeros_like": lambda x: np.zeros(column(x).shape),
    "ones_like": lambda x: np.ones(column(x).shape),
    "iscomplexobj": lambda x: False,
    "isrealobj": lambda x: True,
    "shape": lambda x: x.shape,
    "ndim": lambda x: len(x.shape),
    "size": lambda x: x.size,
    "sinc": refusing("sin(x) / x would lose its second derivative at 0"),
    "linalg.norm": norm,
    "linalg.solve": solve,
    "linalg.inv": lambda a: from_matrix(ca.inv(squared(a))),
    "linalg.det": lambda a: Column(ca.det(squared(a)), ()),
    "linalg.slogdet": slogdet,
}


class Columns(Library):
    """NumPy's functions on columns; numbers stay NumPy's until they meet one."""

    symbolic = True

    def __init__(self) -> None:
        super().__init__(
            "casadi",
            {"np": None},
            asarray=lambda x: x,
            mend=MEND,
            gather=gather,
            settled=lambda y: None if isinstance(y, Column) else y,
            real_parts=lambda y, base: [column(y)],
            refusals=(TypeError, NotImplementedError, RuntimeError),
        )

    def call(self, f: Function, x: Any, base: Any) -> Any:
        """f(x) in plain NumPy; or in CasADi's words, where CasADi itself refuses x.

        NumPy's functions never see CasADi's own arrays: they would run, and mean
        matrices that are counted by columns.
        """
        try:
            return outcome(f(with_base(x, Lifted(base, self))))
        except DiffmethodsError:
            raise
        except NotImplementedError:
            return Lifted(in_casadis_words(f)(base), self)
        except (TypeError, AttributeError, ValueError) as error:
            if "truth value of an array" in str(error):
                raise  # explained elsewhere
            if own := error_with_numbers(f, x, type(error)):
                raise own from error
            raise InputError(
                f"f fails with stand-ins for arrays: {first_line(error)}"
            ) from error


def error_with_numbers(f: Function, x: Any, kind: type[Exception]) -> Exception | None:
    """The error of that kind that f raises with plain numbers, too."""
    try:
        f(np.ones(np.shape(x))[()])
    except kind as error:
        return error
    except Exception:
        pass
    return None


def in_casadis_words(f: Function) -> Function:
    """A function of CasADi's own matrices as one of columns."""

    def run(x: Column) -> Column:
        y = f(x.matrix())
        y = ca.vertcat(*y) if isinstance(y, (list, tuple)) else ca.MX(y)
        shape = () if y.numel() == 1 else y.shape[:1] if y.shape[1] == 1 else y.shape
        return Column(from_matrix(y).items, shape)

    return run


LIBRARY = Columns()


def natively(
    transform: Function,
    f: Function,
    x: Any,
    *vectors: Any,
    expand: bool = False,
    **order: int,
) -> Any:
    """Make the graph of a derivative of f at x, and put numbers or symbols in."""
    points = [LIBRARY.lower(point) for point in (base_of(x), *vectors)]
    if any(isinstance(point, Lifted) or np.iscomplexobj(point) for point in points):
        raise InputError("casadi takes real numbers, and no other method's stand-ins")

    def program(f: Function) -> Function:
        symbols = [
            Column(ca.MX.sym("x", math.prod(np.shape(p))), np.shape(p)) for p in points
        ]
        native = Native(LIBRARY, f, x)
        slopes = transform(native, *symbols, **order)
        run = evaluator([s.items for s in symbols], slopes, expand)
        return lambda *points: native.joined(run(points))

    if not isinstance(x, Traced) and not any(isinstance(p, Column) for p in points):
        key = ("casadi", transform, expand, *order.values())
        y = by_program(f, key, program, points)
        if y is not None:
            return y
    return program(f)(*points)


def evaluator(symbols: list[Any], slopes: list[Column], expand: bool) -> Function:
    """Puts points into expressions: numbers come out, or formulas where symbols do."""
    items = [slope.items for slope in slopes]
    own = {s.__hash__() for s in symbols}
    closed = all(s.__hash__() in own for s in ca.symvar(ca.veccat(*items)))
    if closed:
        function = ca.Function("slopes", symbols, items)
        function = function.expand() if expand else function

    def run(points: tuple[Any, ...]) -> list[Any]:
        if closed and not any(isinstance(point, Column) for point in points):
            found = function.call([ca.DM(np.ravel(point)) for point in points])
            return [
                np.reshape(y.full(), slope.shape)
                for y, slope in zip(found, slopes, strict=True)
            ]
        given = [column(point).items for point in points]
        found = ca.substitute(items, symbols, given)
        return [
            Lifted(Column(y, slope.shape), LIBRARY)
            for y, slope in zip(found, slopes, strict=True)
        ]

    return run


# The transformations: from f as a function of columns, and symbols, to columns.


def each(ys: Iterable[Column], slope: Function) -> list[Column]:
    return [slope(y) for y in ys]


def pushed(native: Native, x: Column, v: Column) -> list[Column]:
    push = lambda y: Column(ca.jtimes(y.items, x.items, v.items), y.shape)
    return each(native(x), push)


def ones_like(x: Column) -> Column:
    return Column(ca.MX.ones(x.size, 1), x.shape)


def pulled(native: Native, x: Column, w: Column) -> list[Column]:
    found = native(x)
    check_weight(w, found[0].shape)
    pull = lambda y: Column(ca.jtimes(y.items, x.items, w.items, True), x.shape)
    return each(found, pull)


def sloped(native: Native, x: Column) -> list[Column]:
    found = native(x)
    if found[0].shape:
        raise not_a_scalar(found[0].shape)
    return each(found, lambda y: Column(ca.gradient(y.items, x.items), x.shape))


def tabled(native: Native, x: Column) -> list[Column]:
    """CasADi's sparse Jacobian: the columns or rows that a colouring leaves."""

    def table(y: Column) -> Column:
        slopes = from_matrix(ca.jacobian(y.items, x.items))
        return Column(slopes.items, y.shape + x.shape)

    return each(native(x), table)


def second(native: Native, x: Column) -> list[Column]:
    """CasADi's sparse Hessian."""

    def curved(y: Column) -> Column:
        slopes = from_matrix(ca.hessian(y.items, x.items)[0])
        return Column(slopes.items, x.shape + x.shape)

    found = native(x)
    if found[0].shape:
        raise no_hessian(found[0].shape)
    return each(found, curved)


METHOD = Method(
    title="CasADi",
    family="libraries",
    summary="Build the graph of the function once, and differentiate that.",
    exact=True,
    rtol=1e-13,
    options={
        "expand": (
            "write the graph out number by number (CasADi's SX), which is faster for "
            "small functions without linear algebra"
        )
    },
    **operators(
        natively,
        derivative=nesting(pushed, ones_like),
        gradient=sloped,
        jacobian=tabled,
        hessian=second,
        jvp=pushed,
        vjp=pulled,
        hvp=composed(pushed, sloped),
    ),
    value=functools.partial(value_of, natively),
    handles=LIBRARY.knows,
    references=("andersson2019",),
)
