"""NumPy's composite functions: NumPy's own values, and slopes like differences."""

import numpy as np
import pytest
from installed import EXACT

import diffmethods as dm
from diffmethods.errors import DiffmethodsError, MissingRuleError

X = np.array([[1.5, -0.3, 0.8], [0.4, 2.1, -1.2], [0.3, 0.7, -0.9], [0.6, 1.1, 0.2]])
T = np.arange(4.0)
W = np.array([1.0, 0.5, 2.0, 1.5])
ENGINES = ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source")
CASES = {
    "cov": lambda x: np.cov(x),
    "cov of columns": lambda x: np.cov(x[:, :2], x[:, 2:], rowvar=False, bias=True),
    "cov of one": lambda x: np.cov(x[0], ddof=0),
    "corrcoef": lambda x: np.corrcoef(x),
    "corrcoef of two": lambda x: np.corrcoef(x[0], x[1]),
    "lstsq": lambda x: np.linalg.lstsq(x, W)[0],
    "lstsq of two": lambda x: np.linalg.lstsq(x, np.stack([W, x[:, 0] ** 2], 1))[0],
    "residuals": lambda x: np.linalg.lstsq(x[:, :2], x[:, 2])[1],
    "underdetermined": lambda x: np.linalg.lstsq(x[:2], W[:2])[0],
    "polyfit": lambda x: np.polyfit(x[:, 0], x[:, 1], 2),
    "polyfit of two": lambda x: np.polyfit(T, x, 1),
    "polyfit weighted": lambda x: np.polyfit(T, x[:, 1], 2, w=W),
    "cond": lambda x: np.linalg.cond(x),
    "cond to -2": lambda x: np.linalg.cond(x[:3], -2),
    "cond by sums": lambda x: np.linalg.cond(x[:3], 1),
    "cond by squares": lambda x: np.linalg.cond(x[:3], "fro"),
    "logspace": lambda x: np.logspace(x[0, 1], x[0, 0], 4),
    "logspace to 2": lambda x: np.logspace(0.0, x[0], 3, base=2.0, endpoint=False),
    "geomspace": lambda x: np.geomspace(1.0, x[0, 0], 5),
    "geomspace below 0": lambda x: np.geomspace(-2.0, x[2, 2], 3),
    "choose": lambda x: np.choose([0, 2, 1], x),
    "choose of a list": lambda x: np.choose([[0], [1]], [x[0], x[1] ** 2]),
    "bincount": lambda x: np.bincount([0, 2, 0, 3], weights=x[:, 0], minlength=6),
    "largest so far": lambda x: np.maximum.accumulate(x, axis=1),
    "logaddexp": lambda x: np.logaddexp.reduce(x, axis=0),
    "logaddexp of all": lambda x: np.logaddexp.reduce(x, axis=None, keepdims=True),
    "hypot": lambda x: np.hypot.reduce(x, axis=1, keepdims=True),
}


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("case", CASES)
def test_a_composite_function(case, method):
    f = CASES[case]

    def total(x):
        return np.sum(f(x) ** 2)

    try:
        y, slope = dm.value_and_gradient(total, method=method)(X)
    except DiffmethodsError as error:
        if method in ENGINES:
            raise
        pytest.skip(f"refused: {str(error)[:60]}")
    assert y == pytest.approx(total(X), rel=1e-11)
    expected = dm.gradient(total, method="chebyshev")(X)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(slope, expected, rtol=1e-8, atol=1e-9 * scale)


@pytest.mark.parametrize("method", ENGINES)
def test_what_is_not_defined_is_refused(method):
    def gradient(f):
        return dm.gradient(f, method=method)(X)

    with pytest.raises(ValueError, match="invalid entry in choice array"):
        gradient(lambda x: np.choose([0, 9, 0], x).sum())
    for f in (
        lambda x: np.polyfit(T, x[:, 0], 1, full=True)[0].sum(),
        lambda x: np.logaddexp.reduce(x, axis=(0, 1)),
        lambda x: np.logaddexp.reduce(x[:0], axis=0).sum(),
        lambda x: np.logaddexp.reduce(x, axis=0, initial=1.0).sum(),
    ):
        with pytest.raises(MissingRuleError, match="no rule for"):
            gradient(f)
