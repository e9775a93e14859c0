"""NumPy source: record a function once, and write its derivative down as a program."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.adjoints import pull
from diffmethods.errors import OptionError, ShapeError
from diffmethods.method import Method, suggestion
from diffmethods.methods import dual_numbers
from diffmethods.operators import check_weight, is_complex
from diffmethods.pullbacks import MOVES, PULLBACKS, REWRITES
from diffmethods.recording import LEFT_TO_NUMPY, Recorded, Recording
from diffmethods.rows import RowByRow, every_row
from diffmethods.source import RESERVED, AnotherBranch, Program
from diffmethods.steps import filled
from diffmethods.surroundings import LOCK, MEMORIES, Memory, Surroundings, memory_of
from diffmethods.traced import AT_LEAST, Traced, outcome, rebuilt

Function = Callable[..., Any]

BRANCHES = 32  # programs kept for one function, operation and shape
FLOAT, COMPLEX = np.dtype(float), np.dtype(complex)
PLAIN = (np.ndarray, np.float64, np.complex128)


# What each operation records: from the stand-ins of its arguments to its result.


def record_vjp(recording: Recording, f: Function, x: Any, w: Any) -> Any:
    y = outcome(f(x))
    check_weight(w, np.shape(y))
    if not is_ours(recording, y):
        return np.zeros(np.shape(x))[()]
    return complete_slope(recording, y, x, w)


def record_gradient(recording: Recording, f: Function, x: Any) -> Any:
    return record_value_and_gradient(recording, f, x)[1]


def record_value_and_gradient(recording: Recording, f: Function, x: Any) -> Any:
    y = outcome(f(x))
    if np.shape(y):
        raise ShapeError(
            "gradient needs a function with a scalar result, and f(x) has shape "
            f"{np.shape(y)}; use jacobian, or derivative for an elementwise function"
        )
    if not is_ours(recording, y):
        return y, np.zeros(np.shape(x))[()]
    return y, complete_slope(recording, y, x, 1.0)


def record_jvp(recording: Recording, f: Function, x: Any, v: Any) -> Any:
    return dual_numbers.jvp(f, x, v)


def record_hvp(recording: Recording, f: Function, x: Any, v: Any) -> Any:
    g = record_gradient(recording, f, x)
    if not is_ours(recording, g):
        return np.zeros(np.shape(x))[()]
    return slope(recording, g, x, v if is_complex(g) or not is_complex(v) else v.real)


def record_jacobian(recording: Recording, f: Function, x: Any) -> Any:
    y = outcome(f(x))
    shape, size = np.shape(y), int(np.size(y))
    if not (is_ours(recording, y) and size and x.size):
        return np.zeros(shape + x.shape)[()]
    if size <= x.size:
        w = recording.input(np.ones(shape)[()], "w", slope=True)
        row = record_vjp(recording, f, x, w)
        return rows(recording, w, row, shape + x.shape)
    v = recording.input(np.ones(x.shape)[()], "v", slope=True)
    column = record_jvp(recording, f, x, v)
    return rows(recording, v, column, shape + x.shape, last=True)


def record_hessian(recording: Recording, f: Function, x: Any) -> Any:
    v = recording.input(np.ones(x.shape)[()], "v", slope=True)
    row = record_hvp(recording, f, x, v)
    return rows(recording, v, row, x.shape * 2)


def rows(
    recording: Recording, seed: Any, row: Any, shape: Any, last: bool = False
) -> Any:
    """All rows of a matrix (or columns, the last axis), given one for any seed."""
    found = (
        every_row(recording, seed.step, row, last) if is_ours(recording, row) else None
    )
    if found is None:
        return np.zeros(shape)[()]  # linear in the seed, and without it
    return found if found.shape == shape else np.reshape(found, shape)


def record_derivative(recording: Recording, f: Function, x: Any, order: int) -> Any:
    y = outcome(f(x))
    if not is_ours(recording, y):
        return np.zeros(np.shape(y))[()]
    if (is_complex(y) and not is_complex(x)) or (not x.shape and y.shape):
        for _ in range(order):
            f = forward_derivative(f)
        return f(x)
    if y.shape != x.shape:
        raise ShapeError(
            f"derivative works elementwise, and f of an array of shape {x.shape} gave "
            f"shape {y.shape}; for a function of several variables use gradient or "
            "jacobian"
        )
    for _ in range(order):
        if is_ours(recording, y):
            y = slope(recording, y, x, 1.0)
        else:
            y = np.zeros(x.shape)[()]
    return y


def forward_derivative(f: Function) -> Function:
    return lambda x: dual_numbers.jvp(f, x, np.ones(np.shape(x))[()])


def complete_slope(recording: Recording, y: Any, x: Any, w: Any) -> Any:
    """The same; a complex y of a real x takes a second walk for the imaginary part."""
    if not is_complex(y):
        return slope(recording, y, x, np.real(w) if is_complex(w) else w)
    if is_complex(x):
        return slope(recording, y, x, w)
    return slope(recording, y, x, w) + 1j * slope(recording, y, x, -1j * w)


def slope(recording: Recording, y: Any, x: Any, w: Any) -> Any:
    """The cotangent of x, in its shape."""
    (dx,) = pull(recording, [(y.step, w)], [x.step])
    if np.shape(dx) == x.shape:
        kind = complex if is_complex(x) else float
        return dx if isinstance(dx, Recorded) else np.asarray(dx, kind)[()]
    if isinstance(dx, Recorded):
        return recording.call(filled, (x.shape, dx), {})
    return np.full(x.shape, dx)


def is_ours(recording: Recording, y: Any) -> bool:
    return isinstance(y, Recorded) and y.recording is recording


RECORD: dict[str, tuple[Function, tuple[str, ...], str]] = {
    "gradient": (record_gradient, ("x",), "The gradient of {f} at {x}."),
    "value_and_gradient": (
        record_value_and_gradient,
        ("x",),
        "The value of {f} at {x}, and its gradient.",
    ),
    "derivative": (record_derivative, ("x",), "The {nth} of {f} at each {x}."),
    "vjp": (
        record_vjp,
        ("x", "w"),
        "The product w J of a weight and {f}'s Jacobian at {x}.",
    ),
    "jvp": (
        record_jvp,
        ("x", "v"),
        "The product J v of {f}'s Jacobian at {x} and a direction.",
    ),
    "hvp": (
        record_hvp,
        ("x", "v"),
        "The product H v of {f}'s Hessian at {x} and a direction.",
    ),
    "jacobian": (record_jacobian, ("x",), "The Jacobian of {f} at {x}."),
    "hessian": (record_hessian, ("x",), "The Hessian of {f} at {x}."),
}


def recorded(
    operation: str,
    f: Function,
    points: tuple[Any, ...],
    order: int = 1,
    x_name: str = "",
) -> tuple[Any, Recording, list[Any]]:
    """Record an operation; what came out, as stand-ins, with those that went in.

    Given a name for x, note from where in the user's code the steps come.
    """
    record, names, _ = RECORD[operation]
    recording = Recording(annotate=bool(x_name))
    inputs = [
        recording.input(point, x_name or name if name == "x" else name, name != "x")
        for point, name in zip(points, names, strict=True)
    ]
    more = (order,) if operation == "derivative" else ()
    result = record(recording, f, *inputs, *more)
    recording.check_watched()
    return result, recording, inputs


def written(
    operation: str,
    f: Function,
    result: Any,
    recording: Recording,
    inputs: list[Any],
    order: int,
    arrays: dict[int, str],
) -> Program:
    """The program that a recording makes."""
    name = getattr(f, "__name__", "")
    nth = ("derivative", "second derivative", "third derivative")
    words = nth[order - 1] if order <= 3 else f"{order}th derivative"
    about = RECORD[operation][2].format(
        f=name if name.isidentifier() else "f", nth=words, x=inputs[0].step.function
    )
    steps = [x.step for x in inputs]
    return Program(recording, steps, result, operation, about, arrays)


def program_at(f: Function, x: Any, operation: str, order: int = 1) -> Program:
    """A program that knows from where in the user's code its lines come."""
    if operation not in RECORD:
        raise OptionError(
            f"no source of {operation!r}{suggestion(operation, RECORD)}; there is "
            f"{', '.join(RECORD)}"
        )
    if order != 1 and operation != "derivative":
        raise OptionError("order is an option of the operator 'derivative' alone")
    points = [x]
    if operation == "vjp":
        points.append(np.ones(np.shape(outcome(f(x))))[()])
    elif len(RECORD[operation][1]) > 1:
        points.append(np.ones(np.shape(x))[()])
    with np.errstate(all="ignore"):
        name = parameter(f, RECORD[operation][1])
        found = recorded(operation, f, tuple(points), order, name)
    names = Surroundings(f).arrays_by_name()
    return written(operation, f, *found, order, names)


