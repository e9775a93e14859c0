"""TensorFlow: hold a tape open while the program runs, then play it backwards."""

import contextlib
import contextvars
import functools
import os
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffmethods.compiled import COMPILE, by_program
from diffmethods.errors import InputError, MissingRuleError, NotDifferentiableError
from diffmethods.lifted import (
    DEVICE,
    Library,
    Lifted,
    Native,
    base_of,
    no_device,
    running_products,
    value_of,
)
from diffmethods.method import Method
from diffmethods.traced import Traced
from diffmethods.transformations import composed, operators, pulling, sloping

LOUDNESS = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """With fewer of the notes on the processor that TensorFlow's import writes."""
    before = os.environ.get(LOUDNESS)
    os.environ.setdefault(LOUDNESS, "3")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            del os.environ[LOUDNESS]


with quietly():
    import tensorflow as tf

    tnp = tf.experimental.numpy

Function = Callable[..., Any]

DOUBLE = {"f": np.float64, "c": np.complex128}
MANY = 64  # rows or columns from which it pays to let TensorFlow vectorise
ZERO = tf.UnconnectedGradients.ZERO

# Operations through which TensorFlow's slope is 0 without a word, by which inputs.
SILENT: dict[str, tuple[int, ...]] = {
    "AssignAddVariableOp": (1,),
    "AssignSubVariableOp": (1,),
    "AssignVariableOp": (1,),
    "Betainc": (0, 1),
    "LinSpace": (0, 1),
    "OneHot": (2, 3),
    "Polygamma": (0,),
    "PyFunc": tuple(range(99)),
    "PyFuncStateless": tuple(range(99)),
    "RandomShuffle": (0,),
    "Range": (0, 1, 2),
    "Zeta": (0,),
}


def traceable(f: Function) -> Function:
    """Code for TensorFlow as a graph, where no tensor can become a number in silence.

    In a graph, ``float(x)``, ``x.numpy()`` and ``np.exp(x)`` are errors; outside of one
    they leave the tape, and the slope is 0.
    """

    def run(base: Any) -> Any:
        graph = tf.function(f, autograph=False)
        try:
            known = graph.get_concrete_function(base)
        except TypeError as error:
            if "autograph" not in str(error).lower() or not tf.executing_eagerly():
                raise  # else f branches, which AutoGraph is made for
            graph = tf.function(f)
            known = graph.get_concrete_function(base)
        if names := silent(known.graph):
            raise NotDifferentiableError(
                f"TensorFlow loses the slope of a tensor in {', '.join(names)} without "
                "a word; write it with other operations, or with NumPy"
            )
        return graph(base)

    return run


def silent(graph: Any) -> list[str]:
    """The operations of `SILENT` that x, as a floating-point number, flows into."""
    reached = {tensor.ref() for tensor in graph.inputs}
    found = set()
    for operation in graph.get_operations():
        inputs = [tensor.ref() in reached for tensor in operation.inputs]
        if any(inputs[i] for i in SILENT.get(operation.type, ()) if i < len(inputs)):
            found.add(operation.type)
        if any(inputs) and operation.type != "StopGradient":
            smooth = [y for y in operation.outputs if not discrete(y)]
            reached |= {tensor.ref() for tensor in smooth}
    inside = graph.as_graph_def().library.function  # the bodies of loops and branches
    nodes = {node.op for function in inside for node in function.node_def}
    return sorted(found | (nodes & {"PyFunc", "PyFuncStateless", "Zeta", "Polygamma"}))


# NumPy's functions as TensorFlow spells them


def discrete(y: Any) -> bool:
    return not (y.dtype.is_floating or y.dtype.is_complex)


def tensor(x: Any) -> Any:
    """The tensor of an array, its numbers in float64."""
    if not tf.is_tensor(x):
        x = np.asarray(x)
        kind, size = x.dtype.kind, x.dtype.itemsize
        if (kind == "f" and size < 8) or (kind == "c" and size < 16):
            x = x.astype(DOUBLE[kind])
        return tf.convert_to_tensor(x)
    if not discrete(x) and x.dtype not in (tf.float64, tf.complex128):
        raise InputError(
            f"f computes with a tensor of {x.dtype.name}, TensorFlow's default for "
            "constants, which has lost digits: write tf.constant(0.1, x.dtype)"
        )
    return x


