"""Formulas: arrays of a computer algebra's symbols, their slopes, and their values.

SymPy and SymEngine spell most things alike; a method gives the module and what differs.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.errors import InputError
from diffmethods.lifted import Library, Lifted, base_of, flatten
from diffmethods.method import Method
from diffmethods.operators import no_hessian
from diffmethods.traced import qualified_name, rebuilt

Function = Callable[..., Any]


def elementwise(formula: Function, operands: int = 1) -> Function:
    """Apply a function of expressions to every item of object arrays.

    What an algebra in C++ does to floats inside is not for NumPy to warn of.
    """
    function = np.frompyfunc(formula, operands, 1)

    def run(*arrays: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arrays)

    return run


def plain_name(function: Function) -> str:
    return qualified_name(function).removeprefix("np.")


def one_operand(algebra: Any) -> dict[str, Function]:
    """NumPy's functions of one operand, in the words of a computer algebra."""
    return {
        **{
            name: getattr(algebra, name)
            for name in "sin cos tan sinh cosh tanh exp log sqrt".split()
        },
        **{
            f"arc{name}": getattr(algebra, f"a{name}")
            for name in "sin cos tan sinh cosh tanh".split()
        },
        "exp2": lambda x: 2**x,
        "expm1": lambda x: algebra.exp(x) - 1,
        "log1p": lambda x: algebra.log(1 + x),
        "log2": lambda x: algebra.log(x) / algebra.log(2),
        "log10": lambda x: algebra.log(x) / algebra.log(10),
        "square": lambda x: x**2,
        "reciprocal": lambda x: 1 / x,
        "negative": lambda x: -x,
        "positive": lambda x: x,
        "deg2rad": lambda x: x * algebra.pi / 180,
        "radians": lambda x: x * algebra.pi / 180,
        "rad2deg": lambda x: x * 180 / algebra.pi,
        "degrees": lambda x: x * 180 / algebra.pi,
        "scipy.special.erf": algebra.erf,
        "scipy.special.erfc": algebra.erfc,
        "scipy.special.expit": lambda x: 1 / (1 + algebra.exp(-x)),
    }


def two_operands(algebra: Any) -> dict[str, Function]:
    return {
        "arctan2": algebra.atan2,
        "hypot": lambda a, b: algebra.sqrt(a**2 + b**2),
        "logaddexp": lambda a, b: algebra.log(algebra.exp(a) + algebra.exp(b)),
    }


ON_OBJECTS: set[
    Function
] = {  # NumPy itself moves, adds and multiplies arrays of expressions
    *(f for f in (*rules.LINEAR, *rules.MULTILINEAR) if "fft" not in f.__module__),
    *(np.add, np.subtract, np.multiply, np.divide, np.power, np.prod, np.cumprod),
}


