"""The short cut on floats is right, and leaves the rest to the long way."""

import functools
import operator
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods import reference
from diffmethods.methods.dual_numbers import DualNumber, at_number
from diffmethods.plain_numbers import UNARY

derivative = functools.partial(dm.derivative, method="dual_numbers")
POINTS = {np.arccosh: 1.7}


def right(got, f, x, ulps=8):
    want = reference.derivative(f, x)
    assert isinstance(got, np.float64)
    assert float(abs(got - want)) <= ulps * np.spacing(abs(float(want)))


@pytest.mark.parametrize("ufunc", UNARY, ids=lambda f: f.__name__)
def test_elementary_functions_on_floats(ufunc):
    if ufunc in (np.radians, np.degrees):  # mpmath has them under their other names
        want = np.pi / 180 if ufunc is np.radians else 180 / np.pi
        assert at_number(ufunc, 0.3) == want
        return
    x = POINTS.get(ufunc, 0.3)
    if ufunc is np.fabs:
        assert at_number(ufunc, x) == 1.0
        return
    right(at_number(ufunc, x), ufunc, x)


FORMULAS = {
    "cubic": lambda x: x**3 + 2 * x**2 - 3 * x + 1,
    "reflected": lambda x: (2 - x) * (3 / x) - (1 + x) / (x - 4) + (x + 1) / 2,
    "powers": lambda x: x**2.5 + x**0 + x**-2,
    "products": lambda x: x * x / (x + x) - (-x) * np.float64(2) + np.float64(3) / x,
    "branches": lambda x: (
        x * x if (x > 0) & (x >= 0) & (not x < 0) & (not x <= 0) else x
    ),
    "between": lambda x: x if x < x * x else np.exp(x),
    "absolute": lambda x: abs(x) * np.abs(-x),
    "wave": lambda x: np.exp(-x / 4) * np.sin(2 * x),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_on_floats(name):
    got = at_number(FORMULAS[name], 0.75)
    if name in ("branches", "between"):
        assert got == {"branches": 1.5, "between": np.exp(0.75)}[name]
    else:
        right(got, FORMULAS[name], 0.75)


def test_the_kink_of_abs():
    with pytest.raises(FloatingPointError):  # the long way knows that it is one
        at_number(abs, 0.0)
    assert derivative(abs)(0.0) == 0.0
    assert at_number(abs, -2.0) == -1.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where(x > 0, x, 0.0),
        lambda x: np.sum(x) + 0 * x,
        lambda x: x ** (0.5 * x),
    ],
)
def test_the_rest_takes_the_long_way(f):
    assert derivative(f)(2.0) == pytest.approx(derivative(f)(np.array([2.0]))[0])


def test_what_math_refuses_warns_as_in_numpy():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert derivative(lambda x: 1 / x)(0.0) == -np.inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert derivative(np.exp)(1000.0) == np.inf
    with pytest.warns(RuntimeWarning, match="invalid"):
        assert np.isnan(derivative(np.sqrt)(-1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert derivative(lambda x: x ** (1 / 3))(8.0) == pytest.approx(1 / 12)


@pytest.mark.parametrize(
    "combine",
    [
        operator.add,
        operator.sub,
        operator.mul,
        operator.truediv,
        operator.pow,
        operator.lt,
        operator.ge,
        operator.gt,
        operator.le,
    ],
)
def test_levels_are_kept_apart(combine):
    """A number of an outer derivative is a constant, and the long way treats it so."""

    def f(x):
        return derivative(lambda y: y * y + 0 * combine(x, y) + 0 * combine(y, x))(1.5)

    assert derivative(f)(2.0) == 0.0


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.5, 5))
def test_the_short_cut_agrees_with_the_long_way(x, a, b):
    f = lambda x: np.sin(a * x) * np.exp(x / b) + np.tanh(x - a) / b
    np.testing.assert_allclose(
        derivative(f)(x), derivative(f)(np.array([x]))[0], rtol=1e-12, atol=1e-13
    )


def test_a_dual_number_is_refused_where_a_float_is_wanted():
    with pytest.raises(TypeError, match=r"use np\.sin"):
        derivative(float)(1.0)
    with pytest.raises(TypeError, match=r"use np\.sin"):
        float(DualNumber())