def parameter(f: Function, others: tuple[str, ...]) -> str:
    """What a function calls its argument, if nothing else is called so."""
    try:
        name = next(iter(inspect.signature(f).parameters))
    except (TypeError, ValueError, StopIteration):
        return "x"
    return "x" if name in RESERVED.union(others, ("np", "args")) else name


def run(operation: str, f: Function, points: tuple[Any, ...], order: int = 1) -> Any:
    """Do an operation by a program that fits; if there is none, by recording one."""
    key: tuple[Any, ...] = (operation, order)
    for point in points:
        if point.__class__ not in PLAIN:
            return run_otherwise(operation, f, points, order)
        if point.dtype is FLOAT:
            key += (point.shape,)
        elif point.dtype is COMPLEX:
            key += (COMPLEX, point.shape)
        else:
            return run_otherwise(operation, f, points, order)
    memory = memory_of(f)
    if memory is not None:
        for program in memory.programs.get(key, ()):
            result = attempt(program, points)
            if result is not None:
                if program is not memory.programs[key][0]:
                    put_first(memory, key, program)
                return result
    result, recording, inputs = recorded(operation, f, points, order)
    found = values(result, recording)
    if memory and not recording.private and memory.surroundings.unchanged(f):
        names = memory.surroundings.arrays_by_name()
        new = written(operation, f, result, recording, inputs, order, names)
        put_first(memory, key, new)
    return found


