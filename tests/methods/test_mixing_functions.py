"""Functions that mix what they get in one call: right, or an error; never silent."""

import math

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import DiffmethodsError, ShapeError
from diffmethods.methods import cauchy_integral, chebyshev, richardson

OWN = [
    *("chebyshev", "richardson", "cauchy_integral"),
    *("central_difference", "forward_difference", "complex_step"),
]
COS2 = math.cos(2.0)

# Function, and its first and second derivative at the number 2; a number is its own
# mean, sum and maximum.
FUNCTIONS = {
    "sign of the sum": (lambda x: x**2 if np.sum(x).real > 0 else -x, 4, 2),
    "parts of the maximum": (lambda x: x / np.max(np.abs(x)), 0, 0),
    "parts of the sum": (lambda x: np.exp(x) / np.sum(np.exp(x)), 0, 0),
    "mean added": (lambda x: np.sin(x) + np.mean(x), COS2 + 1, -math.sin(2.0)),
    "times the mean": (lambda x: x * np.mean(x), 4, 2),
    "a little of the mean": (lambda x: x + 1e-3 * np.mean(x), 1.001, 0),
    "times the norm": (lambda x: x * np.linalg.norm(x), 4, 2),
    "running sum": (np.cumsum, 1, 0),
    "times the size": (lambda x: x**2 * np.size(x), 4, 2),
    "times the dimensions": (lambda x: x**2 * (1 + np.ndim(x)), 4, 2),
    "if any": (lambda x: x**3 + 5 if np.any(np.real(x) > 2.1) else x, 1, 0),
    "if any is low": (lambda x: x**3 + 5 if np.any(np.real(x) < 1.9) else x, 1, 0),
    "if all": (lambda x: x**3 + 5 if np.all(np.real(x) > 1.9) else x, 12, 12),
    "if the mean": (lambda x: x**3 + 5 if np.mean(np.real(x)) > 1.95 else x, 12, 12),
    "the first subtracted": (lambda x: x - x[0] if np.ndim(x) else x, 1, 0),
    "sorted": (lambda x: np.sort(x, axis=0) if np.ndim(x) else 2 * x, 2, 0),
}


@pytest.mark.parametrize("method", OWN)
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_at_a_number(method, order, name):
    f, *slopes = FUNCTIONS[name]
    if order == 2 and method == "complex_step":
        return
    try:
        found = dm.derivative(f, method=method, order=order)(2.0)
    except DiffmethodsError:
        return
    np.testing.assert_allclose(found, slopes[order - 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS if not name.startswith(("if", "sign"))]
)
def test_chebyshev_is_right_and_counts_what_it_took(name):
    f, slope, _ = FUNCTIONS[name]
    points = []

    def counted(x):
        y = f(x)
        points.append(np.size(x))
        return y

    found = chebyshev.solve(counted, 2.0)
    assert np.all(found.success)
    np.testing.assert_allclose(found.df, slope, rtol=1e-11, atol=1e-11)
    assert np.all(np.abs(found.df - slope) <= found.error)
    assert np.max(found.nfev) <= sum(points) <= np.max(found.nfev) + 8


@pytest.mark.parametrize("method", OWN)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [[2.0], [2.0, 1.0], [[2.0, 1.0], [3.0, 0.5]], "many"])
def test_at_an_array(method, name, x):
    f = FUNCTIONS[name][0]
    x = np.full(300, 2.0) if x == "many" else np.array(x)
    try:
        found = dm.derivative(f, method=method)(x)
    except DiffmethodsError:
        return
    step = 1e-6  # what every item has by itself
    alone = x.reshape(-1, *np.ones(x.ndim, int))
    true = [(f(z + step) - f(z - step)) / (2 * step) for z in alone]
    np.testing.assert_allclose(found.ravel(), np.ravel(true), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("module", [chebyshev, richardson, cauchy_integral])
def test_items_that_depend_on_each_other_are_refused(module):
    for f in (
        lambda x: x * np.mean(x, axis=-1, keepdims=True),
        lambda x: x * np.sum(x),
    ):
        with pytest.raises(ShapeError, match="depends on other items"):
            module.solve(f, np.array([2.0, 1.0]))


def test_a_result_of_one_item_keeps_its_shape():
    for method in OWN:
        found = dm.derivative(lambda x: x**2 * np.ones(1), method=method)(2.0)
        assert found.shape == (1,)
        assert found[0] == pytest.approx(4, rel=1e-5)
