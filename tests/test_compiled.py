"""Compiled programs: kept as long as they hold, and never a moment longer."""

import importlib

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import MissingLibraryError
from diffmethods.lifted import Native

METHODS = [n for n in ("jax", "tensorflow") if n in dm.list_methods()]
X = np.array([0.3, 1.2])


@pytest.fixture(params=METHODS)
def method(request):
    try:
        dm.get_method(request.param)
    except MissingLibraryError as error:
        pytest.skip(str(error))
    return request.param


def test_the_results_are_the_same(method):
    f = lambda x: np.sum(np.sin(x) ** 2)
    for operator, more in (
        (dm.gradient, ()),
        (dm.hessian, ()),
        (dm.jvp, (X,)),
        (dm.vjp, (1.5,)),
        (dm.hvp, (X,)),
        (dm.jacobian, ()),
    ):
        got = [operator(f, method=method, compile=True)(X, *more) for _ in range(2)]
        want = operator(f)(X, *more)
        np.testing.assert_allclose(got, [want, want], rtol=1e-13, atol=1e-14)


def test_a_program_is_made_once_for_each_shape_and_operator(method, monkeypatch):
    module = importlib.import_module(f"diffmethods.methods.{method}")
    made = []

    def counted(*args):
        made.append(args)
        return Native(*args)

    monkeypatch.setattr(module, "Native", counted)
    f = lambda x: np.sum(x * x)
    slope = dm.gradient(f, method=method, compile=True)
    for x, programs in ((X, 1), (2 * X, 1), (np.ones(3), 2), (3 * X, 2)):
        np.testing.assert_allclose(slope(x), 2 * x)
        assert len(made) == programs
    dm.hessian(f, method=method, compile=True)(X)
    assert len(made) == 3


@pytest.mark.parametrize("kind", ["cell", "list", "array", "global"])
def test_nothing_is_stale(method, kind):
    global FACTOR
    FACTOR = factor = 1.0
    inside, array = [1.0], np.ones(2)
    functions = {
        "cell": lambda x: factor * np.sum(x * x),
        "list": lambda x: inside[0] * np.sum(x * x),
        "array": lambda x: np.sum(array * x * x),
        "global": lambda x: FACTOR * np.sum(x * x),
    }
    slope = dm.gradient(functions[kind], method=method, compile=True)
    for new in (1.0, 3.0, 5.0):
        FACTOR = factor = inside[0] = new
        array[:] = new
        np.testing.assert_allclose(slope(X), 2 * new * X)


def test_what_cannot_be_compiled_is_followed(method):
    f = lambda x: x if x > 0 else -x
    slope = dm.derivative(f, method=method, compile=True)
    assert [slope(x) for x in (2.0, -2.0, 3.0)] == [1.0, -1.0, 1.0]
    random = np.random.default_rng(0)
    noisy = dm.derivative(lambda x: x * random.random(), method=method, compile=True)
    assert noisy(1.0) != noisy(1.0)


def test_errors_are_those_of_f(method):
    with pytest.raises(ZeroDivisionError):
        dm.derivative(lambda x: x / (1 // 0), method=method, compile=True)(1.0)
