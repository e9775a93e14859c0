"""Another library's arrays behind plain NumPy code, and behind the library's own."""

import importlib
import operator

import numpy as np
import pytest

import diffmethods as dm
from diffmethods import rules
from diffmethods.errors import (
    InputError,
    MissingLibraryError,
    MissingRuleError,
    NotDifferentiableError,
)
from diffmethods.lifted import Library, Lifted, base_of, flatten, with_base
from diffmethods.methods.dual_numbers import Dual
from diffmethods.traced import qualified_name

jax = pytest.importorskip("jax")
special = pytest.importorskip("scipy.special")
jnp = pytest.importorskip("jax.numpy")

FIRST, GROWING = np.array([0.1, 0.0, 0.0]), np.array([1.0, 2.0, 4.0])


def test_the_librarys_own_code_works_too():
    native = lambda x: jnp.where(x > 0, jax.nn.softplus(x), x) * jax.lax.exp(x)
    want = dm.derivative(lambda x: np.logaddexp(0, x) * np.exp(x))(0.7)
    assert dm.derivative(native, method="jax")(0.7) == pytest.approx(want, rel=1e-14)
    assert dm.derivative(jnp.tanh, method="jax")(2.0) == pytest.approx(
        0.07065082485316447
    )
    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(dm.gradient(jnp.sum, method="jax")(x), [1, 1])


