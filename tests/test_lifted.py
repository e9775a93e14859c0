"""Another library's arrays behind plain NumPy code, and behind the library's own."""

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, MissingRuleError
from diffmethods.lifted import Library, Lifted, base_of, flatten, with_base
from diffmethods.methods.dual_numbers import Dual

jax = pytest.importorskip("jax")
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


def test_an_index_out_of_range_is_an_error():
    """JAX alone would take the last item without a word."""
    with pytest.raises(IndexError, match="out of bounds"):
        dm.gradient(lambda x: x[7], method="jax")(np.ones(3))


def test_the_program_is_the_one_that_jax_would_write():
    library = (
        dm.get_method("jax")
        and __import__("diffmethods.methods.jax", fromlist=["LIBRARY"]).LIBRARY
    )
    plain = lambda x: np.tanh(x) ** 3 + 2.0 * np.sin(x[0]) * np.sum(x * x)
    native = lambda x: jnp.tanh(x) ** 3 + 2.0 * jnp.sin(x[0]) * jnp.sum(x * x)
    lifted = lambda x: library.lower(plain(Lifted(x, library)))
    with jax.enable_x64(True):
        x = jnp.ones(3)
        assert str(jax.make_jaxpr(lifted)(x)) == str(jax.make_jaxpr(native)(x))


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("polyval", lambda x: np.polyval([1.0, 2.0, 3.0], x)),
        ("compress", lambda x: np.compress([True, False, True], x)),
        ("take", lambda x: np.take(x, [2, 0])),
        ("quantile", lambda x: np.quantile(x, [0.25, 0.5])),
        ("percentile", lambda x: np.percentile(x, [25, 50])),
        (
            "linalg.cholesky",
            lambda x: np.linalg.cholesky(np.diag(x) + np.outer(x, FIRST)),
        ),
        ("linalg.eigh", lambda x: np.linalg.eigh(np.outer(x, GROWING), "U")[0]),
        ("linalg.eigvalsh", lambda x: np.linalg.eigvalsh(np.outer(x, GROWING))),
    ],
)
def test_every_mend_of_jax_is_needed(name, f, monkeypatch):
    library = __import__("diffmethods.methods.jax", fromlist=["LIBRARY"]).LIBRARY
    x, h = np.array([1.5, 2.5, 4.0]), 1e-6
    want = np.stack(
        [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(3)], axis=-1
    )
    np.testing.assert_allclose(dm.jacobian(f, method="jax")(x), want, atol=1e-8)
    for key in (name, f"np.{name}"):
        monkeypatch.delitem(library, key, raising=False)
    try:
        without = dm.jacobian(f, method="jax")(x)
    except MissingRuleError:
        return
    assert not np.allclose(without, want, atol=1e-6)
    library.pop(f"np.{name}", None)


def test_what_jax_would_get_wrong_is_refused():
    with pytest.raises(MissingRuleError, match=r"np\.sort"):
        dm.jacobian(np.unique, method="jax")(np.array([1.0, 2.0]))


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
