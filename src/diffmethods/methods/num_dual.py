"""num-dual: dual numbers of several kinds, made in Rust, one for each item."""

import copy
from collections.abc import Callable
from typing import Any

import num_dual
import numpy as np

from diffmethods import rules
from diffmethods.errors import InputError, MissingRuleError
from diffmethods.lifted import Library, Lifted, base_of, flatten
from diffmethods.method import Method
from diffmethods.operators import contract, not_a_scalar
from diffmethods.traced import qualified_name, rebuilt

Function = Callable[..., Any]

KINDS = num_dual.Dual64, num_dual.Dual2_64, num_dual.Dual3_64  # by order
SLOPES = "first_derivative", "second_derivative", "third_derivative"


def is_dual(z: Any) -> bool:
    return hasattr(type(z), "from_re")


# Functions of one number, dual or not


def by_method(name: str, plain: Function) -> Function:
    """A function that dual numbers have as a method."""
    return lambda z: getattr(z, name)() if is_dual(z) else plain(z)


def value(z: Any) -> Any:
    return z.value if is_dual(z) else z


def absolute(z: Any) -> Any:
    return z * np.sign(value(z))


def sinc(z: Any) -> Any:
    return SPHERICAL(z * np.pi)


def power(a: Any, b: Any) -> Any:
    if is_dual(a):
        if is_dual(b):
            return a.powd(b)
        whole = float(b).is_integer() and abs(b) < 2**31
        return a.powi(int(b)) if whole else a.powf(b)
    if not is_dual(b):
        return np.power(a, b)
    return b * 0.0 if a == 0 and b.value > 0 else (b * np.log(a)).exp()


def arctan2(a: Any, b: Any) -> Any:
    """The arc tangent of a quotient below 1, and the constant that is missing to it."""
    small = abs(value(a)) <= abs(value(b))
    angle = ARCTAN(a / b if small else -b / a)
    return angle + (np.arctan2(value(a), value(b)) - value(angle))


def hypot(a: Any, b: Any) -> Any:
    return root(a * a + b * b)


def root(z: Any) -> Any:
    """The square root, and no slope where it is that of nothing."""
    return z if value(z) == 0 else SQRT(z)


def logaddexp(a: Any, b: Any) -> Any:
    low, high = (a, b) if value(a) < value(b) else (b, a)
    return high + LOG1P(EXP(low - high))


def larger(a: Any, b: Any) -> Any:
    if value(a) == value(b):
        return (a + b) * 0.5
    return a if value(a) > value(b) or value(b) != value(b) else b


def smaller(a: Any, b: Any) -> Any:
    return -larger(-a, -b)


def copysign(a: Any, b: Any) -> Any:
    return absolute(a) * np.copysign(1.0, value(b))


METHODS = {
    name: by_method(name, getattr(np, name))
    for name in """
    sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh
    exp exp2 expm1 log log2 log10 log1p sqrt cbrt
    """.split()
}
ARCTAN, SQRT, EXP, LOG1P = (METHODS[name] for name in "arctan sqrt exp log1p".split())
SPHERICAL = by_method("sph_j0", lambda z: np.sinc(z / np.pi))
ONE_OPERAND: dict[str, Function] = {
    **METHODS,
    "absolute": absolute,
    "fabs": absolute,
    "square": lambda z: z * z,
    "reciprocal": lambda z: 1.0 / z,
    "real": lambda z: z,
    "conjugate": lambda z: z,
    "imag": lambda z: z * 0.0,
    "negative": lambda z: -z,
    "positive": lambda z: z,
    "sinc": sinc,
    **dict.fromkeys(("deg2rad", "radians"), lambda z: z * (np.pi / 180)),
    **dict.fromkeys(("rad2deg", "degrees"), lambda z: z * (180 / np.pi)),
}
TWO_OPERANDS: dict[str, Function] = {
    "power": power,
    "float_power": power,
    "arctan2": arctan2,
    "hypot": hypot,
    "logaddexp": logaddexp,
    "maximum": larger,
    "fmax": larger,
    "minimum": smaller,
    "fmin": smaller,
    "copysign": copysign,
    "remainder": lambda a, b: a - b * np.floor_divide(value(a), value(b)),
    "fmod": lambda a, b: a - b * np.trunc(value(a) / value(b)),
}
ON_OBJECTS: set[Any] = {  # what NumPy itself does with arrays of such numbers
    *(f for f in (*rules.LINEAR, *rules.MULTILINEAR) if "fft" not in f.__module__),
    *(np.add, np.subtract, np.multiply, np.divide, np.prod, np.cumprod),
} - {np.vdot, np.vecdot, np.linalg.vecdot, np.gradient}