def test_the_first_error_is_the_one_that_is_shown():
    with pytest.raises(TypeError, match="missing 1 required"):
        dm.derivative(lambda x, y: x + y, method="jax")(1.0)
    with pytest.raises(ZeroDivisionError):
        dm.derivative(lambda x: x / (1 // 0), method="jax")(1.0)


def test_the_program_is_the_one_that_jax_would_write():
    library = library_of("jax")
    plain = lambda x: np.tanh(x) ** 3 + 2.0 * np.sin(x[0]) * np.sum(x * x)
    native = lambda x: jnp.tanh(x) ** 3 + 2.0 * jnp.sin(x[0]) * jnp.sum(x * x)
    lifted = lambda x: library.lower(plain(Lifted(x, library)))
    with jax.enable_x64(True):
        x = jnp.ones(3)
        assert str(jax.make_jaxpr(lifted)(x)) == str(jax.make_jaxpr(native)(x))


# What each entry of a library's table is for, at a point with three items.
MATRIX = lambda x: np.diag(x) + np.outer(x, FIRST)
EVERYWHERE = {
    "getitem": lambda x: x[[0, 2]] * x[::-2],
    "linalg.cholesky": lambda x: np.linalg.cholesky(MATRIX(x)),
    "linalg.eigh": lambda x: np.linalg.eigh(np.outer(x, GROWING), "U")[0],
}
EAGER = EVERYWHERE | {
    "degrees": np.degrees,
    "linalg.solve": lambda x: np.linalg.solve(MATRIX(x), np.array([1, 2, 3])),
    "radians": np.radians,
    "rint": lambda x: np.rint(x) * x,
}
ORDINARY = {
    "jax": EVERYWHERE
    | {
        "getitem": lambda x: x[7] if len(x) > 7 else x[np.array([3])],
        "compress": lambda x: np.compress([True, False, True], x),
        "linalg.eigvalsh": lambda x: np.linalg.eigvalsh(np.outer(x, GROWING)),
        "percentile": lambda x: np.percentile(x, [25, 50]),
        "polyval": lambda x: np.polyval([1.0, 2.0, 3.0], x),
        "quantile": lambda x: np.quantile(x, [0.25, 0.5]),
        "sign": lambda x: np.imag(np.sign(x + 1j)),
        "take": lambda x: np.take(x, [2, 0]),
        "unique": np.unique,
    },
    "pytorch": EAGER
    | {
        "argsort": lambda x: np.sort(-x),
        "cbrt": np.cbrt,
        "conjugate": lambda x: np.real(np.conjugate(1j * x) * 1j),
        "cumprod": np.cumprod,
        "cumsum": np.cumsum,
        "einsum": lambda x: np.einsum("i,i", x, np.array([1, 2, 3])),
        "fabs": np.fabs,
        "floor_divide": lambda x: (x // 0.7) * x,
        "heaviside": lambda x: np.heaviside(x - 2.0, 0.5) * x,
        "imag": lambda x: np.imag(x) + x,
        "j0": lambda x: special.j0(x),
        "j1": lambda x: special.j1(x),
        "k0": lambda x: special.k0(x),
        "k1": lambda x: special.k1(x),
        "linalg.svd": lambda x: np.linalg.svd(MATRIX(x), compute_uv=False),
        "matmul": lambda x: np.array([1, 2, 3]) @ x,
        "max": lambda x: np.max(np.outer(x, x), axis=0),
        "meshgrid": lambda x: np.meshgrid(x, x[:2])[0],
        "min": lambda x: np.min(np.outer(x, x), axis=0),
        "nonzero": lambda x: np.nonzero(x)[0] * x,
        "power": lambda x: np.power(x, 2.5),
        "prod": lambda x: np.prod(np.outer(x, x), keepdims=True),
        "reshape": lambda x: np.reshape(np.outer(x, x), -1),
        "stack": lambda x: np.array([x[0], 1.0]),
        "transpose": lambda x: np.transpose(np.outer(x, x**2)),
        "y0": lambda x: special.y0(x),
        "y1": lambda x: special.y1(x),
    },
    "tensorflow": EAGER
    | {
        "copysign": lambda x: np.copysign(x, -1.0),
        "cumprod": lambda x: np.cumprod(x - 2.4),  # 0 in between
        "fft.fft": lambda x: np.real(np.fft.fft(x)),
        "fft.ifft": lambda x: np.real(np.fft.ifft(x)),
        "fmax": lambda x: np.fmax(x, [np.nan, 2.0, 9.0]),
        "fmin": lambda x: np.fmin(x, [np.nan, 2.0, 9.0]),
        "fmod": lambda x: np.fmod(x, 0.7),
        "i0": np.i0,
        "linalg.det": lambda x: np.linalg.det(np.diag(x) * [1.0, 1.0, 0.0]),
        "linalg.norm": lambda x: np.linalg.norm(np.diag(x), 2),
        "linalg.svd": lambda x: np.linalg.svd(MATRIX(x))[1],
        "round": lambda x: np.round(x) * x,
        "searchsorted": lambda x: np.searchsorted(x, 2.0) * x,
        "trunc": lambda x: np.trunc(x) * x,
    },
}


def library_of(method):
    dm.get_method(method)
    return importlib.import_module(f"diffmethods.methods.{method}").LIBRARY


def missing(method):
    try:
        dm.get_method(method)
    except MissingLibraryError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.sum(x) * x[0].item(),
        lambda x: jnp.sum(jnp.arange(x[0], 3.0)),
        lambda x: jnp.sum(jnp.unique(jnp.sin(x))),
        lambda x: jnp.sum(jnp.setdiff1d(x, jnp.ones(1))),
    ],
)
def test_a_number_that_leaves_jaxs_trace_is_an_error(f):
    """By itself JAX would take it for a constant, and answer a slope without it."""
    with pytest.raises(NotDifferentiableError, match=r"loses .* becomes a number"):
        dm.gradient(f, method="jax")(np.array([1.5, 0.5]))


def test_code_of_jax_may_branch_and_choose_items():
    def f(x):
        y = jnp.sin(x)
        return jnp.sum(y[y > 0.6] ** 2) if y[0] > 0 else y[0]

    found = dm.gradient(f, method="jax")(np.array([1.5, 0.5]))
    np.testing.assert_allclose(found, [np.sin(3.0), 0.0], rtol=1e-14)


@pytest.mark.parametrize("name", ["setdiff1d", "setxor1d", "union1d", "unique_values"])
def test_sets_have_no_slope_by_jax(name):
    others = [] if name == "unique_values" else [np.array([5.0, 2.0])]
    f = lambda x: np.sum(getattr(np, name)(x, *others))
    with pytest.raises(MissingRuleError, match=r"np\.sort"):
        dm.gradient(f, method="jax")(np.array([1.5, 0.5]))


@pytest.mark.parametrize("method", ORDINARY)
def test_every_mend_has_a_case(method):
    missing(method)
    module = importlib.import_module(f"diffmethods.methods.{method}")
    customs = {qualified_name(rules.applied)}  # see test_custom_rules.py
    assert set(ORDINARY[method]) == set(module.MEND) - customs


@pytest.mark.parametrize(
    ("method", "name"),
    [(method, name) for method, cases in ORDINARY.items() for name in cases],
)
def test_every_mend_is_needed(method, name, monkeypatch):
    missing(method)
    library, f = library_of(method), ORDINARY[method][name]
    x, h = np.array([1.6, 2.4, 4.1]), 1e-6
    asked = lambda: dm.jacobian(f, method=method)(x)
    try:
        want = np.stack(
            [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(3)], axis=-1
        )
    except IndexError:
        want = np.empty(0)
        with pytest.raises(IndexError):
            asked()
    else:
        if name == "unique":
            with pytest.raises(MissingRuleError, match=r"np\.sort"):
                asked()
        else:
            np.testing.assert_allclose(asked(), want, atol=1e-8)
    kept = dict(library)
    for key in (name, f"np.{name}", f"scipy.special.{name}"):
        library.pop(key, None)
    if name == "getitem":
        library[name] = operator.getitem
    try:
        without = asked()
    except Exception:
        return
    finally:
        library.clear()
        library.update(kept)
    assert without.shape != want.shape or not np.allclose(without, want, atol=1e-6)


def test_libraries_do_not_mix():
    first = Library("first", {"np": np}, asarray=np.asarray)
    second = Library("second", {"np": np}, asarray=np.asarray)
    with pytest.raises(
        InputError, match="second cannot differentiate through values of first"
    ):
        second.lower(Lifted(np.ones(2), first))


def test_a_library_answers_by_name_and_by_definition():
    library = Library("numpy", {"np": np}, asarray=np.asarray, mend={"sin": np.cos})
    assert library.knows(np.exp)
    assert library.knows(np.var)
    assert not library.knows(np.frompyfunc(abs, 1, 1))
    x = Lifted(np.array([1.0, 2.0]), library)
    np.testing.assert_allclose(np.sin(x).value, np.cos([1.0, 2.0]))
    assert library.lower([x, (np.float64(1), None)])[1][1] is None


def test_a_dual_number_is_taken_apart_and_put_together():
    x = Dual(Dual(1.0, 2.0, 1), Dual(3.0, 4.0, 1), 2)
    leaves, rebuild = flatten(x)
    assert leaves == [1.0, 2.0, 3.0, 4.0]
    assert rebuild([5.0, 6.0, 7.0, 8.0]).value.tangent == 6.0
    assert base_of(x) == 1.0
    assert base_of(with_base(x, 9.0)) == 9.0
