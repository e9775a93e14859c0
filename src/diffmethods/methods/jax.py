"""JAX: trace the function into a small language, and differentiate that."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax.experimental.jet import jet

from diffmethods import rules
from diffmethods.errors import DiffmethodsError, MissingRuleError
from diffmethods.lifted import Library, Lifted, base_of, flatten
from diffmethods.method import Method
from diffmethods.operators import check_weight, contract
from diffmethods.traced import Traced, qualified_name

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


MEND: dict[str, Function] = {  # what JAX lacks, or takes differently
    "polyval": listed("polyval", 0),
    "compress": listed("compress", 0),
    "take": listed("take", 1),
    "quantile": listed("quantile", 1),
    "percentile": listed("percentile", 1),
    "unique": refuse_unique,
    qualified_name(rules.applied): by_its_rule,
    "linalg.cholesky": lambda a: jnp.linalg.cholesky(hermitian(a)),
    "linalg.eigh": lambda a, UPLO="L": jnp.linalg.eigh(hermitian(a, UPLO)),
    "linalg.eigvalsh": lambda a, UPLO="L": jnp.linalg.eigvalsh(hermitian(a, UPLO)),
}
LIBRARY = Library(
    "jax", {"np": jnp, "scipy.special": jax.scipy.special}, asarray=as_array, mend=MEND
)


def natively(transform: Callable[[Function, Any], Any], f: Function, x: Any) -> Any:
    """Apply a transformation of JAX to f at x, in float64, and hand the arrays back.

    Where f or x carry stand-ins of an outer trace, f is JAX's function from the
    innermost array to all parts of the result.
    """
    put_together: list[Function] = []

    def native(base: Any) -> list[Any]:
        leaves, rebuild = flatten(LIBRARY.call(f, x, base))
        put_together[:] = [rebuild]
        return [jnp.asarray(LIBRARY.lower(leaf)) for leaf in leaves]

    with jax.enable_x64(True):
        leaves = transform(native, jnp.asarray(LIBRARY.lower(base_of(x))))
        return put_together[0]([raised(leaf) for leaf in leaves])


def raised(leaf: Any) -> Any:
    """A result as NumPy's array, or lifted inside an outer derivative by JAX."""
    return (
        Lifted(leaf, LIBRARY) if isinstance(leaf, jax.core.Tracer) else np.asarray(leaf)
    )


def jvp(f: Function, x: Any, v: Any) -> Any:
    """Push v through the traced program."""
    if isinstance(v, Traced):
        return contract(jacobian(f, x), v, first=False)

    def push(native: Function, base: Any) -> Any:
        return jax.jvp(native, (base,), (jnp.asarray(v, base.dtype),))[1]

    return natively(push, f, x)


def derivative(f: Function, x: Any, order: int) -> Any:
    """Nest pushes while that is cheap; Taylor series from there on.

    Each nested push about doubles the program, and JAX's ``jet`` grows with the square.
    """
    if order <= NESTED_ORDERS:
        for _ in range(order):
            f = functools.partial(jvp, f, v=np.ones(np.shape(x))[()])
        return f(x)

    def expand(native: Function, base: Any) -> Any:
        series = [jnp.ones_like(base), *[jnp.zeros_like(base)] * (order - 1)]
        return [terms[-1] for terms in jet(native, (base,), (series,))[1]]

    try:
        return natively(expand, f, x)
    except DiffmethodsError:
        raise
    except (*JET_FAILS, TypeError) as error:
        raise MissingRuleError(
            f"jax goes beyond order {NESTED_ORDERS} by Taylor series, and these stop "
            f"at a function in f ({type(error).__name__}); taylor_series may not"
        ) from error


def vjp(f: Function, x: Any, w: Any) -> Any:
    """Pull w back through the transposed program."""
    if isinstance(w, Traced):
        return contract(jacobian(f, x), w, first=True)

    def pull(native: Function, base: Any) -> list[Any]:
        values, pullback = jax.vjp(native, base)
        check_weight(w, values[0].shape)
        weight = jnp.asarray(w, values[0].dtype)
        none = [jnp.zeros_like(value) for value in values]
        return [
            pullback([*none[:i], weight, *none[i + 1 :]])[0] for i in range(len(values))
        ]

    return natively(pull, f, x)


def jvps(f: Function, x: Any, vs: Any) -> Any:
    """Many pushes through one traced program."""

    def push(native: Function, base: Any) -> Any:
        return jax.vmap(lambda v: jax.jvp(native, (base,), (v,))[1])(jnp.asarray(vs))

    return natively(push, f, x)


def hvps(f: Function, x: Any, vs: Any) -> Any:
    """The same pushes through the program of the gradient."""

    def push(native: Function, base: Any) -> Any:
        slope = jax.grad(lambda z: native(z)[0])
        return jax.vmap(lambda v: [jax.jvp(slope, (base,), (v,))[1]])(jnp.asarray(vs))

    return natively(push, f, x)


def jacobian(f: Function, x: Any) -> Any:
    """By columns where there are few or no more than rows, else by rows."""

    def columns_or_rows(native: Function, base: Any) -> Any:
        if base.size > FEW_COLUMNS:
            y = native(base)[0]
            if y.size < base.size and not jnp.iscomplexobj(y):
                return jax.jacrev(native)(base)
        basis = jnp.eye(base.size).reshape((base.size, *base.shape))
        columns = jax.vmap(lambda v: jax.jvp(native, (base,), (v,))[1])(basis)
        return [
            jnp.moveaxis(c, 0, -1).reshape(c.shape[1:] + base.shape) for c in columns
        ]

    return natively(columns_or_rows, f, x)


def hessian(f: Function, x: Any) -> Any:
    """Forward over reverse."""
    return natively(lambda native, base: jax.hessian(native)(base), f, x)


METHOD = Method(
    title="JAX",
    family="libraries",
    summary="Trace the function into a small language, and differentiate that.",
    exact=True,
    rtol=1e-13,
    jvp=jvp,
    vjp=vjp,
    derivative=derivative,
    jacobian=jacobian,
    hessian=hessian,
    jvps=jvps,
    hvps=hvps,
    handles=LIBRARY.knows,
    references=("bradbury2018", "frostig2018"),
)
