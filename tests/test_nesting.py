"""Derivatives of derivatives, by every pair of methods, without confusing the two."""

import itertools

import mpmath as mp
import numpy as np
import pytest
from installed import EXACT, METHODS

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    MissingRuleError,
    NotDifferentiableError,
    TracedValueError,
    WrongDerivativeError,
)

ALL_ORDERS = [n for n in EXACT if (dm.get_method(n).max_order or 3) >= 3]
PAIRS = [  # differences of differences are a page of their own
    (outer, inner)
    for outer, inner in itertools.product(METHODS, METHODS)
    if outer in EXACT or inner in EXACT
]
REFUSALS = (
    InputError,
    MissingRuleError,
    NotDifferentiableError,
    TracedValueError,
    WrongDerivativeError,  # a library's, found out by the check of its method
)


def right(got, want, *names):
    exact = all(dm.get_method(name).exact for name in names)
    np.testing.assert_allclose(
        got, want, rtol=1e-14 if exact else 1e-4, atol=1e-15 if exact else 1e-4
    )


def attempt(run):
    """A pair that cannot nest must say so; a wrong number is never an answer."""
    try:
        return run()
    except REFUSALS as error:
        return None if str(error) else pytest.fail("an error without a word")


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_perturbations_are_not_confused(outer, inner):
    def f(x):
        return x * dm.derivative(lambda y: x + y, method=inner)(1.0)

    got = attempt(lambda: dm.derivative(f, method=outer)(2.0))
    if got is not None:
        right(got, 1.0, outer, inner)


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_second_derivatives_by_nesting(outer, inner):
    want = float(mp.diff(lambda x: mp.exp(mp.sin(x)), mp.mpf("0.75"), 2))
    f = lambda x: np.exp(np.sin(x))
    got = attempt(
        lambda: dm.derivative(dm.derivative(f, method=inner), method=outer)(0.75)
    )
    if got is not None:
        right(got, want, outer, inner)


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_hessians_by_nesting(outer, inner):
    f = lambda x: np.sum(x[:-1] ** 2 * x[1:]) + np.prod(x)
    x = np.array([0.5, -1.5, 2.0])
    a, b, c = x
    want = [[2 * b, 2 * a + c, b], [2 * a + c, 2 * c, 2 * b + a], [b, 2 * b + a, 0]]
    got = attempt(lambda: dm.jacobian(dm.gradient(f, method=inner), method=outer)(x))
    if got is not None:
        right(got, want, outer, inner)


@pytest.mark.parametrize("name", ALL_ORDERS)
def test_third_derivatives_by_nesting(name):
    d = lambda f: dm.derivative(f, method=name)
    want = float(mp.diff(mp.tanh, mp.mpf(0.3), 3))
    right(d(d(d(np.tanh)))(0.3), want, name)
    right(dm.derivative(np.tanh, method=name, order=3)(0.3), want, name)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [p for p in itertools.product(ALL_ORDERS, ALL_ORDERS) if "dual_numbers" in p],
)
def test_dual_numbers_nest_with_every_exact_method(outer, inner):
    f = lambda x: dm.derivative(lambda y: np.sin(x * y) * y, method=inner)(x)
    want = float(
        mp.diff(lambda x: mp.diff(lambda y: mp.sin(x * y) * y, x), mp.mpf(0.7))
    )
    right(dm.derivative(f, method=outer)(0.7), want, outer, inner)


def test_three_methods_deep():
    f = np.tanh
    for name in ("jax", "dual_numbers", "jax"):
        f = dm.derivative(f, method=name)
    right(f(0.3), float(mp.diff(mp.tanh, mp.mpf(0.3), 3)), "dual_numbers")