def settled(y: Any) -> Any:
    return y.numpy() if discrete(y) and hasattr(y, "numpy") else None


def gather(arrays: list[Any], numbers: Any) -> Any:
    end_to_end = tf.concat([tf.reshape(x, [-1]) for x in arrays], 0)
    return tf.gather(end_to_end, numbers)


def getitem(x: Any, index: Any) -> Any:
    """The items that NumPy would take."""
    numbers = np.arange(np.prod(x.shape, dtype=int)).reshape(x.shape)[index]
    return gather([x], numbers)


def alike(function: Function) -> Function:
    """TensorFlow's function with operands of one type, as NumPy would make them."""

    def run(*args: Any, **kwargs: Any) -> Any:
        common = np.result_type(*(x.dtype.as_numpy_dtype for x in args))
        return function(*(tf.cast(x, common) for x in args), **kwargs)

    return run


def hermitian(a: Any, UPLO: str = "L") -> Any:
    """The matrix that one triangle stands for; the other one does not count."""
    lower = (
        tf.linalg.band_part(a, -1, 0)
        if UPLO == "L"
        else tf.linalg.adjoint(tf.linalg.band_part(a, 0, -1))
    )
    below = lower - tf.linalg.diag(tf.linalg.diag_part(lower))
    return lower + tf.linalg.adjoint(below)


def solve(a: Any, b: Any) -> Any:
    if b.shape.rank > 1:
        return tf.linalg.solve(a, b)
    return tf.linalg.solve(a, b[:, None])[:, 0]


def det(a: Any) -> Any:
    """TensorFlow divides by the determinant; where that is 0, factors of it do."""
    value = tf.linalg.det(a)
    bound = tf.reduce_prod(tf.norm(a, axis=-1), -1)
    if bool(tf.reduce_all(tf.abs(value) > 1e-8 * bound)):
        return value
    s, u, v = tf.linalg.svd(a)
    return tf.stop_gradient(tf.linalg.det(u) * tf.linalg.det(v)) * tf.reduce_prod(s, -1)


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if not compute_uv:
        return tf.linalg.svd(a, compute_uv=False)
    s, u, v = tf.linalg.svd(a, full_matrices=full_matrices)
    return u, s, tf.linalg.adjoint(v)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """TensorFlow would take the norm of all items for that of the matrix."""
    matrix = x.shape.rank == 2 if axis is None else np.ndim(axis) and len(axis) == 2
    if not matrix or ord in (None, "fro"):
        return tf.norm(x, "euclidean" if ord is None else ord, axis, keepdims)
    if ord == 2 and axis is None and not keepdims:
        return tf.linalg.svd(x, compute_uv=False)[0]
    raise NotImplementedError(f"no matrix norm {ord!r} here")


def transformed(function: Function) -> Function:
    """A Fourier transform along an axis; TensorFlow's are along the last one."""

    def run(a: Any, n: None = None, axis: int = -1, norm: None = None) -> Any:
        if n is not None or norm is not None:
            raise NotImplementedError("n and norm are left to NumPy")
        moved = tnp.moveaxis(tf.cast(a, tf.complex128), axis, -1)
        return tnp.moveaxis(function(moved), -1, axis)

    return run


def trunc(x: Any) -> Any:
    return tf.where(x < 0, tf.math.ceil(x), tf.math.floor(x))


def searchsorted(a: Any, v: Any, side: str = "left") -> Any:
    v = tf.cast(tensor(v), a.dtype)
    return tf.reshape(tf.searchsorted(a, tf.reshape(v, [-1]), side), v.shape)


def chosen(one: Function) -> Function:
    """fmax and fmin: the other operand where one is not a number."""

    def run(a: Any, b: Any) -> Any:
        a, b = tnp.broadcast_arrays(a, b)
        both = tf.where(tf.math.is_nan(b), a, one(a, b))
        return tf.where(tf.math.is_nan(a), b, both)

    return run


def copysign(a: Any, b: Any) -> Any:
    negative = tf.constant(np.signbit(b.numpy()))
    return tf.where(negative, -tf.abs(a), tf.abs(a))


