"""Functions that no black box can do much with: what comes out is said, or an error."""

import math

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    NotDifferentiableError,
    ShapeError,
)

ESTIMATING = ["chebyshev", "richardson", "cauchy_integral"]
METHODS = [*ESTIMATING, "central_difference", "forward_difference"]
X = np.array([0.5, 1.0, 2.0])

every_method = pytest.mark.parametrize("method", METHODS)
with_estimate = pytest.mark.parametrize("method", ESTIMATING)
number_and_array = pytest.mark.parametrize("x", [1.0, X], ids=["number", "array"])


def from_1_on(square, outside):
    """A square whose domain ends at 1."""
    return lambda z: np.where(np.real(z) < 1, outside, square(z))


@every_method
@number_and_array
def test_an_error_of_f_comes_through_as_it_is(method, x):
    def f(z):
        raise KeyError("no such table")

    with pytest.raises(KeyError, match="no such table"):
        dm.derivative(f, method=method)(x)
    with pytest.raises(KeyError, match="no such table"):
        dm.gradient(f, method=method)(X)


@every_method
def test_an_error_outside_of_the_domain_comes_through(method):
    def f(z):
        if np.any(np.real(z) < 1):
            raise ValueError("only from 1 on")
        return np.sqrt(z)

    df = dm.derivative(f, method=method)
    assert df(2.0) == pytest.approx(1 / math.sqrt(8), rel=1e-6)
    if method == "forward_difference":
        assert df(1.0) == pytest.approx(0.5, rel=1e-6)
        return
    with pytest.raises(ValueError, match="only from 1 on"):
        df(1.0)
    inside = dm.derivative(f, method="chebyshev", bounds=(1, np.inf))
    assert inside(1.0) == pytest.approx(0.5, rel=1e-12)


@every_method
@number_and_array
def test_nan_gives_nan(method, x):
    df = dm.derivative(lambda z: z * np.nan, method=method)(x)
    assert np.shape(df) == np.shape(x)
    assert np.isnan(df).all()
    assert np.isnan(dm.gradient(lambda z: np.sum(z) * np.nan, method=method)(X)).all()


@pytest.mark.parametrize("outside", [np.nan, np.inf])
@number_and_array
@with_estimate
def test_values_that_are_not_finite_on_one_side_are_an_error(method, x, outside):
    f = from_1_on(np.square, outside)
    with pytest.raises(NotDifferentiableError, match=r"x = 1\.0.*not finite"):
        dm.derivative(f, method=method)(x)
    with pytest.raises(NotDifferentiableError, match="not finite"):
        dm.gradient(lambda z: np.sum(f(z)), method=method)(X[1:])
    with pytest.raises(NotDifferentiableError, match="leaves the domain"):
        dm.derivative(f, method="central_difference")(x)
    slope = dm.derivative(f, method="chebyshev", bounds=(1, np.inf))(1.0)
    assert slope == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("method", ["chebyshev", "richardson", "central_difference"])
@number_and_array
def test_f_is_not_evaluated_at_x(method, x):
    """So a gap right at x is bridged: sin(x) / x has its slope at 0."""
    df = dm.derivative(lambda z: np.where(z == 1, np.nan, z * z), method=method)(x)
    np.testing.assert_allclose(df, 2 * x, rtol=1e-9)


@every_method
@pytest.mark.parametrize("constant", [3, np.int8(3), np.array(3)])
def test_integers_are_numbers(method, constant):
    df = dm.derivative(lambda z: constant, method=method)(1.0)
    assert df == 0
    assert isinstance(df, np.float64)
    with pytest.raises(ShapeError, match=r"shape \(3,\) gave shape \(\)"):
        dm.derivative(lambda z: constant, method=method)(X)


@pytest.mark.parametrize("method", METHODS[:2] + METHODS[3:])
def test_integers_in_arrays_do_not_overflow(method):
    """Differences of small integers are taken of floats."""
    f = lambda z: np.where(z < 0.7, -100, 100).astype(np.int8)
    df = dm.derivative(f, method=method)(np.array([0.3, 1.0]))
    np.testing.assert_array_equal(df, 0)


@with_estimate
@number_and_array
def test_steps_of_integers_have_no_slope(method, x):
    f = lambda z: np.trunc(np.real(z)).astype(int) * 3
    with pytest.raises(NotDifferentiableError):
        dm.derivative(f, method=method)(x)


@with_estimate
def test_complex_values_at_some_points(method):
    """The slope of a root is imaginary below 1, real above it, and none at 1."""
    f = lambda z: np.emath.sqrt(z - 1)
    df = dm.derivative(f, method=method)
    assert df(3.0) == pytest.approx(1 / math.sqrt(8), rel=1e-9)
    assert not np.iscomplexobj(df(3.0))
    with pytest.raises(NotDifferentiableError):
        df(1.0)
    if method != "cauchy_integral":  # the root has a cut there
        assert df(0.0) == pytest.approx(-0.5j, rel=1e-9)
        many = np.linspace(-3, 0.5, 300)
        both = np.append(many, 4 - many)
        np.testing.assert_allclose(df(both), 0.5 / f(both), rtol=1e-8)


@every_method
@pytest.mark.parametrize("result", [None, "a", object(), {}])
@number_and_array
def test_what_is_no_number_is_refused(method, result, x):
    with pytest.raises(InputError, match="does f return its result"):
        dm.derivative(lambda z: result, method=method)(x)


@every_method
@number_and_array
def test_truth_values_are_refused(method, x):
    with pytest.raises(NotDifferentiableError, match="True or False"):
        dm.derivative(lambda z: np.real(z) > 0, method=method)(x)
