"""Autograd: NumPy wrapped, each function with a rule for the way back."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import autograd.numpy as anp
import autograd.scipy.special
import numpy as np
from autograd.core import JVPNode, VJPNode, backward_pass, primitive_vjps
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval, isbox, new_box, notrace_primitives, trace_stack

from diffmethods.errors import InputError, MissingRuleError
from diffmethods.lifted import (
    Library,
    Lifted,
    Native,
    base_of,
    running_products,
    value_of,
)
from diffmethods.method import Method
from diffmethods.pullbacks import MOVES
from diffmethods.transformations import composed, nesting, operators, pulling, sloping

Function = Callable[..., Any]

# Autograd counts its traces in one place for all threads; two that count at once could
# take each other's numbers for their own.
TRACING = threading.RLock()
OURS: set[int] = set()  # the traces in progress that are not of its own `grad`


class Wrapped(Library):
    """Autograd's functions that have a rule; NumPy's own Python does the rest."""

    def __missing__(self, name: str) -> Function:
        function = super().__missing__(name)
        ruled = function in primitive_vjps or function in notrace_primitives[VJPNode]
        if hasattr(function, "_is_autograd_primitive") and not ruled:
            del self[name]
            raise KeyError(name)
        self[name] = checked = refusing_named_boxes(function)
        return checked

    def lower(self, tree: Any) -> Any:
        """A box that is not in our wrapping comes from Autograd's own `grad` in f."""
        if isbox(tree):
            raise AttributeError(
                "f is code of Autograd, and gets its boxes as they are"
            )
        return super().lower(tree)


def refusing_named_boxes(function: Function) -> Function:
    """The function; what it differentiates by, it looks for among unnamed operands."""

    def run(*args: Any, **kwargs: Any) -> Any:
        for name, x in kwargs.items():
            if isbox(x):
                raise NotImplementedError(f"it takes {name} for a constant")
        return function(*args, **kwargs)

    return run


def gather(arrays: list[Any], numbers: Any) -> Any:
    return anp.concatenate([anp.ravel(x) for x in arrays])[numbers]


