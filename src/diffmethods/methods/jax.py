"""JAX: trace the function into a small language, and differentiate that."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax.experimental.jet import jet
from jax.sharding import NamedSharding

from diffmethods import rules
from diffmethods.compiled import COMPILE, by_program
from diffmethods.errors import (
    DiffmethodsError,
    MissingRuleError,
    NotDifferentiableError,
)
from diffmethods.lifted import (
    DEVICE,
    Library,
    Lifted,
    Native,
    base_of,
    called,
    no_device,
    value_of,
)
from diffmethods.method import Method
from diffmethods.operators import check_alone
from diffmethods.traced import Traced, qualified_name
from diffmethods.transformations import (
    composed,
    nesting,
    operators,
    pulling,
    singly,
    sloping,
)

Function = Callable[..., Any]

NESTED_ORDERS = 3
FEW_COLUMNS = 16  # so many cost less than to find out how many rows there are
JET_FAILS = (KeyError, NotImplementedError, jax.errors.UnexpectedTracerError)


def as_array(x: Any) -> Any:
    """JAX's array; a Python number stays one, for JAX has whole powers of its own."""
    return x if isinstance(x, (jax.Array, int, float)) else jnp.asarray(x)


def listed(name: str, position: int) -> Function:
    """JAX's function with an argument that may be a list, as in NumPy."""
    function = getattr(jnp, name)

    def run(*args: Any, **kwargs: Any) -> Any:
        before, argument, after = args[:position], args[position], args[position + 1 :]
        return function(*before, jnp.asarray(argument), *after, **kwargs)

    return run


def hermitian(a: Any, UPLO: str = "L") -> Any:
    """The matrix that one triangle stands for; JAX would mix in the other one."""
    lower = jnp.tril(a) if UPLO == "L" else jnp.conj(jnp.swapaxes(jnp.triu(a), -1, -2))
    return lower + jnp.conj(jnp.swapaxes(jnp.tril(lower, -1), -1, -2))


def refuse_unique(*args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("JAX gives it the slope 0; use np.sort")


def by_its_rule(*args: Any, rule: Any, named: Any) -> Any:
    """A function with a rule of its own, which JAX uses in both modes.

    Where JAX knows numbers the function gets them, and may be a black box; where it
    only traces (inside `jax.jit`), the function has to be plain NumPy.
    """
    places = [
        k
        for k, x in enumerate(args)
        if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.inexact)
    ]
    args = tuple(
        np.asarray(x)
        if isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer)
        else x
        for x in args
    )

    def operands(xs: Any, others: Any) -> list[Any]:
        given = dict(zip(places, xs, strict=True))
        return [given.get(k, other) for k, other in enumerate(others)]

    def native(tree: Any) -> Any:
        return jax.tree.map(jnp.asarray, LIBRARY.lower(tree))

    def evaluated(*operand: Any) -> Any:
        if not any(isinstance(x, jax.core.Tracer) for x in operand):
            known = [np.asarray(x)[()] for x in operand]
            return native(rule.in_numbers(operands(known, args), named))
        try:
            xs = operands(LIBRARY.lift(operand), args)
            return native(rule.function(*xs, **dict(named)))
        except (TypeError, ValueError) as error:
            raise MissingRuleError(
                f"{rule.__name__} is no plain NumPy, and JAX has stand-ins instead of "
                f"numbers for it, as inside jax.jit or as tangents: {error}"
            ) from error

    def push(xs: Any, dxs: Any) -> Any:
        y = function(*xs)
        none = [np.zeros(np.shape(x)) for x in args]
        lifted = operands(LIBRARY.lift(xs), args), operands(LIBRARY.lift(dxs), none)
        dy = rule.tangent(LIBRARY.lift(y), *lifted, named)
        return y, jax.tree.map(
            lambda dy, y: jnp.asarray(dy, y.dtype), LIBRARY.lower(dy), y
        )

    function: Any = jax.custom_jvp(evaluated)
    function.defjvp(push)
    return function(*map(jnp.asarray, (args[k] for k in places)))


def getitem(x: Any, index: Any) -> Any:
    """The items, or NumPy's error; JAX alone would take the last one without a word."""
    if not isinstance(index, jax.core.Tracer):
        np.broadcast_to(0.0, x.shape)[index]
    return x[index]


def sign(x: Any) -> Any:
    """The direction of a complex number turns; JAX would give it the slope 0."""
    return x / jnp.abs(x) if jnp.iscomplexobj(x) else jnp.sign(x)


