"""Reductions of a part of the items, with `where` and `initial`, by every method."""

import numpy as np
import pytest
from installed import EXACT

import diffmethods as dm
from diffmethods.errors import DiffmethodsError, MissingRuleError

X = np.array([[1.5, -0.3, 0.8], [0.4, 2.1, -1.2]])
WHERE = np.array([[True, False, True], [False, True, True]])
ROW = np.array([True, False, True])

# What is written with where= or initial=, and the same by indexing.
CASES = {
    "sum": (lambda x: np.sum(x**2, where=WHERE), lambda x: np.sum(x[WHERE] ** 2)),
    "sum of rows": (
        lambda x: np.sum(np.sum(x**2, axis=1, where=ROW) ** 2),
        lambda x: np.sum((x[:, 0] ** 2 + x[:, 2] ** 2) ** 2),
    ),
    "sum from": (
        lambda x: np.sum(x, axis=0, initial=2.0)[1] ** 2,
        lambda x: (x[0, 1] + x[1, 1] + 2.0) ** 2,
    ),
    "prod": (
        lambda x: np.prod(x, where=WHERE, initial=3.0),
        lambda x: 3.0 * np.prod(x[WHERE]),
    ),
    "max": (lambda x: np.max(x**2, where=WHERE, initial=0.0), lambda x: x[1, 1] ** 2),
    "max below initial": (
        lambda x: np.sum(x) * np.max(x, initial=50.0),
        lambda x: 50.0 * np.sum(x),
    ),
    "max of columns": (
        lambda x: np.sum(x.max(axis=0, initial=0.5, keepdims=True) ** 2),
        lambda x: x[0, 0] ** 2 + x[1, 1] ** 2 + x[0, 2] ** 2,
    ),
    "max of nothing": (
        lambda x: np.sum(x[:, :0].max(axis=1, initial=3.0) * x[:, 0]),
        lambda x: 3.0 * np.sum(x[:, 0]),
    ),
    "arguments by place": (
        lambda x: np.sum(x**2, None, None, None, False, 1.0, WHERE) * x[0, 0],
        lambda x: (np.sum(x[WHERE] ** 2) + 1.0) * x[0, 0],
    ),
    "extremum by place": (
        lambda x: np.sum(np.max(x**3, 1, None, True, 0.0)),
        lambda x: x[0, 0] ** 3 + x[1, 1] ** 3,
    ),
    "reduce": (
        lambda x: np.minimum.reduce(x, axis=None, initial=9.0, where=WHERE) ** 2,
        lambda x: x[1, 2] ** 2,
    ),
    "mean": (lambda x: np.mean(x, where=WHERE) ** 3, lambda x: np.mean(x[WHERE]) ** 3),
    "var": (
        lambda x: np.var(x, where=WHERE, ddof=1),
        lambda x: np.var(x[WHERE], ddof=1),
    ),
    "std": (
        lambda x: np.sum(np.std(x, axis=1, where=ROW)),
        lambda x: np.sum(np.std(x[:, ::2], axis=1)),
    ),
}


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("case", CASES)
def test_a_part_is_reduced_like_the_same_items_alone(case, method):
    f, by_index = CASES[case]
    assert f(X) == pytest.approx(by_index(X), rel=1e-15)
    expected = dm.gradient(by_index, method="central_difference")(X)
    try:
        found = dm.gradient(f, method=method)(X)
    except DiffmethodsError as error:
        if method != "tangent":
            raise
        pytest.skip(f"tangent refuses it: {str(error).partition(':')[0]}")
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)
    exact = dm.gradient(by_index)(X)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["dual_numbers", "reverse_tape", "numpy_source"])
def test_nothing_may_be_left_without_an_initial_value(method):
    with pytest.raises(ValueError, match="needs initial="):
        dm.gradient(lambda x: np.max(x, where=WHERE), method=method)(X)


@pytest.mark.parametrize("method", ["dual_numbers", "taylor_series", "reverse_tape"])
def test_what_numpy_would_hand_to_a_method_is_refused_once(method):
    with pytest.raises(MissingRuleError, match=r"no rule for np\.choose"):
        dm.gradient(lambda x: np.choose([9, 1], x, mode="wrap").sum(), method=method)(X)
