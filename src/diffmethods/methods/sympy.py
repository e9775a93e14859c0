"""SymPy: write the function down as a formula, then apply the rules of calculus."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from diffmethods.errors import NotDifferentiableError
from diffmethods.formulas import Formulas, elementwise

Function = Callable[..., Any]
DIGITS = 17  # enough to round to the nearest float64


def rounded(expression: Any, values: dict[Any, float]) -> float:
    """evalf works with more digits as long as some cancel."""
    subs = {symbol: values[symbol] for symbol in expression.free_symbols}
    number = expression.evalf(DIGITS, subs=subs, maxn=1000)
    if number.has(sp.Derivative, sp.Subs, sp.DiracDelta):
        raise NotDifferentiableError(f"SymPy finds no derivative there, only {number}")
    real, imaginary = number.as_real_imag()
    if not real.is_number or abs(imaginary) > 1e-15 * abs(real):
        return float("nan")  # f is not real there
    return float(real)


def bessel(kind: Function, order: int) -> Function:
    return functools.partial(kind, order)


ONE_OPERAND: dict[str, Function] = {
    "absolute": sp.Abs,
    "fabs": sp.Abs,
    "cbrt": lambda x: sp.sign(x) * sp.cbrt(sp.Abs(x)),
    "real": sp.re,
    "imag": sp.im,
    "conjugate": sp.conjugate,
    "sinc": lambda x: sp.sinc(sp.pi * x),
    "scipy.special.gamma": sp.gamma,
    "scipy.special.digamma": sp.digamma,
    "scipy.special.gammaln": sp.loggamma,
    "scipy.special.psi": sp.digamma,
    **{
        f"scipy.special.{letter}{order}": bessel(getattr(sp, f"bessel{letter}"), order)
        for letter in "jyik"
        for order in (0, 1)
    },
}
TWO_OPERANDS: dict[str, Function] = {
    "maximum": sp.Max,
    "fmax": sp.Max,
    "minimum": sp.Min,
    "fmin": sp.Min,
    "copysign": lambda a, b: sp.Abs(a) * sp.sign(b),
    "scipy.special.jv": sp.besselj,
}


def variance(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    spread = x - np.mean(x, axis=axis, keepdims=True)
    sums = np.sum(elementwise(squared_size)(spread), axis=axis, keepdims=keepdims)
    return sums / (np.size(x) / max(np.size(sums), 1) - ddof)


def squared_size(z: Any) -> Any:
    return sp.re(z * sp.conjugate(z)) if sp.sympify(z).has(sp.I) else z * z


FORMULAS = Formulas(
    "sympy",
    sp,
    functools.partial(sp.Dummy, real=True),
    rounded,
    ONE_OPERAND,
    TWO_OPERANDS,
    {"var": variance},
)

METHOD = FORMULAS.method(title="SymPy", references=("meurer2017",))