MEND: dict[str, Function] = {  # what TensorFlow lacks, or takes differently
    "getitem": getitem,
    "copysign": copysign,
    "cumprod": running_products(tnp),
    "degrees": tnp.rad2deg,
    "fft.fft": transformed(tf.signal.fft),
    "fft.ifft": transformed(tf.signal.ifft),
    "fmax": alike(chosen(tf.maximum)),
    "fmin": alike(chosen(tf.minimum)),
    "fmod": alike(lambda a, b: a - b * tf.stop_gradient(trunc(a / b))),
    "i0": tf.math.bessel_i0,
    "linalg.cholesky": lambda a: tf.linalg.cholesky(hermitian(a)),
    "linalg.det": det,
    "linalg.eigh": lambda a, UPLO="L": tf.linalg.eigh(hermitian(a, UPLO)),
    "linalg.norm": norm,
    "linalg.solve": alike(solve),
    "linalg.svd": svd,
    "radians": tnp.deg2rad,
    "rint": tf.round,
    "round": lambda a, decimals=0: tf.round(a * 10.0**decimals) / 10.0**decimals,
    "searchsorted": searchsorted,
    "trunc": trunc,
}
APART = """
amax amin angle average clip column_stack compress copy cross diag
diagflat diagonal diff dot flip fliplr flipud full_like gradient hsplit
interp linspace linalg.cross linalg.diagonal linalg.eigvalsh linalg.lstsq
linalg.tensorinv logspace meshgrid nanmean ndim outer pad quantile roll rot90
select shape size sort split std take take_along_axis tile trace trapezoid tril triu
unique vander var vdot vsplit
""".split()
SPECIAL = types.SimpleNamespace(
    erf=tf.math.erf,
    erfc=tf.math.erfc,
    erfcinv=tf.math.erfcinv,
    erfinv=tf.math.erfinv,
    expit=tf.math.sigmoid,
    gammaln=tf.math.lgamma,
    i0=tf.math.bessel_i0,
    i0e=tf.math.bessel_i0e,
    i1=tf.math.bessel_i1,
    i1e=tf.math.bessel_i1e,
    psi=tf.math.digamma,
    xlog1py=tf.math.xlog1py,
    xlogy=tf.math.xlogy,
    **{
        name: getattr(tf.math.special, f"bessel_{name}")
        for name in "j0 j1 y0 y1 k0 k1".split()
    },
)
REFUSALS = (
    *(TypeError, NotImplementedError, ValueError, LookupError, AttributeError),
    *(tf.errors.InvalidArgumentError, tf.errors.UnimplementedError),
)
LIBRARY = Library(
    "tensorflow",
    {
        "np": types.SimpleNamespace(**vars(tnp), linalg=tf.linalg),
        "scipy.special": SPECIAL,
    },
    asarray=tensor,
    mend=MEND,
    apart=APART,
    gather=gather,
    settled=settled,
    real_parts=lambda y, base: (
        [tf.math.real(y), tf.math.imag(y)]
        if y.dtype.is_complex
        else [tf.cast(y, base.dtype)]
    ),
    native=traceable,
    refusals=REFUSALS,
)

DEPTH = contextvars.ContextVar("DEPTH", default=0)  # of derivatives in progress


def natively(
    transform: Function,
    f: Function,
    x: Any,
    *vectors: Any,
    compile: bool = False,
    device: str = "cpu",
    **order: int,
) -> Any:
    """Apply a transformation by TensorFlow to f at x, and hand the arrays back."""
    inner = DEPTH.get()
    raised = (lambda y: Lifted(y, LIBRARY)) if inner else lambda y: y.numpy()

    def program(f: Function, graph: Function) -> Function:
        native = Native(LIBRARY, f, x)
        run = graph(functools.partial(transform, native, **order))
        return lambda *points: native.joined(map(raised, run(*points)))

    token = DEPTH.set(inner + 1)
    try:
        with tf.device(device_called(device)):
            points = [tensor(LIBRARY.lower(a)) for a in (base_of(x), *vectors)]
            if points[0].dtype.is_complex:
                raise InputError("tensorflow takes real points here, not complex ones")
            if compile and not inner and not isinstance(x, Traced):
                key = ("tensorflow", transform, device, *order.values())
                y = by_program(f, key, lambda f: program(f, compiled), points)
                if y is not None:
                    return y
            return program(f, lambda run: run)(*points)
    except LookupError as error:
        if isinstance(error, MissingRuleError) or "gradient" not in str(error):
            raise
        raise MissingRuleError(
            f"tensorflow has no slope for a function: {error}"
        ) from (error)
    finally:
        DEPTH.reset(token)