def prod(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Products of halves; Autograd divides by the items, which may be 0."""
    shape, axes = anp.shape(x), range(anp.ndim(x)) if axis is None else axis
    gone = {k % len(shape) for k in np.atleast_1d(axes)} if shape else set()
    kept = [k for k in range(len(shape)) if k not in gone]
    x = anp.transpose(x, (*gone, *kept))
    x = anp.reshape(x, (-1 if x.size else 0, *(shape[k] for k in kept)))
    while len(x) > 1:
        half = len(x) // 2
        x = anp.concatenate([x[:half] * x[half : 2 * half], x[2 * half :]])
    y = x[0] if len(x) else anp.ones(x.shape[1:])
    return anp.expand_dims(y, tuple(sorted(gone))) if keepdims else y


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norms that have a right slope."""
    if ord is not None and not isinstance(ord, str) and not 1 < ord < np.inf:
        raise NotImplementedError(f"norm of order {ord}")
    if keepdims:
        raise NotImplementedError("keepdims")
    return anp.linalg.norm(x, ord, axis)


def hermitian(a: Any) -> Any:
    """The matrix that one triangle stands for; the other one does not count."""
    lower = anp.tril(a)
    return lower + anp.conj(anp.swapaxes(anp.tril(lower, -1), -1, -2))


def copysign(a: Any, b: Any) -> Any:
    return anp.where(np.signbit(getval(b)), -1.0, 1.0) * anp.abs(a)


def halved(y: Any, w: Any) -> Any:
    """w times the slope of the square root; what weighs nothing may be at 0."""
    return anp.where(w == 0.0, 0.0, 0.5 * w / anp.where(w == 0.0, 1.0, y))


sqrt: Function = primitive(np.sqrt)
defvjp(sqrt, lambda y, x: lambda w: halved(y, w))
defjvp(sqrt, lambda dx, y, x: halved(y, dx))


def sign(x: Any) -> Any:
    """The direction of a complex number turns; Autograd would give it the slope 0."""
    return x / anp.abs(x) if np.iscomplexobj(getval(x)) else anp.sign(x)


def where(condition: Any, *choices: Any) -> Any:
    """Choose; Autograd's rule would hand back an array of the shape of the result."""
    if not choices:
        return anp.where(condition)
    shape = np.broadcast_shapes(*map(anp.shape, (condition, *choices)))
    axes = len(shape)  # its rule for broadcasting adds none
    full = [anp.reshape(y, (1,) * (axes - anp.ndim(y)) + anp.shape(y)) for y in choices]
    return anp.where(condition, *(anp.broadcast_to(y, shape) for y in full))


MEND: dict[str, Function] = {  # what Autograd lacks, or takes differently
    "cbrt": lambda x: anp.sign(x) * anp.abs(x) ** (1 / 3),
    "copysign": copysign,
    "cumprod": running_products(anp),
    "fmod": lambda a, b: a - b * anp.trunc(a / b),
    "heaviside": lambda x, half: np.heaviside(getval(x), half),
    "i0": autograd.scipy.special.i0,
    "linalg.cholesky": lambda a: anp.linalg.cholesky(hermitian(a)),
    "linalg.norm": norm,
    "positive": lambda x: x,
    "prod": prod,
    "sign": sign,
    "sqrt": sqrt,
    "where": where,
}
KEPT = {"getitem", "reshape", "ravel", "swapaxes", "moveaxis", "concatenate", "stack"}
APART = [
    *({function.__name__ for function in MOVES} - KEPT),
    *"amax amin clip cross diff einsum full_like gradient interp linspace".split(),
    *"broadcast_to mean pad sort std trace var".split(),
]
LIBRARY = Wrapped(
    "autograd",
    {"np": anp, "scipy.special": autograd.scipy.special},
    asarray=lambda x: x,
    mend=MEND,
    apart=APART,
    gather=gather,
    settled=lambda y: None if isbox(y) else y,
    real_parts=lambda y, base: (
        [anp.real(y), anp.imag(y)] if np.iscomplexobj(getval(y)) else [y]
    ),
    refusals=(TypeError, NotImplementedError, ValueError, AssertionError),
)


def natively(
    transform: Function, f: Function, x: Any, *vectors: Any, **order: int
) -> Any:
    """Apply a transformation by Autograd to f at x, and hand the arrays back."""
    native = Native(LIBRARY, f, x)
    # Some of its rules ask a weight for its shape, which a float has not.
    given = (np.float64(a) if type(a) is float else a for a in (base_of(x), *vectors))
    base, *others = map(LIBRARY.lower, given)
    if np.iscomplexobj(getval(base)):
        raise InputError("autograd takes real points here, not complex ones")
    with TRACING:
        outside = trace_stack.top
        try:
            found = transform(native, base, *others, **order)
        except NotImplementedError as error:
            if isinstance(error, MissingRuleError):
                raise
            raise MissingRuleError(f"autograd has no rule: {error}") from error
        finally:
            trace_stack.top = outside  # an error would leave it elsewhere
        return native.joined(map(handed_back, found))


def handed_back(y: Any) -> Any:
    """An array; or a box of an outer derivative, in our wrapping."""
    if not isbox(y):
        return y
    if y._trace not in OURS:
        raise InputError(
            "diffmethods cannot work inside a function that autograd.grad itself "
            "differentiates; take the outer derivative by diffmethods, too"
        )
    return Lifted(y, LIBRARY)


def traced(native: Function, base: Any, root: Any) -> tuple[list[Any], list[Any]]:
    """The values of f, and the nodes that made them; None where there is none.

    `autograd.tracer.trace` does this for one value, and warns of a constant.
    """
    with trace_stack.new_trace() as trace:
        OURS.add(trace)
        try:
            ends = native(new_box(base, trace, root))
        finally:
            OURS.discard(trace)
    own = [isbox(end) and end._trace == trace for end in ends]
    pairs = list(zip(ends, own, strict=True))
    values = [end._value if mine else end for end, mine in pairs]
    return values, [end._node if mine else None for end, mine in pairs]


# The transformations: from f as Autograd's function, and points, to lists of arrays.


def ones_like(x: Any) -> Any:
    return np.ones(np.shape(x))[()]


def pushed(native: Function, base: Any, v: Any) -> Any:
    values, nodes = traced(native, base, JVPNode.new_root(v))
    return [
        anp.zeros(anp.shape(y)) if node is None else node.g
        for y, node in zip(values, nodes, strict=True)
    ]


def recorded(native: Function, base: Any) -> tuple[list[Any], list[Function]]:
    """The values, and what pulls a weight of each one back."""
    values, nodes = traced(native, base, VJPNode.new_root())
    none = anp.zeros(anp.shape(base))[()]

    def pull(node: Any, w: Any) -> Any:
        return none if node is None else backward_pass(w, node)

    return values, [partial(pull, node) for node in nodes]


def rows(native: Function, base: Any) -> Any:
    """The weights of one item of the result at a time, back to the point."""
    values, pulls = recorded(native, base)
    shape = anp.shape(base)

    def jacobian(y: Any, pull: Function) -> Any:
        size = int(np.prod(anp.shape(y)))
        basis = np.eye(size).reshape((size, *anp.shape(y)))
        found = [pull(w[()]) for w in basis] or [np.zeros((0, *shape))]
        return anp.reshape(anp.stack(found), anp.shape(y) + shape)

    return list(map(jacobian, values, pulls))


pulled, sloped = pulling(recorded), sloping(recorded, ones_like)

METHOD = Method(
    title="Autograd",
    family="reverse",
    summary="Wrap NumPy, and walk back through what the program called.",
    exact=True,
    rtol=1e-13,
    max_order=5,  # from there on the rule of tanh, 1 / cosh(x)**2, overflows
    **operators(
        natively,
        jvp=pushed,
        vjp=pulled,
        derivative=nesting(pushed, ones_like),
        jacobian=rows,
        hessian=composed(rows, sloped),
        hvp=composed(pulled, sloped),  # the Hessian is symmetric
    ),
    value=partial(value_of, natively),
    handles=LIBRARY.knows,
    references=("maclaurin2015",),
)
