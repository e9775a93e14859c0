"""Arguments that are given by their place mean the same as by their name."""

import numpy as np
import pytest
from installed import EXACT

import diffmethods as dm
from diffmethods.errors import DiffmethodsError

X = np.array([[1.5, -0.3, 0.8], [0.4, 2.1, -1.2], [0.3, 0.7, -0.9]])
ENGINES = ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source")
CASES = {
    "diff": lambda x: np.sum(np.diff(x, 1, -1, 0.5) ** 2),
    "diff between": lambda x: np.sum(np.diff(x, 1, 0, x[:1] * 2, np.ones((1, 3))) ** 2),
    "ediff1d": lambda x: np.sum(np.ediff1d(x, [1.0, 2.0], [3.0]) ** 2),
    "cumsum": lambda x: np.sum(np.cumsum(x, None, float) ** 2),
    "cumprod": lambda x: np.sum(np.cumprod(x, 1, float) ** 2),
    "mean": lambda x: np.sum(np.mean(x, 0, None, None, True) ** 2),
    "std": lambda x: np.sum(np.std(x, 0, None, None, 1)),
    "var": lambda x: np.sum(np.var(x, 0, None, None, 1, True)),
    "take": lambda x: np.sum(np.take(x, [0, 4], 1, None, "wrap") ** 2),
    "full_like": lambda x: np.sum(np.full_like(x, x[0, 0], float)),
    "nan_to_num": lambda x: np.sum(np.nan_to_num(x, True, 1.0) ** 2),
    "reduce": lambda x: np.sum(np.add.reduce(x, 1, None, None, True, 2.0) ** 2),
    "method": lambda x: x.sum(1, None, None, True).sum() ** 2,
    "trace": lambda x: np.trace(x, 1, 1, 0) ** 2,
    "concatenate": lambda x: np.sum(np.concatenate([x, x], None) ** 3),
}


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("case", CASES)
def test_an_argument_by_place(case, method):
    expected = dm.gradient(CASES[case], method="central_difference")(X)
    try:
        found = dm.gradient(CASES[case], method=method)(X)
    except DiffmethodsError as error:
        if method in ENGINES and "dtype" not in str(error):
            raise
        pytest.skip(f"refused: {str(error)[:60]}")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
