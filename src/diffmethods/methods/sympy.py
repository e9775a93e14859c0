"""SymPy: write the function down as a formula, then apply the rules of calculus."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from diffmethods import rules
from diffmethods.errors import InputError, NotDifferentiableError
from diffmethods.lifted import Library, Lifted, base_of, flatten
from diffmethods.method import Method
from diffmethods.traced import qualified_name, rebuilt

Function = Callable[..., Any]
DIGITS = 17  # enough to round to the nearest float64


def elementwise(formula: Function, operands: int = 1) -> Function:
    """Apply a function of expressions to every item of object arrays."""
    return np.frompyfunc(formula, operands, 1)


def on_matrices(formula: Function) -> Function:
    """Apply a function of SymPy's matrices to object arrays."""

    def run(*arrays: Any) -> Any:
        if any(np.ndim(array) > 2 for array in arrays):
            raise NotImplementedError("one matrix at a time")
        y = formula(*map(sp.Matrix, arrays))
        return np.array(y.tolist(), dtype=object) if isinstance(y, sp.MatrixBase) else y

    return run


def bessel(kind: Function, order: int) -> Function:
    return functools.partial(kind, order)


ONE_OPERAND: dict[str, Function] = {
    **{
        name: getattr(sp, name)
        for name in "sin cos tan sinh cosh tanh exp log sqrt".split()
    },
    **{
        f"arc{name}": getattr(sp, f"a{name}")
        for name in "sin cos tan sinh cosh tanh".split()
    },
    "absolute": sp.Abs,
    "fabs": sp.Abs,
    "cbrt": lambda x: sp.sign(x) * sp.cbrt(sp.Abs(x)),
    "exp2": lambda x: 2**x,
    "expm1": lambda x: sp.exp(x) - 1,
    "log1p": lambda x: sp.log(1 + x),
    "log2": lambda x: sp.log(x) / sp.log(2),
    "log10": lambda x: sp.log(x) / sp.log(10),
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "real": sp.re,
    "imag": sp.im,
    "conjugate": sp.conjugate,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "deg2rad": lambda x: x * sp.pi / 180,
    "radians": lambda x: x * sp.pi / 180,
    "rad2deg": lambda x: x * 180 / sp.pi,
    "degrees": lambda x: x * 180 / sp.pi,
    "sinc": lambda x: sp.sinc(sp.pi * x),
    **{
        f"scipy.special.{name}": getattr(sp, name)
        for name in ("erf", "erfc", "gamma", "digamma")
    },
    "scipy.special.gammaln": sp.loggamma,
    "scipy.special.psi": sp.digamma,
    "scipy.special.expit": lambda x: 1 / (1 + sp.exp(-x)),
    **{
        f"scipy.special.{letter}{order}": bessel(getattr(sp, f"bessel{letter}"), order)
        for letter in "jyik"
        for order in (0, 1)
    },
}
TWO_OPERANDS: dict[str, Function] = {
    "arctan2": sp.atan2,
    "maximum": sp.Max,
    "fmax": sp.Max,
    "minimum": sp.Min,
    "fmin": sp.Min,
    "hypot": lambda a, b: sp.sqrt(a**2 + b**2),
    "logaddexp": lambda a, b: sp.log(sp.exp(a) + sp.exp(b)),
    "copysign": lambda a, b: sp.Abs(a) * sp.sign(b),
    "scipy.special.jv": sp.besselj,
}
ON_OBJECTS: set[
    Function
] = {  # NumPy itself moves, adds and multiplies arrays of expressions
    *(f for f in (*rules.LINEAR, *rules.MULTILINEAR) if "fft" not in f.__module__),
    *(np.add, np.subtract, np.multiply, np.divide, np.power, np.prod, np.cumprod),
}