def run_otherwise(
    operation: str, f: Function, points: tuple[Any, ...], order: int
) -> Any:
    """The same for Python's numbers; inside another derivative, the recording alone."""
    if all(type(point) in (float, complex, *PLAIN) for point in points):
        plain = tuple(np.asarray(point)[()] for point in points)
        if all(point.dtype in (FLOAT, COMPLEX) for point in plain):
            return run(operation, f, plain, order)
    return values(*recorded(operation, f, points, order)[:2])


def put_first(memory: Memory, key: Any, program: Program) -> None:
    with LOCK:
        others = [
            other for other in memory.programs.get(key, ()) if other is not program
        ]
        memory.programs[key] = [program, *others[: BRANCHES - 1]]


def attempt(program: Program, points: tuple[Any, ...]) -> Any:
    """What a program gives; None if the point takes another branch."""
    try:
        if program.calm:
            return program.function(*points)
        with np.errstate(all="ignore"):
            return program.function(*points)
    except (AnotherBranch, ArithmeticError, ValueError, IndexError):
        return None  # recording anew says what is wrong, if anything


def values(result: Any, recording: Recording) -> Any:
    """The arrays that a recording computed, none of them shared with anything."""
    if isinstance(result, tuple):
        return rebuilt(result, [values(item, recording) for item in result])
    if is_ours(recording, result):
        result = result.step.held
    return result if isinstance(result, Traced) else np.array(result)[()]


def vjp(f: Function, x: Any, w: Any) -> Any:
    """Run the program that pulls w back."""
    return run("vjp", f, (x, w))


def jvp(f: Function, x: Any, v: Any) -> Any:
    """Run the program that pushes v forward."""
    return run("jvp", f, (x, v))


def hvp(f: Function, x: Any, v: Any) -> Any:
    """Run the program of the gradient's slope along v."""
    return run("hvp", f, (x, v))


def gradient(f: Function, x: Any) -> Any:
    """Run the program of the gradient."""
    return run("gradient", f, (x,))


def value_and_gradient(f: Function, x: Any) -> Any:
    """One program gives both."""
    return run("value_and_gradient", f, (x,))


def derivative(f: Function, x: Any, order: int) -> Any:
    """Run the program of the nth derivative, each order the slope of the one before."""
    return run("derivative", f, (x,), order)


def jacobian(f: Function, x: Any) -> Any:
    """One program for the whole matrix; where there is none, row by row."""
    found = matrix("jacobian", f, x)
    if found is not None:
        return found
    shape = np.shape(outcome(f(x if isinstance(x, Traced) else np.array(x)[()])))
    rows, size = math.prod(shape), np.size(x)
    if not (rows and size):
        return np.zeros(shape + np.shape(x))
    if rows <= size:
        found = [vjp(f, x, w[()]) for w in units(shape)]
        return np.reshape(np.stack(found), shape + np.shape(x))
    found = [jvp(f, x, v[()]) for v in units(np.shape(x))]
    return np.reshape(np.stack(found, axis=-1), shape + np.shape(x))


def hessian(f: Function, x: Any) -> Any:
    """One program for the whole matrix; where there is none, row by row."""
    found = matrix("hessian", f, x)
    if found is not None:
        return found
    rows = [hvp(f, x, v[()]) for v in units(np.shape(x))] if np.size(x) else []
    return np.reshape(np.stack(rows) if rows else (), np.shape(x) * 2)


def matrix(operation: str, f: Function, x: Any) -> Any:
    """Run the program of a whole matrix; None if there is none."""
    if isinstance(x, Traced):
        return None
    memory, key = MEMORIES.get(id(f)), (operation, np.shape(x), is_complex(x))
    if memory is None or key not in memory.by_rows or memory.f() is not f:
        try:
            return run(operation, f, (x,))
        except RowByRow:
            if memory := memory_of(f):
                memory.by_rows.add(key)
    return None


def units(shape: tuple[int, ...]) -> Any:
    """The unit arrays of a shape."""
    size = math.prod(shape)
    return np.eye(size).reshape((size, *shape))


def handles(function: Function) -> bool:
    """Whether there is a rule for a function."""
    tables = (MOVES, PULLBACKS, REWRITES, AT_LEAST, LEFT_TO_NUMPY)
    shared = rules.known(function) and function not in rules.LINEAR
    return any(function in table for table in tables) or (
        shared and function not in rules.MULTILINEAR
    )


METHOD = Method(
    title="NumPy source",
    family="source",
    summary="Record the function once, and write its derivative down as NumPy source.",
    exact=True,
    rtol=1e-14,
    max_order=6,
    reads_only=True,
    complex_points=True,
    jvp=jvp,
    vjp=vjp,
    derivative=derivative,
    gradient=gradient,
    jacobian=jacobian,
    hessian=hessian,
    hvp=hvp,
    value_and_gradient=value_and_gradient,
    handles=handles,
    references=("griewank2008",),
)
