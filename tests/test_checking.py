"""A check finds a wrong derivative and lets a right one pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installed import METHODS

import diffmethods as dm
from diffmethods.errors import ShapeError, WrongDerivativeError

PRECISE = [n for n in METHODS if dm.get_method(n).rtol <= 1e-8]


def f(x):
    return np.sum(np.exp(x[:-1]) * np.sin(x[1:]))


def gradient(x):
    found = np.zeros(len(x))
    found[:-1] = np.exp(x[:-1]) * np.sin(x[1:])
    found[1:] += np.exp(x[:-1]) * np.cos(x[1:])
    return found


X = np.array([0.3, -1.2, 2.1, 0.7])


@pytest.mark.parametrize("reference", ["chebyshev", "central_difference", "richardson"])
def test_a_right_gradient_by_hand_passes(reference):
    check = dm.check_gradient(f, X, gradient=gradient, reference=reference)
    assert not np.any(check.wrong)
    np.testing.assert_allclose(check.derivative, gradient(X))
    np.testing.assert_allclose(check.reference, gradient(X), atol=1e-6)


@pytest.mark.parametrize("method", PRECISE)
@pytest.mark.parametrize("function", [np.sin, np.cumsum, np.sum, f])
def test_every_method_passes(function, method):
    dm.check_gradient(function, X, method=method)


@settings(deadline=None)
@given(
    item=st.integers(0, 3),
    error=st.sampled_from([1e-5, -1e-3, 1.0, -1e6, np.inf, np.nan]),
)
def test_a_wrong_item_is_found_and_named(item, error):
    def wrong(x):
        found = gradient(x)
        found[item] += error
        return found

    with pytest.raises(WrongDerivativeError, match=r"f by hand .* 1 of 4") as caught:
        dm.check_gradient(f, X, gradient=wrong)
    first = str(caught.value).splitlines()[2].split()
    assert int(first[0]) == item


def test_the_table_of_a_jacobian_names_its_rows_and_columns():
    with pytest.raises(WrongDerivativeError) as caught:
        dm.check_gradient(np.cumsum, X, gradient=lambda x: np.tri(4).T)
    lines = str(caught.value).splitlines()
    assert lines[1].split() == ["item", "derivative", "reference", "difference"]
    assert len(lines) == 13
    assert lines[-1] == "and 6 more with smaller differences"
    assert lines[2].split()[:2] == ["0,", "1"]


def test_a_number_has_one_row():
    check = dm.check_gradient(np.tanh, 0.5)
    assert str(check).splitlines()[1].split()[0] == "-"
    with pytest.raises(WrongDerivativeError, match="tanh"):
        dm.check_gradient(np.tanh, 0.5, gradient=np.cos)


def test_a_derivative_of_another_shape():
    with pytest.raises(ShapeError, match=r"\(3,\).*\(4,\)"):
        dm.check_gradient(f, X, gradient=lambda x: gradient(x)[1:])


def test_a_constant_has_the_slope_zero():
    check = dm.check_gradient(
        lambda x: 0.0 * x, 1.0, gradient=lambda x: 0.0, reference="central_difference"
    )
    assert check.error == 0


@settings(deadline=None)
@given(power=st.integers(-100, 100), wrong=st.booleans())
def test_units_do_not_matter(power, wrong):
    unit = 10.0**power
    energy = lambda x: unit * np.sin(x)
    slope = lambda x: unit * np.cos(x) * (1.001 if wrong else 1.0)
    if wrong:
        with pytest.raises(WrongDerivativeError):
            dm.check_gradient(energy, 0.5, gradient=slope)
    else:
        dm.check_gradient(energy, 0.5, gradient=slope)


@pytest.mark.parametrize("reference", ["chebyshev", "central_difference", "richardson"])
@pytest.mark.parametrize("x", [np.zeros(3), np.array([1.0, 0.0, 0.0]), 0.0])
@pytest.mark.parametrize(
    "function",
    [
        *(np.cos, np.prod, np.square),
        *(lambda x: x**3, lambda x: 1e-20 * np.sum(x**2)),
        *(lambda x: np.sum(np.cosh(x) - 1), lambda x: np.sin(x) ** 2),
    ],
)
def test_zeros_pass(function, x, reference):
    dm.check_gradient(function, x, reference=reference)


def test_the_end_of_a_domain_is_no_obstacle():
    def below_one(x):
        if np.any(np.asarray(x) > 1.01):
            raise ValueError
        return x * x

    dm.check_gradient(below_one, 0.99, reference="central_difference")
