"""Arrays of Dask: lazy in, lazy out, and the numbers of NumPy once computed."""

import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, ShapeError

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

POINTS = np.linspace(0.05, 0.95, 101)


class Computed(AssertionError):
    """Dask was made to compute where only a graph was wanted."""


def refuse(*args, **kwargs):
    raise Computed


def chunked(x, chunks=10):
    return da.from_array(np.asarray(x), chunks=chunks)


def lazily(run, *args):
    """The result of something that must not compute anything."""
    with dask.config.set(scheduler=refuse):
        return run(*args)


def damped(x):
    return np.where(x > 0.3, np.exp(-x) * np.sin(3 * x), np.maximum(x, 0.1) ** 2)


@pytest.mark.parametrize("method", dm.list_methods())
def test_a_derivative_stays_lazy_and_equals_the_one_in_memory(method):
    points = POINTS[:25]
    try:
        expected = dm.derivative(np.tanh, method=method)(points)
    except dm.errors.MissingLibraryError as error:
        pytest.skip(str(error))
    rtol = 0 if dm.get_method(method).exact else dm.get_method(method).rtol
    found = lazily(dm.derivative(np.tanh, method=method), chunked(points))
    assert isinstance(found, da.Array)
    assert found.chunks == chunked(points).chunks
    assert found.dtype == float
    computed = found.compute()
    assert type(computed) is np.ndarray
    np.testing.assert_allclose(computed, expected, rtol=rtol, atol=0)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("method", ["dual_numbers", "taylor_series", "reverse_tape"])
def test_branches_and_higher_orders(method, order):
    df = dm.derivative(damped, method=method, order=order)
    expected = df(POINTS)
    np.testing.assert_array_equal(lazily(df, chunked(POINTS)).compute(), expected)


def test_a_kink_is_found_where_it_is():
    x = np.array([-1.0, 0.0, 1.0, 2.0])
    df = dm.derivative(np.abs, method="taylor_series")
    np.testing.assert_array_equal(lazily(df, chunked(x, 3)).compute(), np.sign(x))


def test_other_shapes_types_and_numbers_that_are_complex():
    df = dm.derivative(lambda x: x**3, method="dual_numbers")
    square = np.arange(1, 13).reshape(3, 4)
    found = lazily(df, chunked(square, 2))
    assert found.dtype == float
    np.testing.assert_array_equal(found.compute(), 3.0 * square**2)
    found = lazily(df, chunked(square * 1j, 2))
    assert found.dtype == complex
    np.testing.assert_array_equal(found.compute(), -3.0 * square**2 + 0j)
    np.testing.assert_array_equal(lazily(df, chunked(2.0)).compute(), 12.0)
    assert lazily(df, chunked(np.zeros(0))).compute().shape == (0,)


def test_value_and_derivative_are_both_lazy():
    value, slope = lazily(dm.value_and_derivative(np.sin), chunked(POINTS))
    np.testing.assert_array_equal(value.compute(), np.sin(POINTS))
    expected = dm.derivative(np.sin)(POINTS)
    np.testing.assert_array_equal(slope.compute(), expected)


def test_a_function_that_mixes_items_is_refused_when_it_is_computed():
    found = lazily(dm.derivative(lambda x: x - np.mean(x)), chunked(POINTS))
    with pytest.raises(ShapeError, match="elementwise"):
        found.compute()
    found = lazily(dm.derivative(np.sum), chunked(POINTS))
    with pytest.raises(ShapeError, match="gradient or jacobian"):
        found.compute()


def test_what_is_wrong_with_the_array_is_said_at_once():
    with pytest.raises(InputError, match="must hold numbers"):
        dm.derivative(np.sin)(da.from_array(np.array(["a", "b"])))
    with pytest.raises(InputError, match="takes real points"):
        dm.derivative(np.sin, method="complex_step")(chunked(1j * POINTS))


def test_another_array_of_dask_inside_f_is_computed_with_its_block():
    a = chunked(POINTS, 101)
    found = lazily(dm.derivative(lambda x: a * x), chunked(POINTS, 101)).compute()
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, POINTS)


WHOLE = {
    "sum of squares": lambda x: np.sum(x**2),
    "mean": lambda x: np.mean(np.tanh(x)),
    "norm": np.linalg.norm,
    "where": lambda x: np.sum(np.where(x > 0.3, np.sin(x), x * x)),
    "maximum": lambda x: np.sum(np.maximum(x, 0.4) ** 2.5),
    "dot": lambda x: np.dot(x, x),
}


@pytest.mark.parametrize("f", WHOLE.values(), ids=WHOLE)
def test_reductions_stay_lazy_by_tape_and_by_dual_numbers(f):
    x, v = POINTS, np.cos(POINTS)
    expected = dm.gradient(f, method="reverse_tape")(x)
    found = lazily(dm.gradient(f, method="reverse_tape"), chunked(x))
    np.testing.assert_allclose(found.compute(), expected, rtol=1e-14)
    push = dm.jvp(f, method="dual_numbers")
    for direction in (v, chunked(v)):
        found = lazily(push, chunked(x), direction)
        np.testing.assert_allclose(found.compute(), push(x, v), rtol=1e-13)


def test_differences_along_a_direction_stay_lazy():
    push = dm.jvp(lambda x: np.sum(np.sin(x)), method="central_difference")
    found = lazily(push, chunked(POINTS), chunked(np.ones(101)))
    assert found.compute() == pytest.approx(np.sum(np.cos(POINTS)), rel=1e-9)


def test_a_cluster_gives_the_numbers_of_this_machine():
    distributed = pytest.importorskip("distributed")
    x = np.linspace(-2.0, 2.0, 1000)
    methods = ["dual_numbers", "taylor_series", "central_difference", "reverse_tape"]
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        for method in methods:
            df = dm.derivative(damped, method=method)
            found = client.compute(df(chunked(x, 300))).result()
            np.testing.assert_array_equal(found, df(x), err_msg=method)


BIG = """
import sys
import dask, dask.array as da, numpy as np
import diffmethods as dm

points = 100_000_000
df = dm.derivative(np.tanh, method=sys.argv[1])
x = da.linspace(-3.0, 3.0, points, chunks=1_000_000)
places = np.arange(7, points, points // 1000)
with dask.config.set(scheduler="threads", num_workers=2):
    slopes, total, at = dask.compute(df(x)[places], df(x).sum(), x[places])
np.testing.assert_array_equal(slopes, df(at))
np.testing.assert_allclose(total * 6.0 / (points - 1), 2.0 * np.tanh(3.0), rtol=1e-7)
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells the peak memory"
)
@pytest.mark.parametrize("method", ["dual_numbers", "taylor_series"])
def test_a_hundred_million_points_in_less_than_a_gigabyte(method):
    """They would take 0.8 GB for the points alone, and as much for the slopes."""
    run = functools.partial(subprocess.run, check=True, capture_output=True, text=True)
    peak = int(run([sys.executable, "-c", BIG, method], timeout=300).stdout)
    assert peak < 1e9
