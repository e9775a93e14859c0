"""Expressions of a program as NumPy source: a step is a call, an operator or a name."""

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.errors import MissingRuleError
from diffmethods.steps import Constant, Step, filled, part, spread
from diffmethods.traced import qualified_name

ATOM, POWER, SIGN, PRODUCT, SUM, BITS, COMPARISON = 9, 7, 6, 5, 4, 3, 1

# How tightly an operator binds, and whether its right operand may bind no tighter.
BINARY: dict[Any, tuple[str, int]] = {
    np.add: ("+", SUM),
    np.subtract: ("-", SUM),
    np.multiply: ("*", PRODUCT),
    np.divide: ("/", PRODUCT),
    np.floor_divide: ("//", PRODUCT),
    np.remainder: ("%", PRODUCT),
    np.matmul: ("@", PRODUCT),
    np.power: ("**", POWER),
    np.bitwise_and: ("&", BITS),
    np.bitwise_or: ("|", BITS),
    np.greater: (">", COMPARISON),
    np.greater_equal: (">=", COMPARISON),
    np.less: ("<", COMPARISON),
    np.less_equal: ("<=", COMPARISON),
    np.equal: ("==", COMPARISON),
    np.not_equal: ("!=", COMPARISON),
}
UNARY = {np.negative: "-", np.invert: "~"}
HELPERS = {rules.cofactors_by_svd}  # functions whose own source is written down, too
SHORT = 16  # items of an array that is written where it is used

Text = tuple[str, int]  # source, and how tightly its outermost operator binds


def atom(text: Text, least: int) -> str:
    """The source, in parentheses if it binds less tightly than wanted."""
    return text[0] if text[1] >= least else f"({text[0]})"


def literal(x: Any) -> Text:
    """A number, or another plain thing, as Python writes it."""
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x)), ATOM
    if isinstance(x, (int, np.integer)):
        return str(int(x)), ATOM if x >= 0 else SIGN
    if isinstance(x, (float, np.floating)):
        x = float(x)
        if math.isnan(x):
            return "np.nan", ATOM
        words = "np.inf" if math.isinf(x) else repr(abs(x))
        return (f"-{words}", SIGN) if math.copysign(1.0, x) < 0 else (words, ATOM)
    if isinstance(x, (complex, np.complexfloating)):
        x = complex(x)
        if x.real == 0 and math.copysign(1.0, x.real) == math.copysign(1.0, x.imag):
            words, binding = literal(x.imag)
            if words[-1].isdigit():
                return f"{words}j", binding
        elif cmath.isfinite(x) and x.real and repr(x.imag) != "-0.0":
            sign = "-" if x.imag < 0 else "+"
            return f"{literal(x.real)[0]} {sign} {abs(x.imag)!r}j", SUM
        return f"complex({literal(x.real)[0]}, {literal(x.imag)[0]})", ATOM
    if isinstance(x, np.dtype):
        plain = {"b": "bool", "i": "int", "f": "float", "c": "complex"}.get(x.kind)
        return (plain if plain and np.dtype(plain) == x else f"np.{x.name}"), ATOM
    if isinstance(x, type):
        return (f"np.{x.__name__}" if issubclass(x, np.generic) else x.__name__), ATOM
    if x is Ellipsis:
        return "...", ATOM
    if x is not None and not isinstance(x, (str, bytes)):
        raise MissingRuleError(
            f"numpy_source cannot write a {type(x).__name__} down as an argument; bind "
            "it to the function that takes it, by functools.partial"
        )
    return repr(x), ATOM


def array_literal(array: Any) -> str | None:
    """An array of few items, or of a simple pattern, as NumPy makes it; or None."""
    shape = str(array.shape[0]) if array.ndim == 1 else str(array.shape)
    kind = "" if array.dtype == float else f", {literal(array.dtype)[0]}"
    if array.size > 1 and array.dtype.kind in "fiub":
        if not array.any() and not np.signbit(array).any():
            return f"np.zeros({shape}{kind})"
        if (array == 1).all():
            return f"np.ones({shape}{kind})"
        if array.ndim == 2 and np.array_equal(array, np.eye(*array.shape)):
            size = str(len(array)) if len(set(array.shape)) == 1 else shape[1:-1]
            kind = kind and f", dtype={kind[2:]}"
            return f"np.eye({size}{kind})"
        numbers = np.arange(array.size).reshape(array.shape)
        if (
            array.size > 3
            and array.dtype.kind != "b"
            and np.array_equal(array, numbers)
        ):
            counted = (
                f"np.arange({array.size}" + ("" if array.dtype == int else ".0") + ")"
            )
            return counted if array.ndim == 1 else f"{counted}.reshape{shape}"
    if array.size > 4 * SHORT or array.dtype.hasobject:
        return None
    if not array.size:
        return f"np.zeros({shape}{kind})"
    implied = array.dtype in (float, int, bool, complex)
    return f"np.array({nested(array)}{'' if implied else kind})"


