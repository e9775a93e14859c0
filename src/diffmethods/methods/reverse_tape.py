"""Reverse mode: record the evaluation on a tape, then read it backwards."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.buffers import arithmetic_for
from diffmethods.cotangents import SparseRows
from diffmethods.errors import ShapeError
from diffmethods.fast_tape import FastNode
from diffmethods.method import Method
from diffmethods.methods import dual_numbers
from diffmethods.operators import check_weight, is_complex
from diffmethods.pullbacks import MOVES, PULLBACKS, REWRITES
from diffmethods.tape import Node, Sweep, Tape
from diffmethods.traced import Traced, outcome, parts

Function = Callable[..., Any]
FEW = 64  # items that Python adds in less time than NumPy is told not to warn
AT_ONCE = 2**22  # items of the argument times rows that one sweep carries


def recorded(f: Function, x: Any) -> tuple[Any, Tape]:
    """Evaluate f on a new tape, whose first entry is x."""
    tape = Tape(FastNode, arithmetic_for(x))
    y = f(tape.record(x))
    if y.__class__ is not FastNode:
        y = outcome(y)
    if tape.watched:
        tape.check_watched()
    return y, tape


def swept(f: Function, x: Any, pull: Callable[[Any, Tape, bool], Any]) -> Any:
    """Record f and pull back; again with care if a NaN arrived.

    A weight of 0 times an infinite slope is NaN, as behind a branch that ``np.where``
    did not take.  The careful sweep lets the 0 win, and costs more.
    """
    result = pull(*recorded(f, x), False)
    return pull(*recorded(f, x), True) if has_nan(result) else result


def has_nan(x: Any) -> bool:
    """Whether a part of an array or of a stand-in is NaN."""
    if x.__class__ is np.ndarray:
        flat = x.ravel()
        if flat.size <= FEW and x.dtype.kind == "f":
            total = sum(flat.tolist())  # an infinity less another is NaN, too: no harm
            return bool(total != total)
        with np.errstate(over="ignore"):
            square = flat.dot(flat)  # one pass, without a temporary array
        return bool(square != square)
    if isinstance(x, Traced):
        return any(map(has_nan, parts(x) if x.parts else [x.value]))
    return isinstance(x, np.generic) and bool(np.isnan(x))


def shape_of(y: Any) -> tuple[int, ...]:
    """The shape, without a question to NumPy for a stand-in."""
    return y.shape if isinstance(y, Traced) else np.shape(y)


def on(y: Any, tape: Tape) -> bool:
    """Whether a result depends on what the tape began with."""
    return isinstance(y, Node) and y.tape is tape


def arrived(sweep: Sweep, y: Any, w: Any, x: Any) -> Any:
    """Sweep from y back to x; the weight there, in the shape of x."""
    dx = sweep.back(y.index, w)[0]
    shape = shape_of(x)
    if dx.__class__ is np.ndarray and dx.shape == shape:
        return dx if dx.flags.writeable else dx.copy()
    if isinstance(dx, Traced) and dx.shape == shape:
        return dx
    return np.zeros(shape)[()] + (0.0 if dx is None else dx)


def vjp(f: Function, x: Any, w: Any) -> Any:
    """Start with w at the end of the tape, and read what arrives at x.

    That is the slope of ``Re(w f)``: all there is to know where f is holomorphic, while
    a complex f of a real x takes one more sweep for the imaginary part.
    """

    def pull(y: Any, tape: Tape, careful: bool) -> Any:
        check_weight(w, shape_of(y))
        if not on(y, tape):
            return np.zeros(shape_of(x))[()]
        if y.dtype.kind != "c":
            real = np.real(w) if is_complex(w) else w
            return arrived(Sweep(tape, careful=careful), y, real, x)
        if is_complex(x):
            return arrived(Sweep(tape, careful=careful), y, w, x)
        turned = Sweep(tape, careful=careful).back(y.index, -1j * w, keep=True)[0]
        real = arrived(Sweep(tape, careful=careful), y, w + 0j, x)
        return real + 1j * (0.0 if turned is None else turned)

    return swept(f, x, pull)


def value_and_gradient(f: Function, x: Any) -> tuple[Any, Any]:
    """One evaluation gives both."""
    y, tape = recorded(f, x)
    if not (y.__class__ is FastNode and y.tape is tape and y.value.shape == ()):
        if shape_of(y):
            raise ShapeError(
                "gradient needs a function with a scalar result, and f(x) has shape "
                f"{shape_of(y)}; use jacobian, or derivative where f is elementwise"
            )
        return y.value if on(y, tape) else y, vjp(f, x, 1.0)
    slope = arrived(Sweep(tape), y, 1.0, x)
    if has_nan(slope):
        again, tape = recorded(f, x)
        slope = arrived(Sweep(tape, careful=True), again, 1.0, x)
    return y.value, slope


def gradient(f: Function, x: Any) -> Any:
    """One sweep, however many variables there are."""
    return value_and_gradient(f, x)[1]


def jacobian(f: Function, x: Any) -> Any:
    """All rows in one sweep, each sparse for as long as it can be."""

    def pull(y: Any, tape: Tape, careful: bool) -> Any:
        shape, of_x = shape_of(y), shape_of(x)
        if not on(y, tape) or 0 in shape + of_x:
            return np.zeros(shape + of_x)
        if isinstance(y.value, Traced):
            return row_by_row(f, x, shape)
        turns = (1.0, -1j) if is_complex(y) and not is_complex(x) else (1.0,)
        parts = [rows(y, of_x, tape, careful, turn, turns[-1]) for turn in turns]
        whole = parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]
        return whole if len(shape) == 1 else whole.reshape(shape + of_x)

    return swept(f, x, pull)


def rows(
    y: Any,
    of_x: tuple[int, ...],
    tape: Tape,
    careful: bool,
    turn: complex,
    last: complex,
) -> Any:
    """The rows of the Jacobian, as many at once as memory may hold."""
    size, at_once = math.prod(y.shape), max(1, AT_ONCE // math.prod(of_x))
    blocks = []
    for start in range(0, size, at_once):
        stop = min(start + at_once, size)
        w: Any = SparseRows.unit(start, stop, y.shape)
        if turn != 1.0:
            w = w * turn
        sweep = Sweep(tape, rows=w.count, careful=careful)
        keep = stop < size or turn != last
        dx = sweep.back(y.index, w.dense() if careful else w, keep=keep)[0]
        if isinstance(dx, SparseRows):
            dx = dx.dense()
        blocks.append(np.zeros((w.count, *of_x)) if dx is None else dx)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def vjps(f: Function, x: Any, ws: Any) -> Any:
    """Many weights in one sweep."""

    def pull(y: Any, tape: Tape, careful: bool) -> Any:
        check_weight(ws[0], shape_of(y))
        if not on(y, tape):
            return np.zeros((len(ws), *shape_of(x)))
        if isinstance(y.value, Traced) or y.dtype.kind == "c":
            return np.stack([vjp(f, x, w) for w in ws])
        dx = Sweep(tape, rows=len(ws), careful=careful).back(y.index, ws)[0]
        if isinstance(dx, SparseRows):
            dx = dx.dense()
        return np.zeros((len(ws), *shape_of(x))) if dx is None else dx

    return swept(f, x, pull)


def hvps(f: Function, x: Any, vs: Any) -> Any:
    """Reverse over reverse: the Hessian is its own transpose."""
    return vjps(lambda z: gradient(f, z), x, vs)


def row_by_row(f: Function, x: Any, shape: tuple[int, ...]) -> Any:
    """The same inside another derivative."""
    units = np.eye(math.prod(shape)).reshape((-1, *shape))
    found = [vjp(f, x, unit if shape else 1.0) for unit in units]
    return np.reshape(np.stack(found), shape + shape_of(x))


def jvp(f: Function, x: Any, v: Any) -> Any:
    """Differentiate the sweep by its weight, in which it is linear."""
    y = recorded(f, x)[0]
    kind = complex if is_complex(x) and is_complex(y) else float
    dy = vjp(lambda w: vjp(f, x, w), np.zeros(shape_of(y), kind)[()], v)
    return np.real(dy) if is_complex(x) and kind is float else dy


def hvp(f: Function, x: Any, v: Any) -> Any:
    """Forward over reverse: the slope of the gradient along v."""
    return dual_numbers.jvp(lambda z: gradient(f, z), x, v)


def hessian(f: Function, x: Any) -> Any:
    """Reverse over reverse: the gradient's own tape, read for all rows at once."""
    return jacobian(lambda z: gradient(f, z), x)


