"""Elementwise functions: read once, then differentiated in strips that fit the cache.

`Items` stands in for an array of which only one thing is said: that all its items are
treated alike.  It takes elementwise calls with numbers for their other operands, and
refuses all else.  So a function that comes through is elementwise, which needs no check
at single items; and the list of its calls can be gone through with a few thousand items
at a time, for all of which the dual numbers stay in the processor's cache.
"""

import dis
import functools
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.traced import LEVELS, Traced

Function = Callable[..., Any]

NUMBERS = frozenset((float, int, np.float64))
MASKS = {np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert}
ITEMS = 16384  # in a strip; few calls for what still fits the second cache
MOST_FACTORS = 8  # a product of more loses more digits than NumPy's power


class NotElementwiseError(Exception):
    """What f does with its argument is not known to be elementwise."""


class Items(Traced):
    """The items of an array, each on its own."""

    __slots__ = ("index", "reading", "varies")
    method = "dual_numbers"

    def __init__(self, index: int, reading: "Reading", varies: bool):
        self.index = index
        self.reading = reading
        self.varies = varies

    level = property(lambda self: self.reading.level)
    value = property(lambda self: self.reading.refuse())
    shape = property(lambda self: self.reading.refuse())

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        if how != "__call__" or kwargs:
            self.reading.refuse()
        return self.reading.call(ufunc, args)

    def __array_function__(
        self, function: Function, types_: Any, args: Any, kwargs: dict[str, Any]
    ) -> Any:
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        if kwargs or (function is np.where and len(args) != 3):
            self.reading.refuse()
        return self.reading.call(function, args)

    def apply(self, function: Function, args: Any, kwargs: dict[str, Any]) -> Any:
        self.reading.refuse()


class Reading:
    """The calls that a function makes, in their order.

    Every result and every number has a place, the argument the first.
    """

    def __init__(self, means_at_kinks: bool = True) -> None:
        self.means_at_kinks = means_at_kinks
        self.level = next(LEVELS)
        self.numbers: list[Any] = [None]  # by place; None for a result
        self.varies = [True]
        self.calls: list[tuple[int, Function, tuple[int, ...]]] = []
        self.refused = False

    def refuse(self) -> NoReturn:
        self.refused = True
        raise NotElementwiseError

    def call(self, function: Function, args: tuple[Any, ...]) -> Items:
        if function is np.power:
            function, args = short_power(*args)
        places = tuple(map(self.place, args))
        varies = False
        if not (function in rules.CONSTANT or function in MASKS):
            if rule_of(function) is None:
                self.refuse()
            varies = any(self.varies[place] for place in places)
        result = self.new(None, varies)
        self.calls.append((result, function, places))
        return Items(result, self, varies)

    def place(self, x: Any) -> int:
        if type(x) is Items and x.reading is self:
            return x.index
        if type(x) not in NUMBERS:
            self.refuse()
        return self.new(x, False)

    def new(self, number: Any, varies: bool) -> int:
        self.numbers.append(number)
        self.varies.append(varies)
        return len(self.numbers) - 1

    def plan(self, last: int) -> list[Any]:
        """What to compute for the slope of the last result, and what then to forget."""
        count = len(self.numbers)
        value, slope, used = ([False] * count for _ in range(3))
        slope[last] = True
        steps = []
        for result, function, places in reversed(self.calls):
            rule: Any = None
            if slope[result]:
                rule, looked_at = rule_of(function) or (None, ())
                if function in KINKED and not self.means_at_kinks:
                    rule = functools.partial(beside_kinks, function, rule)
                for place, seen in zip(places, looked_at, strict=True):
                    if self.varies[place]:
                        slope[place] = True
                        for k in seen:
                            value[places[k - 1] if k else result] = True
            if value[result]:
                for place in places:
                    value[place] = True
            elif not slope[result]:
                continue
            over = [p for p in places if not used[p] and self.numbers[p] is None]
            for place in places:
                used[place] = True
            compute = function if value[result] else None
            steps.append((result, compute, places, rule, over))
        return steps[::-1]


@functools.cache
def whole_power(n: int) -> Function:
    """The nth power as a product, which costs a tenth of NumPy's."""

    def power(x: Any) -> Any:
        y, left = None, n
        while True:
            if left % 2:
                y = x if y is None else y * x
            left //= 2
            if not left:
                return y
            x = x * x

    PARTIALS[power] = (lambda y, x: n * whole_power(n - 1)(x) if n > 1 else 1.0,)
    return power