MEND: dict[str, Function] = {  # what JAX lacks, or takes differently
    "getitem": getitem,
    "polyval": listed("polyval", 0),
    "compress": listed("compress", 0),
    "take": listed("take", 1),
    "quantile": listed("quantile", 1),
    "percentile": listed("percentile", 1),
    "sign": sign,
    "unique": refuse_unique,
    qualified_name(rules.applied): by_its_rule,
    "linalg.cholesky": lambda a: jnp.linalg.cholesky(hermitian(a)),
    "linalg.eigh": lambda a, UPLO="L": jnp.linalg.eigh(hermitian(a, UPLO)),
    "linalg.eigvalsh": lambda a, UPLO="L": jnp.linalg.eigvalsh(hermitian(a, UPLO)),
}


def traceable(f: Function) -> Function:
    """Code for JAX, where no array becomes a number in silence.

    Where JAX knows only shapes, ``x.item()``, ``jnp.arange(x)`` and ``jnp.unique(x)``
    are errors; where it knows the numbers they leave the trace, and the slope is 0.
    """

    def run(base: Any) -> Any:
        try:
            jax.eval_shape(f, base)
        except jax.errors.TracerBoolConversionError:
            pass  # f branches, which numbers serve
        except jax.errors.ConcretizationTypeError as error:
            raise NotDifferentiableError(
                "JAX loses the slope of an array that becomes a number, as in "
                "x.item(), jnp.arange(x) or jnp.unique(x): f has to run inside "
                "jax.jit, too; jax.lax.stop_gradient(x) is how to mean a constant"
            ) from error
        except Exception:
            pass  # what f itself says below
        return f(base)

    return run


def real_parts(y: Any, base: Any) -> list[Any]:
    if jnp.iscomplexobj(base):
        return [jnp.asarray(y, base.dtype)]
    if jnp.iscomplexobj(y):
        return [jnp.real(y), jnp.imag(y)]
    return [jnp.asarray(y, base.dtype)]


APART = """
intersect1d setdiff1d setxor1d union1d
unique_all unique_counts unique_inverse unique_values
""".split()  # they call unique


LIBRARY = Library(
    "jax",
    {"np": jnp, "scipy.special": jax.scipy.special},
    asarray=as_array,
    mend=MEND,
    apart=APART,
    real_parts=real_parts,
    native=traceable,
)


def natively(
    transform: Function,
    f: Function,
    x: Any,
    *vectors: Any,
    compile: bool = False,
    device: str = "cpu",
    **order: int,
) -> Any:
    """Apply a transformation of JAX to f at x, and hand the arrays back.

    It computes in float64, or in the type of x where that is an array of JAX.
    """
    keeps = isinstance(x, jax.Array)

    def program(f: Function, jit: Function) -> Function:
        native = Native(LIBRARY, f, x)
        run = jit(functools.partial(transform, native, **order))
        if keeps:
            return lambda *points: native.joined(
                beside(leaf, points[0]) for leaf in run(*points)
            )
        return lambda *points: native.joined(map(raised, run(*points)))

    with jax.enable_x64(True), where(x, device):
        points = [jnp.asarray(LIBRARY.lower(a)) for a in (base_of(x), *vectors)]
        if keeps:
            points = [beside(point, points[0]) for point in points]
        if compile and not isinstance(x, Traced):
            key = ("jax", transform, device, keeps, *order.values())
            y = by_program(f, key, lambda f: program(f, jax.jit), points)
            if y is not None:
                return y
        return program(f, lambda run: run)(*points)


def where(x: Any, device: str) -> Any:
    """The context of a device, or of the devices over which x is spread."""
    if isinstance(x, jax.Array) and isinstance(x.sharding, NamedSharding):
        return jax.set_mesh(x.sharding.mesh)
    kept = isinstance(x, jax.Array)
    return jax.default_device(
        next(iter(x.devices())) if kept else device_called(device)
    )


