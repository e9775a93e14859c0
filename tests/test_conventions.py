"""At kinks, poles and the ends of the floats, all engines of ours mean the same."""

import numpy as np
import pytest
from installed import METHODS

import diffmethods as dm
from diffmethods.errors import NotDifferentiableError

ENGINES = ["dual_numbers", "taylor_series", "reverse_tape", "numpy_source"]
TINY = np.finfo(float).smallest_subnormal

# Each with the point and the slope: a limit, or the convention of the docs.
CASES = {
    "x**0 at 0": (lambda x: x**0, 0.0, 0.0),
    "x**1 at 0": (lambda x: x**1, 0.0, 1.0),
    "x**2.0 at 0": (lambda x: x**2.0, 0.0, 0.0),
    "x**0.5 at 0": (lambda x: x**0.5, 0.0, np.inf),
    "0**x at 1": (lambda x: 0.0**x, 1.0, 0.0),
    "sqrt at 0": (np.sqrt, 0.0, np.inf),
    "cbrt at 0": (np.cbrt, 0.0, np.inf),
    "arcsin at 1": (np.arcsin, 1.0, np.inf),
    "sqrt of a negative number": (np.sqrt, -1.0, np.nan),
    "the branch with NaN is not taken": (
        lambda x: np.where(x > 0, np.sqrt(x), 0.0),
        -1.0,
        0.0,
    ),
    "the branch with a pole is not taken": (
        lambda x: np.where(x != 0, np.log(x), 0.0),
        0.0,
        0.0,
    ),
    "sinc by a branch": (lambda x: np.where(x != 0, np.sin(x) / x, 1.0), 0.0, 0.0),
    "a tie with a constant": (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
    "a tie with itself": (lambda x: np.minimum(x, x), 2.0, 1.0),
    "clip at its end": (lambda x: np.clip(x, 0, 1), 1.0, 0.5),
    "abs at 0": (np.abs, 0.0, 0.0),
    "abs at -0.0": (np.abs, -0.0, 0.0),
    "hypot at 0": (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
    "sign at 0": (np.sign, 0.0, 0.0),
    "floor at a whole number": (np.floor, 2.0, 0.0),
    "tanh at infinity": (np.tanh, np.inf, 0.0),
    "arctan at -infinity": (np.arctan, -np.inf, 0.0),
    "exp at -infinity": (np.exp, -np.inf, 0.0),
    "exp where it overflows": (np.exp, 710.0, np.inf),
    "NaN": (np.tanh, np.nan, np.nan),
    "x * x of a subnormal": (lambda x: x * x, TINY, 2 * TINY),
    "log of a subnormal": (np.log, TINY, np.inf),
    "1 / x of a subnormal": (lambda x: 1 / x, 1e-310, -np.inf),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what NumPy says of f itself
@pytest.mark.parametrize("method", ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_at_a_number_and_in_an_array(name, method):
    f, x, want = CASES[name]
    df = dm.derivative(f, method=method)
    np.testing.assert_equal(float(df(x)), want)
    np.testing.assert_equal(df(np.array([x, x])), np.array([want, want]))


@pytest.mark.parametrize("method", ENGINES)
def test_ties_are_shared(method):
    grad = dm.gradient(np.max, method=method)
    np.testing.assert_equal(grad(np.array([1.0, 3.0, 3.0])), [0.0, 0.5, 0.5])
    grad = dm.gradient(np.min, method=method)
    np.testing.assert_equal(grad(np.array([1.0, 1.0, 1.0, 1.0])), [0.25] * 4)


@pytest.mark.parametrize("method", ENGINES)
def test_the_length_of_nothing(method):
    grad = dm.gradient(np.linalg.norm, method=method)
    np.testing.assert_equal(grad(np.zeros(3)), np.zeros(3))
    grad = dm.gradient(np.std, method=method)
    np.testing.assert_equal(grad(np.full(3, 2.0)), np.zeros(3))


@pytest.mark.parametrize("method", ENGINES)
def test_large_slopes_warn_of_nothing(method):
    grad = dm.gradient(lambda x: np.sum(1e200 * x), method=method)
    np.testing.assert_equal(grad(np.ones(3)), np.full(3, 1e200))


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_goes_in_and_double_comes_out(method):
    """A float32 point is that number exactly, and the work is done in float64."""
    rtol = 1e-14 if dm.get_method(method).exact else 1e-6
    point = np.float32(0.7)
    want = 1 / np.cosh(float(point)) ** 2
    slope = dm.derivative(np.tanh, method=method)(point)
    assert slope.dtype == np.float64
    np.testing.assert_allclose(slope, want, rtol=rtol)
    slopes = dm.derivative(np.tanh, method=method)(np.array([0.7, 0.7], np.float32))
    assert slopes.dtype == np.float64
    np.testing.assert_allclose(slopes, [want, want], rtol=rtol)


def takes_complex(method):
    return dm.get_method(method).complex_points


@pytest.mark.parametrize("method", list(filter(takes_complex, METHODS)))
def test_a_complex_variable(method):
    rtol = max(1e-12, dm.get_method(method).rtol)
    z = np.array([0.3 + 0.4j, -1.2 + 0.1j])
    want = np.exp(z) * np.sin(z) + np.exp(z) * np.cos(z)
    df = dm.derivative(lambda z: np.exp(z) * np.sin(z), method=method)
    np.testing.assert_allclose(df(z), want, rtol=rtol)
    np.testing.assert_allclose(df(z[0]), want[0], rtol=rtol)
    for f in (np.abs, np.conjugate, lambda z: z.real * 1.0, lambda z: z * np.abs(z)):
        with pytest.raises(
            NotDifferentiableError, match=r"complex derivative|not analytic"
        ):
            dm.derivative(f, method=method)(z[0])
