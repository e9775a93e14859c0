"""SymEngine: SymPy's formulas in C++, with more digits as long as some cancel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import symengine as se

from diffmethods.errors import InputError, NotDifferentiableError
from diffmethods.formulas import Formulas

Function = Callable[..., Any]
BITS = (113, 500, 2000, 8000)


def rounded(expression: Any, values: dict[Any, float]) -> float:
    """The value with more bits each time, until two times in a row round alike.

    Zero is believed of an exact zero alone, or in the end: ``1 - tanh(x)**2`` is zero
    until there are more bits than cancel.
    """
    last = np.nan
    for bits in BITS:
        exact, number = valued(expression, values, bits)
        if exact or (number and number == last) or number != number:
            return number
        last = number
    return last


def valued(expression: Any, values: dict[Any, float], bits: int) -> tuple[bool, float]:
    """The value with so many bits inside, and whether it is an exact number."""
    subs = {s: precise(values[s], bits) for s in expression.free_symbols}
    try:
        number = expression.subs(subs)
        if isinstance(number, se.Rational):
            return True, float(number)
        try:
            return False, float(number.n(bits, real=True))
        except RuntimeError:
            number = number.n(bits)
        real, imaginary = float(number.real_part()), float(number.imaginary_part())
    except (RuntimeError, AttributeError) as error:  # it says no more
        raise NotDifferentiableError(
            f"SymEngine has no number for {expression} there; sympy may have one"
        ) from error
    return False, real if abs(imaginary) <= 1e-15 * abs(real) else np.nan


def precise(x: float, bits: int) -> Any:
    """A float with more bits; an exact fraction would grow without bound in powers."""
    if not np.isfinite(x):
        return se.sympify(x)
    above, below = float(x).as_integer_ratio()
    return (se.Integer(above) / se.Integer(below)).n(bits, real=True)


# To SymEngine every symbol may be complex, so that it leaves the slopes of abs, max and
# min open. Which side holds is settled at the point.


def value(x: Any) -> Any:
    return FORMULAS.numbers(x)


def absolute(x: Any) -> Any:
    return x * np.sign(value(x))


def cbrt(x: Any) -> Any:
    sign = np.copysign(1.0, value(x))
    return sign * (sign * x) ** (se.Integer(1) / 3)


def maximum(a: Any, b: Any) -> Any:
    return among(a, b, value(a) - value(b))


def minimum(a: Any, b: Any) -> Any:
    return among(a, b, value(b) - value(a))


def among(a: Any, b: Any, preference: float) -> Any:
    """The one, the other, or in a tie their mean."""
    if preference != preference:
        raise NotDifferentiableError("NaN has no place among numbers")
    return a if preference > 0 else b if preference < 0 else (a + b) / 2


def copysign(a: Any, b: Any) -> Any:
    return absolute(a) * np.copysign(1.0, value(b))


def same(x: Any) -> Any:
    return x


class RealFormulas(Formulas):
    """Formulas without complex numbers, which SymEngine has few functions of."""

    def operand(self, x: Any) -> Any:
        if np.iscomplexobj(x):
            raise InputError(
                "symengine has real formulas here; sympy takes complex intermediates"
            )
        return super().operand(x)

    def call(self, f: Function, x: Any, base: Any) -> Any:
        """SymEngine's own code refuses NumPy's stand-ins by an error of its own."""

        def refusing(z: Any) -> Any:
            try:
                return f(z)
            except se.SympifyError as error:
                raise TypeError(str(error)) from error

        return super().call(refusing, x, base)


FORMULAS = RealFormulas(
    "symengine",
    se,
    se.Dummy,
    rounded,
    {
        "absolute": absolute,
        "fabs": absolute,
        "cbrt": cbrt,
        **dict.fromkeys(("real", "conjugate"), same),
    },
    {
        "maximum": maximum,
        "fmax": maximum,
        "minimum": minimum,
        "fmin": minimum,
        "copysign": copysign,
    },
    {
        "vdot": lambda a, b: np.dot(np.ravel(a), np.ravel(b)),
        "vecdot": lambda a, b, axis=-1: np.sum(a * b, axis=axis),
    },
)

METHOD = FORMULAS.method(title="SymEngine", references=("meurer2017",))