class Formulas(Library):
    """NumPy's functions on arrays of expressions.

    The value of every symbol is known, so that what has no slope (a comparison, a sort,
    a floor) is settled at the point; the formula holds around it.
    """

    symbolic = True

    def __init__(self) -> None:
        mend = {plain_name(f): f for f in ON_OBJECTS}
        mend |= {name: elementwise(formula) for name, formula in ONE_OPERAND.items()}
        mend |= {
            name: elementwise(formula, 2) for name, formula in TWO_OPERANDS.items()
        }
        mend |= {plain_name(f): self.settled(f) for f in rules.CONSTANT}
        mend |= {
            "where": lambda condition, a, b: np.where(
                np.asarray(condition, bool), a, b
            ),
            "sum": total,
            "var": variance,
            "max": self.extremum(np.max),
            "min": self.extremum(np.min),
            "linalg.norm": norm,
            "linalg.solve": solve,
            "linalg.inv": on_matrices(lambda a: a.inv()),
            "linalg.det": on_matrices(lambda a: a.det()),
            "linalg.slogdet": self.slogdet,
            "remainder": lambda a, b: a - b * self.settled(np.floor_divide)(a, b),
        }
        super().__init__("sympy", {"np": None}, asarray=lambda x: x, mend=mend)
        self.point: dict[Any, float] = {}

    def lift(self, result: Any) -> Any:
        """What is settled at the point is a constant."""
        settled = (
            isinstance(result, (np.ndarray, np.generic)) and result.dtype != object
        )
        return result if settled else super().lift(result)

    def operand(self, x: Any) -> Any:
        return x.astype(int) if getattr(x, "dtype", "") == "?" else x

    def settled(self, function: Function) -> Function:
        def settle(*args: Any, **kwargs: Any) -> Any:
            return function(*map(self.numbers, args), **kwargs)

        return settle

    def numbers(self, tree: Any) -> Any:
        """Expressions, alone or in arrays, as numbers at the point."""
        if isinstance(tree, (list, tuple)):
            return rebuilt(tree, [self.numbers(branch) for branch in tree])
        if isinstance(tree, sp.Basic) or getattr(tree, "dtype", "") == "O":
            return evaluate(tree, self.point)
        return tree

    def extremum(self, function: Function) -> Function:
        """The mean of the items that are extreme at the point."""

        def pick(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
            numbers = self.numbers(x)
            tied = numbers == function(numbers, axis=axis, keepdims=True)
            total = np.sum(np.where(tied, x, 0), axis=axis, keepdims=keepdims)
            return total / np.sum(tied, axis=axis, keepdims=keepdims)

        return pick

    def slogdet(self, a: Any) -> Any:
        det = sp.Matrix(a).det()
        sign = float(np.sign(self.numbers(det)))
        return sign, sp.log(sign * det)


def plain_name(function: Function) -> str:
    return qualified_name(function).removeprefix("np.")


def total(x: Any, axis: Any = None, where: Any = True, **kwargs: Any) -> Any:
    return np.sum(np.where(where, x, 0), axis=axis, **kwargs)


def variance(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    spread = x - np.mean(x, axis=axis, keepdims=True)
    sums = np.sum(elementwise(squared_size)(spread), axis=axis, keepdims=keepdims)
    return sums / (np.size(x) / max(np.size(sums), 1) - ddof)


def squared_size(z: Any) -> Any:
    return sp.re(z * sp.conjugate(z)) if sp.sympify(z).has(sp.I) else z * z


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord not in (None, "fro") and not (ord == 2 and np.ndim(x) == 1):
        raise NotImplementedError(f"norm of order {ord}")
    return elementwise(sp.sqrt)(np.sum(x * x, axis=axis, keepdims=keepdims))


def solve(a: Any, b: Any) -> Any:
    return np.reshape(on_matrices(lambda a, b: a.LUsolve(b))(a, b), np.shape(b))


def evaluate(expressions: Any, values: dict[Any, float]) -> Any:
    """Round each expression to float64, with as many digits inside as that takes."""
    array = np.asarray(expressions, dtype=object)
    numbers = [rounded(expression, values) for expression in array.flat]
    return np.array(numbers, float).reshape(array.shape)[()]


def rounded(expression: Any, values: dict[Any, float]) -> float:
    expression = sp.sympify(expression)
    subs = {symbol: values[symbol] for symbol in expression.free_symbols}
    number = expression.evalf(DIGITS, subs=subs, maxn=1000)
    if number.has(sp.Derivative, sp.Subs, sp.DiracDelta):
        raise NotDifferentiableError(f"SymPy finds no derivative there, only {number}")
    real, imaginary = number.as_real_imag()
    if not real.is_number or abs(imaginary) > 1e-15 * abs(real):
        return float("nan")  # f is not real there
    return float(real)


LIBRARY = Formulas()


def natively(f: Function, x: Any, differentiate: Callable[[Any, Any], Any]) -> Any:
    """Differentiate the formula of f in the symbols of x, and put x in."""
    base = base_of(x)
    if isinstance(base, Lifted) and base.library is LIBRARY:
        base = base.value
    if isinstance(base, Lifted) or np.iscomplexobj(base):
        raise InputError(
            "sympy puts real numbers into its formulas, and cannot put in values of "
            f"{x.method}; nest the two the other way round, or use one method for both"
        )
    base = np.asarray(base, dtype=object)
    symbols = np.empty(base.shape, dtype=object)
    for index in np.ndindex(base.shape):
        symbols[index] = sp.Dummy("x", real=True)
    own = dict(zip(symbols.flat, base.flat, strict=True))
    LIBRARY.point.update({s: LIBRARY.numbers(item) for s, item in own.items()})
    try:
        leaves, rebuild = flatten(LIBRARY.call(f, x, symbols[()]))
        formulas = [np.asarray(LIBRARY.lower(leaf), dtype=object) for leaf in leaves]
        return rebuild([at_point(differentiate(y, symbols), own) for y in formulas])
    finally:
        for symbol in own:
            del LIBRARY.point[symbol]


def at_point(slopes: Any, own: dict[Any, Any]) -> Any:
    """Numbers; or formulas still, inside an outer derivative by SymPy."""
    free = set().union(*(slope.free_symbols for slope in np.ravel(slopes)))
    outer = free - own.keys() or any(
        isinstance(item, sp.Basic) for item in own.values()
    )
    if outer:
        return Lifted(elementwise(lambda slope: slope.subs(own))(slopes), LIBRARY)
    return evaluate(slopes, LIBRARY.point)


def slope(expression: Any, *symbols: Any) -> Any:
    return sp.diff(sp.sympify(expression), *symbols)


def derivative(f: Function, x: Any, order: int) -> Any:
    """The formula differentiated `order` times; each item of an array has its own."""
    if np.ndim(x):
        shape = np.shape(x)
        items = [derivative(f, x[index], order) for index in np.ndindex(shape)]
        if items and np.shape(items[0]) == shape:  # an array in the closure of f
            items = [
                y[index] for y, index in zip(items, np.ndindex(shape), strict=True)
            ]
        if not items:
            return np.zeros(shape)
        return np.reshape(np.stack(items), shape + np.shape(items[0]))
    return natively(
        f, x, lambda y, s: elementwise(lambda e: slope(e, s.item(), order))(y)
    )


def jacobian(f: Function, x: Any) -> Any:
    """Every formula by every symbol."""

    def by_each(formulas: Any, symbols: Any) -> Any:
        table = elementwise(slope, 2)(*np.ix_(np.ravel(formulas), np.ravel(symbols)))
        return np.reshape(table, formulas.shape + symbols.shape)

    return natively(f, x, by_each)


def hessian(f: Function, x: Any) -> Any:
    """The formula by every pair of symbols."""

    def by_pairs(formula: Any, symbols: Any) -> Any:
        first = elementwise(lambda s: slope(formula.item(), s))(np.ravel(symbols))
        table = elementwise(slope, 2)(*np.ix_(first, np.ravel(symbols)))
        return np.reshape(table, symbols.shape + symbols.shape)

    return natively(f, x, by_pairs)


METHOD = Method(
    title="SymPy",
    family="symbolic",
    summary="Write the function down as a formula, then apply the rules of calculus.",
    exact=True,
    rtol=1e-15,
    derivative=derivative,
    jacobian=jacobian,
    hessian=hessian,
    handles=LIBRARY.knows,
    references=("meurer2017",),
)