def short_power(base: Any, exponent: Any) -> tuple[Function, tuple[Any, ...]]:
    """A power of few factors as a product of them."""
    if type(exponent) in NUMBERS and 1 <= exponent <= MOST_FACTORS:
        if exponent == int(exponent):
            return whole_power(int(exponent)), (base,)
    return np.power, (base, exponent)


def slope_of_where(y: Any, xs: list[Any], dxs: list[Any]) -> Any:
    """The slope of what was taken; the other may be infinite."""
    return np.where(xs[0], *(0.0 if dx is None else dx for dx in dxs[1:]))


PARTIALS: dict[Function, tuple[Any, ...]] = {np.absolute: (lambda y, x: np.sign(x),)}
# By function: its slope, called with (y, xs, dxs); and for each operand the places in
# (y, *xs) of what is looked at if that one varies.
Rule = tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]
RULES: dict[Function, Rule] = {np.where: (slope_of_where, ((1,), (1,), (1,)))}


def partials(function: Function, y: Any = None) -> tuple[Any, ...]:
    """The partial derivatives of an elementwise function; none if there is no rule."""
    return PARTIALS.get(function) or rules.partials(function, y) or ()


def rule_of(function: Function) -> Rule | None:
    """How the slope of a function's result is found; None if that is not known."""
    if function not in RULES:
        found = partials(function)
        if not found:
            return None
        slope = functools.partial(chain_rule, found)
        RULES[function] = slope, tuple(map(looked_at, found))
    return RULES[function]


def looked_at(partial: Any) -> tuple[int, ...]:
    """Which of its arguments a function's code names."""
    code, found = partial.__code__, set[Any]()
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        found.update(name if isinstance(name, tuple) else (name,))
    names = code.co_varnames[: code.co_argcount]
    return tuple(k for k, name in enumerate(names) if name in found)


def chain_rule(of: Any, y: Any, xs: list[Any], dxs: list[Any]) -> Any:
    """The slope of a result by its partial derivatives; None is that of a number."""
    total = None
    for partial, dx in zip(of, dxs, strict=True):
        if dx is not None:
            term = product(partial(y, *xs), dx)
            total = term if total is None else total + term
    return total


KINKED = {np.absolute, np.fabs, np.maximum, np.minimum, np.fmax, np.fmin, np.hypot}


def beside_kinks(
    function: Function, rule: Any, y: Any, xs: list[Any], dxs: list[Any]
) -> Any:
    """The slope by a rule where there is one alone: no tie, and no zero."""
    other = 0.0 if len(xs) == 1 else xs[1]
    if np.any(y == 0 if function is np.hypot else xs[0] == other):
        raise FloatingPointError(f"np.{function.__name__} meets a kink")
    return rule(y, xs, dxs)


def product(a: Any, b: Any) -> Any:
    """The product, and no array is multiplied by 1."""
    if type(b) is float and b == 1.0:
        return a
    return b if type(a) is float and a == 1.0 else a * b


def derivative(f: Function, x: Any, means_at_kinks: bool = True) -> Any:
    """The derivative of an elementwise function on an array; None of any other.

    Raises whatever f raises, and `FloatingPointError` where NumPy would warn; and at a
    kink, unless the mean of its two slopes is wanted.
    """
    reading = Reading(means_at_kinks)
    y = f(Items(0, reading, True))
    if reading.refused or type(y) is not Items or not y.varies:
        return None
    dy = np.empty(x.shape)
    # What NumPy would warn of, the long way does, in whatever errstate f sets itself.
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        walk(reading, y.index, x.reshape(-1), dy.reshape(-1))
    return dy


def proven(f: Function) -> bool:
    """Whether a function is known to be elementwise, by one call on a stand-in."""
    reading = Reading()
    try:
        y = f(Items(0, reading, True))
    except Exception:  # not known, whatever went wrong
        return False
    return type(y) is Items and not reading.refused


def walk(reading: Reading, last: int, x: Any, dy: Any) -> None:
    """Carry values and slopes through the calls, strip by strip."""
    plan, numbers = reading.plan(last), reading.numbers
    for start in range(0, x.size, ITEMS):
        strip = slice(start, start + ITEMS)
        values: list[Any] = numbers.copy()
        slopes: list[Any] = [None] * len(numbers)
        values[0], slopes[0] = x[strip], 1.0
        for place, function, places, rule, over in plan:
            xs = [values[p] for p in places]
            if function:
                values[place] = function(*xs)
            if rule:
                dxs = [slopes[p] for p in places]
                slopes[place] = rule(values[place], xs, dxs)
            for p in over:
                values[p] = slopes[p] = None
        dy[strip] = slopes[last]
