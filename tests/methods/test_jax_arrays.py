"""Arrays of JAX keep their type and their devices; four of these are made of one."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, ShapeError

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

SHARDED = """
import functools, sys
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
import diffmethods as dm

assert len(jax.devices()) == 4
dtype, kind, compile = sys.argv[1], getattr(AxisType, sys.argv[2]), sys.argv[3] == "1"
jax.config.update("jax_enable_x64", dtype == "float64")
mesh = jax.make_mesh((4,), ("points",), axis_types=(kind,))
spread = NamedSharding(mesh, PartitionSpec("points"))
points = np.linspace(-1.0, 2.0, 64)
x = jax.device_put(jnp.asarray(points, dtype), spread)
rtol = 1e-12 if dtype == "float64" else 1e-5
by_jax = {"method": "jax", "compile": compile}
cubes = lambda x: np.sum(x**3)


def same(found, expected, stays=True):
    assert isinstance(found, jax.Array), type(found)
    assert found.dtype == dtype, found.dtype
    assert not stays or found.sharding.is_equivalent_to(spread, 1), found.sharding
    np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol, atol=rtol)


derivative = functools.partial(dm.derivative, **by_jax)
same(derivative(np.tanh)(x), 1 / np.cosh(points) ** 2)
same(derivative(jnp.tanh)(x), 1 / np.cosh(points) ** 2)
branches = lambda x: np.where(x > 0, x * x, -x)
same(derivative(branches)(x), np.where(points > 0, 2 * points, -1))
same(derivative(np.sin, order=2)(x), -np.sin(points))
same(derivative(np.sin, order=5)(x), np.cos(points))
same(dm.gradient(cubes, **by_jax)(x), 3 * points**2)
same(dm.gradient(np.sum, **by_jax)(x), np.ones(64))
value, slope = dm.value_and_gradient(cubes, **by_jax)(x)
same(value, np.sum(points**3), stays=False)
same(slope, 3 * points**2)
value, slope = dm.value_and_derivative(np.sin, **by_jax)(x)
same(value, np.sin(points))
same(slope, np.cos(points))
for v in (x, points):
    same(dm.jvp(np.sin, **by_jax)(x, v), np.cos(points) * points)
    same(dm.vjp(np.sin, **by_jax)(x, v), np.cos(points) * points)
    same(dm.hvp(cubes, **by_jax)(x, v), 6 * points**2)
same(dm.jacobian(np.sin, **by_jax)(x), np.diag(np.cos(points)), stays=False)
same(dm.hessian(cubes, **by_jax)(x), np.diag(6 * points), stays=False)
try:
    derivative(lambda x: x - np.mean(x))(x)
except dm.errors.ShapeError:
    pass
else:
    raise AssertionError("items that depend on each other went unnoticed")
# The other methods bring the items together.
same_in_numpy = dm.derivative(np.sin, method="dual_numbers")(x)
assert type(same_in_numpy) is np.ndarray and same_in_numpy.dtype == float
"""


@pytest.mark.parametrize(
    ("dtype", "kind", "compile"),
    [
        ("float32", "Explicit", "1"),
        ("float64", "Explicit", "0"),
        ("float64", "Auto", "0"),
    ],
)
def test_what_is_spread_over_devices_stays_so(dtype, kind, compile, monkeypatch):
    flag = "--xla_force_host_platform_device_count=4"
    monkeypatch.setenv("XLA_FLAGS", flag)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SHARDED, dtype, kind, compile],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_an_array_on_one_device_comes_back_as_one():
    x = jnp.linspace(-1.0, 1.0, 9)
    found = dm.derivative(np.exp, method="jax")(x)
    assert isinstance(found, jax.Array)
    assert found.dtype == x.dtype == np.float32
    np.testing.assert_allclose(found, np.exp(x), rtol=1e-6)
    found = dm.derivative(np.exp, method="jax")(np.asarray(x))
    assert type(found) is np.ndarray
    assert found.dtype == np.float64


def test_whole_numbers_become_floats():
    found = dm.derivative(lambda x: x**2, method="jax")(jnp.arange(3))
    assert isinstance(found, jax.Array)
    np.testing.assert_array_equal(found, [0.0, 2.0, 4.0])


def test_a_direction_has_the_shape_of_the_point():
    with pytest.raises(ShapeError, match=r"v has shape \(2,\), but x has shape \(3,\)"):
        dm.jvp(np.sin, method="jax")(jnp.ones(3), jnp.ones(2))


def test_items_that_depend_on_each_other_are_found():
    for f in (lambda x: x - np.mean(x), lambda x: np.cumsum(x)):
        with pytest.raises(ShapeError, match="depends on other items"):
            dm.derivative(f, method="jax")(jnp.linspace(0.0, 1.0, 5))
    with pytest.raises(ShapeError, match="gradient or jacobian"):
        dm.derivative(np.sum, method="jax")(jnp.ones(3))
    weights = jnp.arange(3.0)  # f wants the shape of x, and is elementwise all the same
    found = dm.derivative(lambda x: weights * x, method="jax")(jnp.ones(3))
    np.testing.assert_array_equal(found, weights)


def test_complex_points_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = jnp.ones(2) * 1j
    with pytest.raises(InputError, match="takes real points"):
        dm.derivative(np.sin, method="jax")(x)


def test_in_and_out_of_other_methods_there_is_numpy():
    value, slope = dm.value_and_derivative(jnp.tanh, method="central_difference")(0.5)
    assert isinstance(value, np.generic)
    assert type(slope) is np.float64