# Arrays of such numbers


def numbers(tree: Any) -> Any:
    """The values of dual numbers, alone or in arrays."""
    if isinstance(tree, (list, tuple)):
        return rebuilt(tree, map(numbers, tree))
    if is_dual(tree):
        return tree.value
    if getattr(tree, "dtype", "") == "O":
        return np.asarray(np.frompyfunc(value, 1, 1)(tree), float)
    return tree


def settled(function: Function) -> Function:
    """A function of the values alone."""

    def settle(*args: Any, **kwargs: Any) -> Any:
        return function(*map(numbers, args), **kwargs)

    return settle


def extremum(function: Function) -> Function:
    """The mean of the items that are extreme."""

    def pick(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        values = numbers(x)
        tied = values == function(values, axis=axis, keepdims=True)
        total = np.sum(np.where(tied, x, 0.0), axis=axis, keepdims=keepdims)
        return np.divide(total, np.sum(tied, axis=axis, keepdims=keepdims))

    return pick


def summed(x: Any, axis: Any = None, where: Any = True, **kwargs: Any) -> Any:
    return np.sum(np.where(where, x, 0.0), axis=axis, **kwargs)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord not in (None, "fro") and not (ord == 2 and np.ndim(x) == 1):
        raise NotImplementedError(f"norm of order {ord}")
    squares = np.sum(x * x, axis=axis, keepdims=keepdims)
    return np.frompyfunc(root, 1, 1)(squares)


def eliminated(a: Any, b: Any) -> tuple[Any, Any, float]:
    """Gauss: a as a triangle, b with it, and the sign of the exchanges of rows."""
    if np.ndim(a) != 2 or np.ndim(b) > 2:
        raise NotImplementedError("one matrix at a time")
    a, b, sign = np.array(a, dtype=object), np.array(b, dtype=object), 1.0
    for k in range(len(a)):
        pivot = k + int(np.argmax(np.abs(numbers(a[k:, k]))))
        if value(a[pivot, k]) == 0:
            raise NotImplementedError("the matrix is singular")
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]], sign = a[[pivot, k]], b[[pivot, k]], -sign
        for i in range(k + 1, len(a)):
            factor = a[i, k] / a[k, k]
            a[i, k:] = a[i, k:] - np.multiply(factor, a[k, k:])
            b[i] = b[i] - np.multiply(factor, b[k])
    return a, b, sign


def solve(a: Any, b: Any) -> Any:
    a, b, _ = eliminated(a, b)
    for k in range(len(a))[::-1]:
        for j in range(k + 1, len(a)):
            b[k] = b[k] - np.multiply(a[k, j], b[j])
        b[k] = np.divide(b[k], a[k, k])
    return b


def det(a: Any) -> Any:
    triangle, _, sign = eliminated(a, np.zeros(len(a)))
    return sign * np.prod(np.diag(triangle))


def slogdet(a: Any) -> Any:
    size = det(a)
    sign = float(np.sign(value(size)))
    return sign, METHODS["log"](sign * size)