class Formulas(Library):
    """NumPy's functions on arrays of expressions, and the operators they give.

    The value of every symbol is known, so that what has no slope (a comparison, a sort,
    a floor) is settled at the point; the formula holds around it.

    Parameters
    ----------
    name
        The method.
    algebra
        The module that the expressions belong to.
    symbol
        ``symbol("x")``, a new one.
    rounded
        ``rounded(expression, values)``, the nearest float64 where symbols have values.
    ones, twos
        Functions of one and of two operands, beside those that both libraries share.
    mend
        Functions of whole arrays.
    """

    symbolic = True

    def __init__(
        self,
        name: str,
        algebra: ModuleType,
        symbol: Function,
        rounded: Function,
        ones: Mapping[str, Function] = {},
        twos: Mapping[str, Function] = {},
        mend: Mapping[str, Function] = {},
    ) -> None:
        self.algebra, self.symbol, self.rounded = algebra, symbol, rounded
        self.point: dict[Any, float] = {}
        table = {plain_name(f): f for f in ON_OBJECTS}
        for name_, formula in (one_operand(algebra) | dict(ones)).items():
            table[name_] = elementwise(formula)
        for name_, formula in (two_operands(algebra) | dict(twos)).items():
            table[name_] = elementwise(formula, 2)
        table |= {plain_name(f): self.by_numbers(f) for f in rules.CONSTANT}
        table |= {
            "where": lambda condition, a, b: np.where(
                np.asarray(condition, bool), a, b
            ),
            "sum": total,
            "max": self.extremum(np.max),
            "min": self.extremum(np.min),
            "linalg.norm": self.norm,
            "linalg.solve": self.solve,
            "linalg.inv": self.on_matrices(lambda a: a.inv()),
            "linalg.det": self.on_matrices(lambda a: a.det()),
            "linalg.slogdet": self.slogdet,
            "remainder": lambda a, b: a - b * self.by_numbers(np.floor_divide)(a, b),
        }
        super().__init__(
            name,
            {"np": None},
            asarray=lambda x: x,
            mend=table | dict(mend),
            refusals=(TypeError, NotImplementedError, RuntimeError),
        )

    def method(self, **described: Any) -> Method:
        """The method that these formulas make, as it is described."""
        return Method(
            family="symbolic",
            summary=(
                "Write the function down as a formula, then apply the rules of "
                "calculus."
            ),
            exact=True,
            rtol=1e-15,
            derivative=self.derivative,
            jacobian=self.jacobian,
            hessian=self.hessian,
            handles=self.knows,
            **described,
        )

    def lift(self, result: Any) -> Any:
        """What is settled at the point is a constant."""
        settled = (
            isinstance(result, (np.ndarray, np.generic)) and result.dtype != object
        )
        return result if settled else super().lift(result)

    def operand(self, x: Any) -> Any:
        return x.astype(int) if getattr(x, "dtype", "") == "?" else x

    def by_numbers(self, function: Function) -> Function:
        def settle(*args: Any, **kwargs: Any) -> Any:
            return function(*map(self.numbers, args), **kwargs)

        return settle

    def numbers(self, tree: Any) -> Any:
        """Expressions, alone or in arrays, as numbers at the point."""
        if isinstance(tree, (list, tuple)):
            return rebuilt(tree, [self.numbers(branch) for branch in tree])
        if isinstance(tree, self.algebra.Basic) or getattr(tree, "dtype", "") == "O":
            return self.evaluate(tree)
        return tree

    def evaluate(self, expressions: Any) -> Any:
        """Round each expression to float64."""
        array = np.asarray(expressions, dtype=object)
        numbers = [
            self.rounded(self.algebra.sympify(expression), self.point)
            for expression in array.flat
        ]
        return np.array(numbers, float).reshape(array.shape)[()]

    # NumPy's functions of whole arrays

    def extremum(self, function: Function) -> Function:
        """The mean of the items that are extreme at the point."""

        def pick(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
            numbers = self.numbers(x)
            tied = numbers == function(numbers, axis=axis, keepdims=True)
            total = np.sum(np.where(tied, x, 0), axis=axis, keepdims=keepdims)
            return total / np.sum(tied, axis=axis, keepdims=keepdims)

        return pick

    def on_matrices(self, formula: Function) -> Function:
        """Apply a function of the algebra's matrices to object arrays."""

        def run(*arrays: Any) -> Any:
            if any(np.ndim(array) > 2 for array in arrays):
                raise NotImplementedError("one matrix at a time")
            y = formula(*map(self.matrix, arrays))
            is_matrix = isinstance(y, self.algebra.MatrixBase)
            return np.array(y.tolist(), dtype=object) if is_matrix else y

        return run

    def matrix(self, array: Any) -> Any:
        columns = np.reshape(array, (len(array), -1))
        return self.algebra.Matrix(columns.tolist())

    def slogdet(self, a: Any) -> Any:
        det = self.on_matrices(lambda a: a.det())(a)
        sign = float(np.sign(self.numbers(det)))
        return sign, self.algebra.log(sign * det)

    def solve(self, a: Any, b: Any) -> Any:
        solved = self.on_matrices(lambda a, b: a.LUsolve(b))(a, b)
        return np.reshape(solved, np.shape(b))

    def norm(
        self, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
    ) -> Any:
        if ord not in (None, "fro") and not (ord == 2 and np.ndim(x) == 1):
            raise NotImplementedError(f"norm of order {ord}")
        squares = np.sum(x * x, axis=axis, keepdims=keepdims)
        return elementwise(self.algebra.sqrt)(squares)

    # The operators

    def natively(
        self, f: Function, x: Any, differentiate: Callable[[Any, Any], Any]
    ) -> Any:
        """Differentiate the formula of f in the symbols of x, and put x in."""
        base = base_of(x)
        if isinstance(base, Lifted) and base.library is self:
            base = base.value
        if isinstance(base, Lifted) or np.iscomplexobj(base):
            raise InputError(
                f"{self.name} puts real numbers into its formulas, and cannot put in "
                f"values of {x.method}; nest the two the other way round, or use one "
                "method for both"
            )
        base = np.asarray(base, dtype=object)
        symbols = np.empty(base.shape, dtype=object)
        for index in np.ndindex(base.shape):
            symbols[index] = self.symbol("x")
        own = dict(zip(symbols.flat, base.flat, strict=True))
        self.point.update({s: self.numbers(item) for s, item in own.items()})
        try:
            leaves, rebuild = flatten(self.call(f, x, symbols[()]))
            formulas = [np.asarray(self.lower(leaf), dtype=object) for leaf in leaves]
            slopes = [differentiate(y, symbols) for y in formulas]
            return rebuild([self.at_point(slope, own) for slope in slopes])
        finally:
            for symbol in own:
                del self.point[symbol]

    def at_point(self, slopes: Any, own: dict[Any, Any]) -> Any:
        """Numbers; or formulas still, inside an outer derivative by formulas."""
        free = set().union(*(slope.free_symbols for slope in np.ravel(slopes)))
        outer = free - own.keys() or any(
            isinstance(item, self.algebra.Basic) for item in own.values()
        )
        if outer:
            return Lifted(elementwise(lambda slope: slope.subs(own))(slopes), self)
        return self.evaluate(slopes)

    def slope(self, expression: Any, symbol: Any, order: int = 1) -> Any:
        expression = self.algebra.sympify(expression)
        for _ in range(order):
            expression = expression.diff(symbol)
        return expression

    def derivative(self, f: Function, x: Any, order: int) -> Any:
        """The formula differentiated `order` times; an item of an array has its own."""
        if np.ndim(x):
            shape = np.shape(x)
            items = [self.derivative(f, x[index], order) for index in np.ndindex(shape)]
            if items and np.shape(items[0]) == shape:  # an array in the closure of f
                items = [
                    y[index] for y, index in zip(items, np.ndindex(shape), strict=True)
                ]
            if not items:
                return np.zeros(shape)
            return np.reshape(np.stack(items), shape + np.shape(items[0]))
        return self.natively(
            f, x, lambda y, s: elementwise(lambda e: self.slope(e, s.item(), order))(y)
        )

    def jacobian(self, f: Function, x: Any) -> Any:
        """Every formula by every symbol."""

        def by_each(formulas: Any, symbols: Any) -> Any:
            pairs = np.ix_(np.ravel(formulas), np.ravel(symbols))
            table = elementwise(self.slope, 2)(*pairs)
            return np.reshape(table, formulas.shape + symbols.shape)

        return self.natively(f, x, by_each)

    def hessian(self, f: Function, x: Any) -> Any:
        """The formula by every pair of symbols."""

        def by_pairs(formula: Any, symbols: Any) -> Any:
            if formula.shape:
                raise no_hessian(formula.shape)
            first = elementwise(lambda s: self.slope(formula.item(), s))
            pairs = np.ix_(first(np.ravel(symbols)), np.ravel(symbols))
            table = elementwise(self.slope, 2)(*pairs)
            return np.reshape(table, symbols.shape + symbols.shape)

        return self.natively(f, x, by_pairs)


def total(x: Any, axis: Any = None, where: Any = True, **kwargs: Any) -> Any:
    return np.sum(np.where(where, x, 0), axis=axis, **kwargs)