def spelled_out(index: Any, axes: int) -> Any:
    """An index without an ellipsis, where that is as short."""
    if not isinstance(index, tuple) or Ellipsis not in index[:1]:
        return index
    rest = index[1:]
    if not all(i is None or isinstance(i, (slice, int)) for i in rest):
        return index
    missing = axes - sum(i is not None for i in rest)
    return index if missing > 1 else (slice(None),) * missing + rest


def nested(array: Any) -> str:
    if array.ndim == 0:
        return literal(array[()])[0]
    return "[" + ", ".join(map(nested, array)) + "]"


class Writer:
    """Writes steps as expressions, given what each step and constant is called.

    Parameters
    ----------
    operand
        Gives the source of a step or a constant.
    foreign
        Gives a name to a function that has no dotted one.
    """

    def __init__(self, operand: Callable[[Any], Text], foreign: Callable[[Any], str]):
        self.operand = operand
        self.foreign = foreign
        self.unnamed: dict[Any, str] = {}  # functions that have no dotted name
        self.modules: set[str] = set()
        self.helpers: set[Any] = set()

    def text(self, x: Any) -> Text:
        """The source of an argument."""
        if isinstance(x, (Step, Constant)):
            return self.operand(x)
        if isinstance(x, slice):
            bounds = ("" if b is None else self.text(b)[0] for b in (x.start, x.stop))
            words = ":".join(bounds)
            return (
                words if x.step is None else f"{words}:{self.text(x.step)[0]}"
            ), ATOM
        if isinstance(x, (tuple, list)):
            items = [self.text(item)[0] for item in x]
            if isinstance(x, list):
                return f"[{', '.join(items)}]", ATOM
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})", ATOM
        return literal(x)

    def index(self, index: Any) -> str:
        """What stands in brackets."""
        if isinstance(index, tuple) and index:
            return ", ".join(self.text(item)[0] for item in index)
        return self.text(index)[0]

    def expression(self, step: Step) -> Text:
        """The source of a step's call."""
        function, args = step.function, step.args
        if function in BINARY and len(args) == 2 and not step.kwargs:
            return self.binary(function, *args)
        if function in UNARY and not step.kwargs:
            return UNARY[function] + atom(self.text(args[0]), SIGN), SIGN
        if function is operator.getitem:
            index = spelled_out(args[1], len(args[0].shape))
            return f"{atom(self.text(args[0]), ATOM)}[{self.index(index)}]", ATOM
        if function is part:
            return f"{atom(self.text(args[0]), ATOM)}[{args[1]}]", ATOM
        if function is np.ndarray.astype:
            return (
                f"{atom(self.text(args[0]), ATOM)}.astype({self.text(args[1])[0]})",
                ATOM,
            )
        if function is np.reshape and len(args) == 2:
            shape = args[1] if isinstance(args[1], (tuple, list)) else (args[1],)
            inside = ", ".join(self.text(n)[0] for n in shape) or "()"
            return f"{atom(self.text(args[0]), ATOM)}.reshape({inside})", ATOM
        if function in (np.transpose, np.matrix_transpose) and len(args) == 1:
            if not step.kwargs and len(step.shape) == 2:
                return f"{atom(self.text(args[0]), ATOM)}.T", ATOM
        return self.called(function, args, step.kwargs), ATOM

    def called(self, function: Any, args: Any, kwargs: Any) -> str:
        if function is rules.applied:  # the function is called as it is
            function, kwargs = kwargs["rule"], dict(kwargs["named"])
        words = [self.text(x)[0] for x in args]
        words += [f"{key}={self.text(x)[0]}" for key, x in kwargs.items()]
        return f"{self.name(function)}({', '.join(words)})"

    def binary(self, function: Any, a: Any, b: Any) -> Text:
        sign, binding = BINARY[function]
        left, right = self.text(a), self.text(b)
        if (
            function is np.add
            and right[0].startswith("-")
            and right[1] in (SIGN, PRODUCT)
        ):
            sign, right = "-", (right[0][1:], max(right[1], PRODUCT))
        tighter = binding + 1
        if function is np.power:
            return f"{atom(left, tighter)} ** {atom(right, SIGN)}", binding
        first = atom(left, tighter if binding == COMPARISON else binding)
        return f"{first} {sign} {atom(right, tighter)}", binding

    def name(self, function: Any) -> str:
        """The dotted name of a function."""
        if function is np.absolute:
            return "np.abs"
        if function is spread:
            return "np.bincount"
        if function is filled:
            return "np.full"
        if function in HELPERS:
            self.helpers.add(function)
            return str(function.__name__)
        if function in self.unnamed:
            return self.unnamed[function]
        words = qualified_name(function)
        if words.startswith("np.") and found(np, words[3:]) is function:
            return words
        if words.startswith("scipy.special."):
            self.modules.add("from scipy import special")
            return words.removeprefix("scipy.")
        return self.unnamed.setdefault(function, self.foreign(function))


def found(home: Any, dotted: str) -> Any:
    try:
        return operator.attrgetter(dotted)(home)
    except AttributeError:
        return None