class Numbers(Library):
    """NumPy's functions on arrays of dual numbers.

    Each derivative has a library of its own, so that no number of another one in
    progress is taken for one of its own.
    """

    def __init__(self) -> None:
        mend = {plain_name(f): f for f in ON_OBJECTS}
        mend |= {name: np.frompyfunc(f, 1, 1) for name, f in ONE_OPERAND.items()}
        mend |= {name: np.frompyfunc(f, 2, 1) for name, f in TWO_OPERANDS.items()}
        mend |= {plain_name(f): settled(f) for f in rules.CONSTANT}
        mend |= {
            "where": lambda c, a, b: np.where(np.asarray(c, bool), a, b),
            "sum": summed,
            "max": extremum(np.max),
            "min": extremum(np.min),
            "linalg.norm": norm,
            "linalg.solve": solve,
            "linalg.inv": lambda a: solve(a, np.eye(len(a))),
            "linalg.det": det,
            "linalg.slogdet": slogdet,
        }
        super().__init__(
            "num_dual",
            {"np": None},
            asarray=lambda x: x,
            mend=mend,
            refusals=(TypeError, NotImplementedError, AttributeError),
        )

    def lift(self, result: Any) -> Any:
        constant = (
            isinstance(result, (np.ndarray, np.generic)) and result.dtype != object
        )
        return result if constant else super().lift(result)

    def operand(self, x: Any) -> Any:
        return x.astype(int) if getattr(x, "dtype", "") == "?" else x


def plain_name(function: Function) -> str:
    return qualified_name(function).removeprefix("np.")


LIBRARY = Numbers()


# The derivatives


def evaluated(f: Function, x: Any, numbers: Any) -> tuple[list[Any], Function]:
    """The parts of f at numbers in place of the innermost values of x."""
    library = copy.copy(LIBRARY)
    leaves, rebuild = flatten(library.call(f, x, numbers))
    return [np.asarray(library.lower(leaf), dtype=object) for leaf in leaves], rebuild


def point(x: Any) -> Any:
    base = base_of(x)
    if isinstance(base, Lifted) or np.iscomplexobj(base):
        raise InputError(
            "num_dual computes with real numbers here, not with values of another "
            "derivative in progress; use hessian, or another method for one of the two"
        )
    return base


def read(name: str, y: Any) -> Any:
    """A slope out of each number; a constant has 0."""
    each = np.frompyfunc(lambda z: getattr(z, name) if is_dual(z) else 0.0, 1, 1)
    return np.asarray(each(y), float)[()]


def jvp(f: Function, x: Any, v: Any) -> Any:
    """A dual number for each item, with v beside the values."""
    base = point(x)
    if not isinstance(v, (float, np.ndarray, np.generic)):
        return contract(jacobian(f, x), v, first=False)
    kind = num_dual.Dual64
    parts, rebuild = evaluated(f, x, np.frompyfunc(kind, 2, 1)(base, v))
    return rebuild([read(SLOPES[0], y) for y in parts])


def derivative(f: Function, x: Any, order: int) -> Any:
    """A number that carries that many derivatives for each item."""
    base = base_of(x)
    if isinstance(base, Lifted) and isinstance(base.library, Numbers):
        return promoted(f, x, base, order)
    parts, rebuild = evaluated(f, x, seeds(KINDS[order - 1], point(x)))
    return rebuild([read(SLOPES[order - 1], y) for y in parts])


def seeds(kind: Any, base: Any) -> Any:
    others = [1.0, *[0.0] * KINDS.index(kind)]
    return np.frompyfunc(lambda z: kind(z, *others), 1, 1)(base)


