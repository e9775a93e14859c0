"""Mixed partial derivatives against SymPy's."""

import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.directions import weights
from diffmethods.errors import OptionError, ShapeError

A, B, C = SYMBOLS = sympy.symbols("a b c")
FORMULA = sympy.exp(A * B) * sympy.sin(C + A) + sympy.tanh(B)
POINT = (0.3, 0.7, 1.1)


def f(x):
    return np.exp(x[0] * x[1]) * np.sin(x[2] + x[0]) + np.tanh(x[1])


def exact(formula, variables):
    derivative = sympy.diff(formula, *variables) if variables else formula
    at = dict(zip(SYMBOLS, map(sympy.Rational, map(str, POINT)), strict=True))
    return float(derivative.evalf(30, subs=at))


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5])
def test_tensors(order):
    tensor = dm.derivative_tensor(f, np.array(POINT), order)
    assert np.shape(tensor) == (3,) * order
    for index in itertools.combinations_with_replacement(range(3), order):
        expected = exact(FORMULA, [SYMBOLS[i] for i in index])
        for turned in itertools.permutations(index):
            assert tensor[turned] == pytest.approx(expected, rel=1e-12, abs=1e-13)


@settings(deadline=None, max_examples=40)
@given(st.tuples(*[st.integers(0, 3)] * 3))
def test_single_partials(orders):
    variables = [s for s, n in zip(SYMBOLS, orders, strict=True) for _ in range(n)]
    found = dm.partial_derivative(f, np.array(POINT), orders)
    assert found == pytest.approx(exact(FORMULA, variables), rel=1e-10, abs=1e-11)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=4),
    st.tuples(*[st.integers(0, 3)] * 3),
)
def test_polynomials_of_whole_numbers(powers, orders):
    """Their derivatives are whole numbers, and hardly any digit is lost."""
    x = np.array([2.0, -1.0, 3.0])
    g = lambda x: sum(x[0] ** a * x[1] ** b * x[2] ** c for a, b, c in powers)
    formula = sum(A**a * B**b * C**c for a, b, c in powers)
    for symbol, n in zip(SYMBOLS, orders, strict=True):
        formula = sympy.diff(formula, symbol, n)
    expected = float(sympy.sympify(formula).subs({A: 2, B: -1, C: 3}))
    found = dm.partial_derivative(g, x, orders)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("i", [(1, 1), (2, 1), (1, 1, 1), (3, 2), (2, 2, 1)])
def test_weights_take_one_power_and_no_other(i):
    """Of (h . a)^d they keep a^i alone: a check of the formula in whole numbers."""
    d = sum(i)
    for powers in itertools.product(range(d + 1), repeat=len(i)):
        if sum(powers) == d:
            moment = sum(w * np.prod(np.power(j, powers)) for j, w in weights(i))
            factorials = np.prod([float(sympy.factorial(k)) for k in i])
            expected = factorials if powers == i else 0.0
            assert moment == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("shape", [(), (2,), (2, 2), (0,)])
def test_shapes(shape):
    x = np.full(shape, 0.5)[()]
    g = lambda x: np.stack([np.sum(x**3), np.sum(x) ** 2, np.sum(x)])
    tensor = dm.derivative_tensor(g, x, 2)
    assert tensor.shape == (3,) + shape * 2
    np.testing.assert_allclose(
        tensor.reshape(3, np.size(x), np.size(x)),
        [
            3 * np.eye(np.size(x)),
            np.full((np.size(x),) * 2, 2.0),
            np.eye(np.size(x)) * 0,
        ],
        atol=1e-14,
    )
    none = dm.partial_derivative(g, x, np.zeros(shape, int))
    np.testing.assert_array_equal(none, g(x))


def test_second_derivatives_are_the_hessian():
    point = np.array(POINT)
    hessian = dm.hessian(f, method="dual_numbers")(point)
    np.testing.assert_allclose(dm.derivative_tensor(f, point, 2), hessian, 1e-13)


def test_complex_points_and_other_derivatives_around():
    z = np.array([0.5 + 1j, 2.0])
    found = dm.partial_derivative(lambda z: z[0] ** 3 * z[1] ** 2, z, (2, 1))
    assert found == pytest.approx(12 * z[0] * z[1], rel=1e-14)
    inner = lambda x: dm.partial_derivative(
        lambda p: p[0] ** 3 * p[1] ** 2, np.stack([x, x * x]), (1, 1)
    )
    for method in ("dual_numbers", "taylor_series"):  # of 6 x^4
        slope = dm.derivative(inner, method=method)(2.0)
        assert slope == pytest.approx(24 * 2.0**3, rel=1e-13)


def test_what_is_no_order():
    with pytest.raises(OptionError, match="whole number from 0"):
        dm.derivative_tensor(f, np.array(POINT), -1)
    with pytest.raises(OptionError, match="whole numbers from 0"):
        dm.partial_derivative(f, np.array(POINT), (1, -1, 0))
    with pytest.raises(OptionError, match="whole numbers from 0"):
        dm.partial_derivative(f, np.array(POINT), (1.5, 0, 0))
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        dm.partial_derivative(f, np.array(POINT), (1, 1))