def compiled(run: Function) -> Function:
    program: Function = tf.function(run, autograph=False)
    return program


def device_called(name: str) -> str:
    """TensorFlow's name of a device, as in ``"cpu"`` or ``"gpu:1"``."""
    known = [d.name.removeprefix("/device:") for d in tf.config.list_logical_devices()]
    wanted = name.upper() if ":" in name else f"{name.upper()}:0"
    if wanted not in known:
        raise no_device("tensorflow", name, map(str.lower, known))
    return f"/device:{wanted}"


# The transformations: from f as TensorFlow's function, and points, to lists of tensors.
# Each works on a copy of its point, so that it follows no one else's uses of it.


def pushed(native: Function, base: Any, v: Any) -> Any:
    base = tf.identity(base)
    with tf.autodiff.ForwardAccumulator(base, v) as accumulator:
        values = native(base)
    return [accumulator.jvp(y, ZERO) for y in values]


def recorded(native: Function, base: Any) -> tuple[Any, list[Function]]:
    """The values, and what pulls a weight of each one back."""
    base = tf.identity(base)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(base)
        values = native(base)

    def pull(y: Any, w: Any) -> Any:
        return tf.convert_to_tensor(tape.gradient(y, base, w, ZERO))

    return values, [functools.partial(pull, y) for y in values]


def nested(native: Function, base: Any, order: int) -> Any:
    for _ in range(order):
        native = functools.partial(slope, native)
    return native(base)


def slope(native: Function, base: Any) -> Any:
    """By a tape where f is elementwise: pushes within pushes cost far more."""
    values, pulls = recorded(native, base)
    if all(y.shape == base.shape for y in values):
        return [pull(tf.ones_like(y)) for y, pull in zip(values, pulls, strict=True)]
    if base.shape.rank:
        return pushed(native, base, tf.ones_like(base))
    return [by_rows(y, base, pull) for y, pull in zip(values, pulls, strict=True)]


def by_rows(y: Any, base: Any, pull: Function) -> Any:
    size = int(np.prod(y.shape))
    basis = tf.reshape(tf.eye(size, dtype=base.dtype), (size, *y.shape))
    shape = (*y.shape, *base.shape)
    return tf.reshape(tf.stack([pull(w) for w in tf.unstack(basis)]), shape)


def columns_or_rows(native: Function, base: Any) -> Any:
    """By columns or by rows, whichever are fewer; all at once where there are many."""
    size, shape = int(np.prod(base.shape)), tuple(base.shape)
    values, pulls = recorded(native, base)
    rows = int(np.prod(values[0].shape))
    if not rows or not size:
        return [tf.zeros(tuple(y.shape) + shape, base.dtype) for y in values]
    if min(rows, size) > MANY:
        return at_once(native, base)
    if rows < size:
        return [by_rows(y, base, pull) for y, pull in zip(values, pulls, strict=True)]
    basis = tf.reshape(tf.eye(size, dtype=base.dtype), (size, *shape))
    columns = [pushed(native, base, v) for v in tf.unstack(basis)]
    return [
        tf.reshape(tf.stack(column, -1), tuple(column[0].shape) + shape)
        for column in zip(*columns, strict=True)
    ]


def at_once(native: Function, base: Any) -> Any:
    base = tf.identity(base)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(base)
        values = native(base)
    return [tape.jacobian(y, base, ZERO) for y in values]


sloped = sloping(recorded, tf.ones_like)

METHOD = Method(
    title="TensorFlow",
    family="libraries",
    summary="Hold a tape open while the program runs, then play it backwards.",
    exact=True,
    rtol=1e-13,
    options={"compile": COMPILE, "device": DEVICE},
    **operators(
        natively,
        jvp=pushed,
        vjp=pulling(recorded),
        derivative=nested,
        jacobian=columns_or_rows,
        hessian=composed(columns_or_rows, sloped),  # forward over reverse
        hvp=composed(pushed, sloped),
    ),
    value=functools.partial(value_of, natively),
    handles=LIBRARY.knows,
    references=("abadi2016",),
)
