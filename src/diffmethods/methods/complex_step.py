"""The complex step: a difference without a subtraction, so without cancellation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.definitions import DEFINITIONS
from diffmethods.errors import InputError, NotDifferentiableError, OptionError
from diffmethods.lifted import Lifted, base_of
from diffmethods.method import Method
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.traced import LEVELS, Traced, outcome, rebuilt

RELATIVE_STEP = (
    1e-40  # nothing is subtracted, so its square may vanish beside any number
)

COMPLEX_UFUNCS = {
    ufunc
    for ufunc in rules.PARTIALS
    if isinstance(ufunc, np.ufunc)
    and any("D->D" in signature for signature in ufunc.types)
}
COMPLEX_UFUNCS |= {
    np.add,
    np.subtract,
    np.multiply,
    np.divide,
    np.power,
    np.float_power,
}
REAL_DOMAIN = {  # elsewhere the complex function has a value, and the real one none
    *(np.divide, np.reciprocal),
    *(np.sqrt, np.power, np.float_power, np.log, np.log2, np.log10, np.log1p),
    *(np.arcsin, np.arccos, np.arccosh, np.arctanh),
}
HOLOMORPHIC = {
    *COMPLEX_UFUNCS,
    *(f for f in rules.LINEAR if "fft" not in f.__module__),
    *(rules.MULTILINEAR - {np.vdot, np.vecdot, np.linalg.vecdot}),
    *(np.prod, np.cumprod, np.linalg.inv, np.linalg.solve, np.linalg.det),
}


class ComplexStep(Traced):
    """A number with a tiny imaginary part, which carries the slope.

    Whatever is analytic is left to NumPy's complex arithmetic.  A choice or a
    comparison looks at the real part alone, as Martins et al. (2003) advise; the rest
    is refused, because ``abs`` and its like would drop the imaginary part without a
    word.
    """

    __slots__ = ("level", "value")
    method = "complex_step"
    parts = ("value",)

    def __init__(self, value: Any, level: int):
        self.value = value
        self.level = level

    def apply(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        if function in rules.CONSTANT:
            return function(*real_parts(args, self.level), **kwargs)
        if function in ON_REAL_PARTS:
            return ON_REAL_PARTS[function](*args, **kwargs)
        if "dtype" in kwargs:
            self._refuse(function)  # a cast to float would drop the slope
        if function not in HOLOMORPHIC:
            return NotImplemented
        refuse_complex(args)
        y = function(*stripped(args, self.level), **kwargs)
        if function in REAL_DOMAIN:
            real = function(*real_parts(args, self.level))
            y = np.where(np.isfinite(real), y, real + complex(0.0, np.nan))
        return wrapped(y, self.level)

    def __bool__(self) -> bool:
        return bool(np.real(self.value))

    @property
    def dtype(self) -> Any:
        return np.dtype(float)  # what it stands in for is real


def refuse_complex(tree: Any) -> None:
    """The imaginary part is taken: f's own would be mistaken for the slope."""
    if isinstance(tree, (tuple, list)):
        for branch in tree:
            refuse_complex(branch)
    elif not isinstance(tree, Traced) and np.iscomplexobj(tree):
        raise NotDifferentiableError(
            "f computes with complex numbers, and complex_step keeps the slope in the "
            "imaginary part; use dual_numbers"
        )


def where(condition: Any, a: Any, b: Any) -> Any:
    """Choose items; the condition is real."""
    level = max(x.level for x in (condition, a, b) if isinstance(x, ComplexStep))
    condition = real_parts((condition,), level)[0]
    return wrapped(np.where(condition, *stripped((a, b), level)), level)