def device_called(name: str) -> Any:
    """JAX's device, as in ``"cpu"`` or ``"gpu:1"``."""
    kind, _, number = name.partition(":")
    try:
        return jax.devices(kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        raise no_device("jax", name, map(device_name, jax.devices())) from error


def device_name(device: Any) -> str:
    return f"{device.platform}:{device.id}"


def raised(leaf: Any) -> Any:
    """A result as NumPy's array, or lifted inside an outer derivative by JAX."""
    return (
        Lifted(leaf, LIBRARY) if isinstance(leaf, jax.core.Tracer) else np.asarray(leaf)
    )


def own(x: Any) -> Any:
    """An array of JAX as it is, or whole numbers in JAX's default type of floats."""
    if not isinstance(x, jax.Array) or isinstance(x, jax.core.Tracer):
        return None
    if jnp.iscomplexobj(x):
        return None
    return (
        x
        if x.dtype.name in ("float32", "float64")
        else x.astype(jnp.result_type(float))
    )


def beside(y: Any, x: Any) -> Any:
    """A result of the shape of the point, on the devices where the point is."""
    if y.shape != x.shape or y.sharding.is_equivalent_to(x.sharding, x.ndim):
        return y
    return jax.device_put(y, x.sharding)


def check_ends(f: Function, x: Any, options: dict[str, Any]) -> None:
    """The first and the last item alone come out as they did in the array."""
    y = value(f, x, **options)
    if y.shape != x.shape:
        return  # which the shape of the derivative tells, too
    rtol = 1e-2 if x.dtype.name == "float32" else 1e-6
    ends = zip((0, x.size - 1), ends_of(x), ends_of(y), strict=True)
    for position, item, within in ends:
        try:
            alone = value(f, jnp.reshape(item, (1,) * x.ndim), **options)
        except Exception:  # f wants that shape, and may still be elementwise
            return
        if alone.size == 1:
            check_alone(float(alone.ravel()[0]), float(within), position, rtol)


def ends_of(x: Any) -> tuple[Any, Any]:
    """The first and the last item, each out of the part on its own device."""
    shards = x.addressable_shards
    return shards[0].data.ravel()[0], shards[-1].data.ravel()[-1]


# The transformations: from f as JAX's function, and points, to lists of arrays.


def pushed(native: Function, base: Any, v: Any) -> Any:
    return jax.jvp(native, (base,), (jnp.asarray(v, base.dtype),))[1]


def expanded(native: Function, base: Any, order: int) -> Any:
    series = [jnp.ones_like(base), *[jnp.zeros_like(base)] * (order - 1)]
    return [terms[-1] for terms in jet(native, (base,), (series,))[1]]


def recorded(native: Function, base: Any) -> tuple[Any, list[Function]]:
    """The values, and what pulls a weight of each one back."""
    values, pullback = jax.vjp(native, base)
    return values, singly(pullback, list(map(jnp.zeros_like, values)))


def pulled(native: Function, base: Any, w: Any) -> Any:
    return pulling(recorded)(native, base, jnp.asarray(w, base.dtype))


def columns_or_rows(native: Function, base: Any) -> Any:
    """By columns where there are few or no more than rows, else by rows."""
    if base.size > FEW_COLUMNS and native(base)[0].size < base.size:
        return jax.jacrev(native)(base)
    basis = jnp.eye(base.size).reshape((base.size, *base.shape))
    columns = jax.vmap(functools.partial(pushed, native, base))(basis)
    return [jnp.moveaxis(c, 0, -1).reshape(c.shape[1:] + base.shape) for c in columns]


def pushed_each(native: Function, base: Any, vs: Any) -> Any:
    return jax.vmap(functools.partial(pushed, native, base))(vs)


def second(native: Function, base: Any) -> Any:
    """Forward over reverse."""
    return jax.jacfwd(functools.partial(sloped, native))(base)


nested, sloped = nesting(pushed, jnp.ones_like), sloping(recorded, jnp.ones_like)


# Operators of its own


def value(f: Function, x: Any, **options: Any) -> Any:
    """f(x); NumPy would bring an array of JAX together in one place."""
    if isinstance(x, jax.Array):
        return natively(called, f, x, **options)
    return value_of(natively, f, x, **options)


def derivative(f: Function, x: Any, order: int, **options: Any) -> Any:
    """Nest pushes while that is cheap; Taylor series from there on.

    Each nested push about doubles the program, and JAX's ``jet`` grows with the square.
    """
    if own(x) is not None and x.size > 1:
        check_ends(f, x, options)
    if order <= NESTED_ORDERS:
        return natively(nested, f, x, order=order, **options)
    try:
        return natively(expanded, f, x, order=order, **options)
    except DiffmethodsError:
        raise
    except (*JET_FAILS, TypeError) as error:
        raise MissingRuleError(
            f"jax goes beyond order {NESTED_ORDERS} by Taylor series, and these stop "
            f"at a function in f ({type(error).__name__}); taylor_series may not"
        ) from error


METHOD = Method(
    title="JAX",
    family="libraries",
    summary="Trace the function into a small language, and differentiate that.",
    exact=True,
    rtol=1e-13,
    options={"compile": COMPILE, "device": DEVICE},
    **operators(
        natively,
        jvp=pushed,
        vjp=pulled,
        jacobian=columns_or_rows,
        hessian=second,
        hvp=composed(pushed, sloped),
        jvps=pushed_each,
        hvps=composed(pushed_each, sloped),
    ),
    derivative=derivative,
    value=value,
    own=own,
    handles=LIBRARY.knows,
    references=("bradbury2018", "frostig2018"),
)