def promoted(f: Function, x: Any, base: Any, order: int) -> Any:
    """A derivative at dual numbers, which takes those of higher order.

    Where z carries derivatives of an outer variable, those of f'(z) are made of f'(z),
    f''(z) and so on by the chain rule.
    """
    kinds = {type(z) for z in np.ravel(base.value)}
    outer = KINDS.index(kinds.pop()) + 1 if len(kinds) == 1 and kinds <= {*KINDS} else 3
    if order + outer > len(KINDS):
        raise MissingRuleError(
            "num_dual has numbers for derivatives to order 3 of one variable; for "
            "more, or for several variables in turn, use another method for one of "
            "the two"
        )
    kind = KINDS[order + outer - 1]
    parts, rebuild = evaluated(f, x, seeds(kind, numbers(base.value)))

    def composed(y: Any) -> Any:
        slopes = [read(name, y) for name in SLOPES[order - 1 :][: outer + 1]]
        return Lifted(
            np.frompyfunc(chained, outer + 2, 1)(base.value, *slopes), base.library
        )

    return rebuild(list(map(composed, parts)))


def chained(z: Any, y: float, first: float, second: float | None = None) -> Any:
    slope = first * z.first_derivative
    if second is None:
        return type(z)(y, slope)
    bend = second * z.first_derivative**2 + first * z.second_derivative
    return type(z)(y, slope, bend)


def driven(
    driver: Function, f: Function, x: Any
) -> tuple[list[Any], list[Any], Function]:
    """What a driver of num-dual makes of all items that f gives, and their shapes."""
    base = point(x)
    shapes: list[Any] = []
    rebuild: Function = list

    def items(variables: list[Any]) -> list[Any]:
        nonlocal rebuild
        array = np.empty(len(variables), dtype=object)
        array[:] = variables
        parts, rebuild = evaluated(f, x, array.reshape(np.shape(base))[()])
        shapes.extend(map(np.shape, parts))
        kind = type(variables[0])
        flat = [z for y in parts for z in np.ravel(y)]
        return [z if is_dual(z) else kind.from_re(z) for z in flat]

    return driver(items, np.ravel(base).tolist()), shapes, rebuild


def jacobian(f: Function, x: Any) -> Any:
    """Numbers that carry the slopes by all variables."""
    if not np.size(point(x)):
        return np.zeros(np.shape(f(x)) + np.shape(x))
    rows, shapes, rebuild = driven(by_rows, f, x)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    found = np.split(np.reshape(rows, (-1, *np.shape(point(x)))), ends[:-1])
    return rebuild(
        [
            np.reshape(y, s + np.shape(point(x)))
            for y, s in zip(found, shapes, strict=True)
        ]
    )


def by_rows(f: Function, x: list[float]) -> Any:
    return num_dual.jacobian(f, x)[1]


def gradient(f: Function, x: Any) -> Any:
    """A number that carries the slopes by all variables."""
    return scalar_only(num_dual.gradient, f, x, 1)


def hessian(f: Function, x: Any) -> Any:
    """A number that carries the second slopes by all pairs of variables."""
    return scalar_only(num_dual.hessian, f, x, 2)


def scalar_only(driver: Function, f: Function, x: Any, order: int) -> Any:
    shape = np.shape(point(x)) * order
    if not np.size(point(x)):
        return np.zeros(shape)
    found: list[Any] = []

    def each(items: Function, variables: list[float]) -> Any:
        count = 1
        while len(found) < count:

            def item(z: Any) -> Any:
                nonlocal count
                results = items(z)
                count = len(results)
                return results[len(found)]

            found.append(driver(item, variables)[-1])
        return found

    _, shapes, rebuild = driven(each, f, x)
    if shapes[0]:
        raise not_a_scalar(shapes[0])
    return rebuild([np.reshape(y, shape) for y in found])


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian times v."""
    return contract(hessian(f, x), v, first=False)


METHOD = Method(
    title="num-dual",
    family="forward",
    summary="Dual numbers of several kinds, made in Rust, one for each item.",
    exact=True,
    rtol=1e-13,
    max_order=3,
    jvp=jvp,
    derivative=derivative,
    gradient=gradient,
    jacobian=jacobian,
    hessian=hessian,
    hvp=hvp,
    handles=LIBRARY.knows,
    references=("rehner2021",),
)