def extreme(arg: Callable[..., Any]) -> Callable[..., Any]:
    """The item whose real part is extreme."""

    def pick(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if isinstance(axis, tuple):
            return NotImplemented
        if axis is None:
            y = np.ravel(x)[arg(x)]
            return np.reshape(y, (1,) * x.ndim) if keepdims else y
        y = np.take_along_axis(x, arg(x, axis=axis, keepdims=True), axis)
        return y if keepdims else np.squeeze(y, axis)

    return pick


def choice(better: Callable[..., Any]) -> Callable[..., Any]:
    """Half of each at a tie, and otherwise the operand with the better real part."""

    def pick(a: Any, b: Any) -> Any:
        return np.where(np.equal(a, b), 0.5 * (a + b), np.where(better(a, b), a, b))

    return pick


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    one_axis = x.ndim == 1 or isinstance(axis, int)
    if ord not in (None, "fro") and not (ord == 2 and one_axis):
        return NotImplemented
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def by_its_rule(*xs: Any, rule: Any, named: Any) -> Any:
    """The slope from the rule: few black boxes know complex numbers."""
    level = max(x.level for x in xs if isinstance(x, ComplexStep))
    tangents = [
        np.imag(x.value)
        if isinstance(x, ComplexStep) and x.level == level
        else np.zeros(np.shape(x))
        for x in xs
    ]
    y, dy = rule.push(real_parts(xs, level), tangents, named)

    def joined(y: Any, dy: Any) -> Any:
        if isinstance(y, (tuple, list)):
            return rebuilt(y, map(joined, y, dy))
        refuse_complex(y)
        return ComplexStep(y + 1j * dy, level)

    return joined(y, dy)


ON_REAL_PARTS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: where,
    np.absolute: lambda x: np.where(x < 0, -x, np.where(x > 0, x, 0.0)),
    np.fabs: np.absolute,
    np.copysign: lambda a, b: np.absolute(a) * np.where(np.signbit(b), -1.0, 1.0),
    np.maximum: choice(np.greater),
    np.minimum: choice(np.less),
    np.fmax: choice(np.greater),
    np.fmin: choice(np.less),
    np.max: extreme(np.argmax),
    np.min: extreme(np.argmin),
    np.linalg.norm: norm,
    np.real: lambda x: x,
    np.conjugate: lambda x: x,
    np.vdot: lambda a, b: np.dot(np.ravel(a), np.ravel(b)),
    np.hypot: lambda a, b: np.sqrt(a * a + b * b),
    rules.applied: by_its_rule,
}


def real_parts(tree: Any, level: int) -> Any:
    """What a comparison sees of each number."""
    if isinstance(tree, ComplexStep) and tree.level == level:
        return np.real(tree.value)
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [real_parts(branch, level) for branch in tree])
    return tree


def stripped(tree: Any, level: int) -> Any:
    """The complex arrays inside nested arguments."""
    if isinstance(tree, ComplexStep) and tree.level == level:
        return tree.value
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [stripped(branch, level) for branch in tree])
    return tree


def wrapped(tree: Any, level: int) -> Any:
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, [wrapped(branch, level) for branch in tree])
    return ComplexStep(tree, level)


def jvp(f: Callable[..., Any], x: Any, v: Any, step: float | None = None) -> Any:
    """The imaginary part of f(x + i h v), divided by h."""
    if step is not None and not 0 < step <= 1:
        raise OptionError(
            f"step must lie between 0 and 1, not {step!r}; leave it away if unsure"
        )
    if isinstance(base_of(x), Lifted) and base_of(x).library.symbolic:
        raise InputError(
            f"complex_step needs numbers, and x holds formulas of {x.method}; nest the "
            "two the other way round"
        )
    h = step or relative_step(x, v)
    level = next(LEVELS)
    y = outcome(f(ComplexStep(x + 1j * (h * v), level)))
    if not isinstance(y, ComplexStep) or y.level != level:
        return np.zeros(np.shape(y))
    return np.imag(y.value) / h


def derivative(
    f: Callable[..., Any], x: Any, order: int, step: float | None = None
) -> Any:
    """Each item has a step of its own size."""
    ones = np.ones(np.shape(x)) if np.ndim(x) else 1.0
    if step is not None:
        return jvp(f, x, ones, step)
    size = np.absolute(base_of(x))
    h = RELATIVE_STEP * np.where(size > 1e-200, size, 1e-40)
    moved = jvp(f, x, h, 1.0)
    if np.ndim(x) and np.shape(moved) != np.shape(x):
        check_elementwise(f, x, moved)
    return moved / h


def relative_step(x: Any, v: Any) -> float:
    """Small beside every item that moves."""
    sizes, moves = np.absolute(base_of(x)), np.absolute(base_of(v))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.ravel(sizes / moves)
    ratios = ratios[np.isfinite(ratios) & (ratios > 1e-200)]
    return RELATIVE_STEP * float(min(ratios, default=1.0))


METHOD = Method(
    title="Complex step",
    family="numerical",
    summary="A difference without a subtraction, so without cancellation.",
    exact=True,
    rtol=1e-14,
    max_order=1,
    jvp=jvp,
    derivative=derivative,
    options={
        "step": "length h of the imaginary step; by default 1e-40 times the size of x"
    },
    handles=lambda f: f in HOLOMORPHIC or f in ON_REAL_PARTS or f in DEFINITIONS,
    references=("lyness1967", "squire1998", "martins2003"),
)
