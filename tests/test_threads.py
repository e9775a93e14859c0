"""Sixteen threads differentiate different functions at once, and all are right."""

import threading
from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
import pytest
from installed import METHODS

import diffmethods as dm
from diffmethods.errors import DiffmethodsError

THREADS = 16
ROUNDS = 6
LONG = 20_000  # items: long enough for the buffers of a thread


def functions(k):
    """Functions of one thread's own, each with its exact slope at x."""
    a = 1.0 + k / 8

    def wave(x):
        return np.sin(a * x) * np.exp(-x / a)

    def branch(x):
        return np.where(x > 0.72, x**2, a * np.tanh(x))

    def loop(x):
        for j in range(k % 4 + 1):
            x = np.sin(x) + a * j
        return x

    return wave, branch, loop


def exact(f, x):
    """mpmath's derivative of what NumPy's functions do to one number."""
    numpy = {name: getattr(mpmath, name) for name in ("sin", "exp", "tanh")}
    stand_in = type(
        "numpy", (), {**numpy, "where": staticmethod(lambda c, a, b: a if c else b)}
    )
    namespace = dict(f.__globals__) | {"np": stand_in}
    g = type(f)(f.__code__, namespace, f.__name__, None, f.__closure__)
    with mpmath.workdps(30):
        return float(mpmath.diff(g, mpmath.mpf(x)))


# Before any thread starts: mpmath's precision is one for all of them.
WANT = {
    (k, i): exact(f, 0.25 + k / 16)
    for k in range(THREADS)
    for i, f in enumerate(functions(k))
}
SHARED = lambda x: np.sum(np.sin(x) * x)  # one function that all threads differentiate


@pytest.mark.parametrize("name", METHODS)
def test_all_threads_are_right(name):
    method = dm.get_method(name)
    rtol = 1e-12 if method.exact else 1e-4
    start = threading.Barrier(THREADS)

    def work(k):
        start.wait(timeout=60)
        x = 0.25 + k / 16
        for _ in range(ROUNDS):
            for i, f in enumerate(functions(k)):
                try:
                    slope = dm.derivative(f, method=name)(x)
                except DiffmethodsError:  # refused in one thread as in many
                    continue
                np.testing.assert_allclose(slope, WANT[k, i], rtol, 1e-9)
            points = np.linspace(x, x + 1, 3 + k % 3)
            found = dm.gradient(SHARED, method=name)(points)
            want = np.sin(points) + points * np.cos(points)
            np.testing.assert_allclose(found, want, rtol, rtol)
        return k

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == list(range(THREADS))


@pytest.mark.parametrize("name", ["dual_numbers", "reverse_tape", "numpy_source"])
def test_long_arrays_in_threads(name):
    """Memory that is used again belongs to one thread."""

    def work(k):
        x = np.linspace(0.0, 1.0 + k, LONG)
        for _ in range(3):
            slope = dm.derivative(lambda x: np.sin(x) * x + k * x**2, method=name)(x)
            want = np.sin(x) + x * np.cos(x) + 2 * k * x
            np.testing.assert_allclose(slope, want, 1e-12, 1e-12)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
