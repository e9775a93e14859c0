"""The rules on plain numbers: the same formulas, with NumPy's names bound to `math`.

A call of ``np.exp`` on one number costs twenty times as much as ``math.exp``.  So every
formula of `diffmethods.rules` exists a second time, made from the first by giving its
code another ``np``.  Where `math` has no such function, or raises where NumPy would
warn, the caller takes NumPy's way instead.
"""

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules

Function = Callable[..., Any]


def sign(x: float) -> float:
    return float((x > 0) - (x < 0))


MATH = types.ModuleType("math_by_numpys_names")  # Python looks names up fastest there
vars(MATH).update(
    pi=math.pi,
    inf=math.inf,
    nan=math.nan,
    **{name: getattr(math, name) for name in "sin cos tan exp expm1 exp2 log".split()},
    **{name: getattr(math, name) for name in "log1p log2 log10 sqrt cbrt".split()},
    **{name: getattr(math, name) for name in "sinh cosh tanh hypot copysign".split()},
    **{name: getattr(math, name) for name in "isfinite isnan trunc".split()},
    **{
        f"arc{name}": getattr(math, f"a{name}")
        for name in "sin cos tan sinh cosh".split()
    },
    arctanh=math.atanh,
    arctan2=math.atan2,
    absolute=abs,
    fabs=abs,
    minimum=min,
    sign=sign,
    floor=lambda x: float(math.floor(x)),
    floor_divide=lambda a, b: a // b,
    where=lambda condition, a, b: a if condition else b,
    square=lambda x: x * x,
    negative=lambda x: -x,
    positive=lambda x: x,
    reciprocal=lambda x: 1.0 / x,
    deg2rad=math.radians,
    radians=math.radians,
    rad2deg=math.degrees,
    degrees=math.degrees,
    ldexp=math.ldexp,
)


def on_numbers(module: types.ModuleType) -> dict[str, Any]:
    """The functions of a module, compiled with `MATH` for their ``np``."""
    namespace = dict(vars(module))

    def rebound(f: Any) -> Any:
        if not isinstance(f, types.FunctionType) or f.__module__ != module.__name__:
            return f
        return types.FunctionType(
            f.__code__, namespace, f.__name__, f.__defaults__, f.__closure__
        )

    for name, item in vars(module).items():
        namespace[name] = rebound(item)
    namespace |= {"np": MATH, "away_from_zero": abs}
    namespace["PARTIALS"] = {
        function: tuple(map(rebound, partials))
        for function, partials in module.PARTIALS.items()
    }
    return namespace


PARTIALS: dict[Function, tuple[Function, ...]] = on_numbers(rules)["PARTIALS"]

# One operand: the function and its slope, on floats; smooth wherever they are finite.
UNARY: dict[Any, tuple[Function, Function]] = {
    ufunc: (getattr(MATH, ufunc.__name__), partials[0])
    for ufunc, partials in PARTIALS.items()
    if len(partials) == 1
    and isinstance(ufunc, np.ufunc)
    and hasattr(MATH, ufunc.__name__)
    and ufunc is not np.fabs
}