def derivative(f: Function, x: Any, order: int) -> Any:
    """One sweep with all weights 1 is the derivative of an elementwise function."""
    if order > 1:
        return derivative(lambda z: derivative(f, z, order - 1), x, 1)

    def pull(y: Any, tape: Tape, careful: bool) -> Any:
        if shape_of(y) != shape_of(x):
            if not shape_of(x):
                return jacobian(f, x)
            raise ShapeError(
                "derivative works elementwise, and f of an array of shape "
                f"{shape_of(x)} gave shape {shape_of(y)}; for a function of several "
                "variables use gradient or jacobian"
            )
        if not on(y, tape):
            return np.zeros(shape_of(x))[()]
        if y.dtype.kind == "c" and not is_complex(x):
            return vjp(f, x, np.ones(shape_of(y)))
        return arrived(Sweep(tape, careful=careful), y, 1.0, x)

    return swept(f, x, pull)


def handles(function: Function) -> bool:
    """Whether there is a rule for a function."""
    own = any(function in table for table in (MOVES, PULLBACKS, REWRITES))
    shared = rules.known(function) and function not in rules.LINEAR
    return own or (shared and function not in rules.MULTILINEAR)


METHOD = Method(
    title="Reverse mode on a tape",
    family="reverse",
    summary="Record every operation, then read the tape backwards.",
    exact=True,
    rtol=1e-14,
    jvp=jvp,
    vjp=vjp,
    derivative=derivative,
    gradient=gradient,
    jacobian=jacobian,
    hessian=hessian,
    hvp=hvp,
    value_and_gradient=value_and_gradient,
    vjps=vjps,
    hvps=hvps,
    complex_points=True,
    handles=handles,
    references=("griewank2008", "baydin2018"),
)
