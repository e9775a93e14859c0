"""Stencils against published tables, SymPy and exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from diffmethods.errors import OptionError
from diffmethods.methods.central_difference import stencil as central
from diffmethods.methods.forward_difference import stencil as forward
from diffmethods.stencils import EPS, Stencil, primal, scale, weights

# Fornberg (1988), tables 1 and 3: the weights by order and accuracy.
PUBLISHED = {
    (central, 1, 2): "-1/2 0 1/2",
    (central, 1, 4): "1/12 -2/3 0 2/3 -1/12",
    (central, 1, 6): "-1/60 3/20 -3/4 0 3/4 -3/20 1/60",
    (central, 1, 8): "1/280 -4/105 1/5 -4/5 0 4/5 -1/5 4/105 -1/280",
    (central, 2, 2): "1 -2 1",
    (central, 2, 4): "-1/12 4/3 -5/2 4/3 -1/12",
    (central, 2, 8): "-1/560 8/315 -1/5 8/5 -205/72 8/5 -1/5 8/315 -1/560",
    (central, 3, 2): "-1/2 1 0 -1 1/2",
    (central, 3, 4): "1/8 -1 13/8 0 -13/8 1 -1/8",
    (central, 4, 2): "1 -4 6 -4 1",
    (central, 4, 4): "-1/6 2 -13/2 28/3 -13/2 2 -1/6",
    (forward, 1, 1): "-1 1",
    (forward, 1, 2): "-3/2 2 -1/2",
    (forward, 1, 3): "-11/6 3 -3/2 1/3",
    (forward, 1, 4): "-25/12 4 -3 4/3 -1/4",
    (forward, 2, 1): "1 -2 1",
    (forward, 2, 2): "2 -5 4 -1",
    (forward, 3, 1): "-1 3 -3 1",
    (forward, 3, 2): "-5/2 9 -12 7 -3/2",
    (forward, 4, 1): "1 -4 6 -4 1",
}
FAMILY = [(central, m, p) for m in range(1, 7) for p in (2, 4, 6, 8)]
FAMILY += [(forward, m, p) for m in range(1, 7) for p in (1, 2, 3, 4, 5)]

whole = st.integers(-12, 12)
nodes = st.lists(whole, min_size=2, max_size=9, unique=True)


@pytest.mark.parametrize(("family", "order", "accuracy"), PUBLISHED)
def test_weights_are_the_published_ones(family, order, accuracy):
    stencil = family(order, accuracy)
    published = [Fraction(w) for w in PUBLISHED[family, order, accuracy].split()]
    assert list(stencil.weights) == [w for w in published if w]
    assert stencil.floats == tuple(map(float, stencil.weights))


@settings(deadline=None)
@given(nodes=nodes, order=st.integers(0, 8), at=whole)
def test_weights_are_those_of_sympy(nodes, order, at):
    order = min(order, len(nodes) - 1)
    theirs = sympy.finite_diff_weights(order, nodes, at)[order][-1]
    assert weights(nodes, order, at) == [Fraction(w.p, w.q) for w in theirs]


@settings(deadline=None)
@given(
    nodes=st.lists(st.floats(-4, 4, width=16), min_size=3, max_size=6, unique=True),
    order=st.integers(0, 2),
    coefficients=st.lists(whole, min_size=6, max_size=6),
)
def test_polynomials_below_the_number_of_nodes_are_differentiated_exactly(
    nodes, order, coefficients
):
    t = sympy.Symbol("t")
    p = sympy.Poly(coefficients[: len(nodes)], t)
    values = [p.eval(sympy.Rational(*node.as_integer_ratio())) for node in nodes]
    products = [
        sympy.Rational(w.numerator, w.denominator) * value
        for w, value in zip(weights(nodes, order), values, strict=True)
    ]
    assert sum(products) == sympy.diff(p.as_expr(), t, order).subs(t, 0)


@pytest.mark.parametrize(("family", "order", "accuracy"), FAMILY)
def test_error_falls_with_the_stated_power_of_the_step(family, order, accuracy):
    """In exact arithmetic, on 1 / (1 - t), whose nth derivative at 0 is n factorial."""
    stencil = family(order, accuracy)

    def error(h):
        terms = zip(stencil.offsets, stencil.weights, strict=True)
        return sum(w / (1 - k * h) for k, w in terms) / h**order - math.factorial(order)

    h = Fraction(1, 2**20)
    assert float(error(h) / error(h / 2)) == pytest.approx(2**accuracy, rel=1e-3)
    assert abs(float(error(h))) == pytest.approx(stencil.truncation(float(h)), rel=1e-3)


@pytest.mark.parametrize(("family", "order", "accuracy"), FAMILY)
def test_best_step_is_a_power_of_two_with_the_least_modelled_error(
    family, order, accuracy
):
    stencil = family(order, accuracy)
    step = stencil.best_step()
    assert math.frexp(step)[0] == 0.5

    def error(h):
        return stencil.truncation(h) + stencil.rounding(h)

    assert error(step) <= min(error(step * 4), error(step / 4))


def test_best_steps_of_the_textbooks():
    """About the square root and the cube root of the spacing of float64 at 1."""
    assert forward(1, 1).best_step() == pytest.approx(EPS ** (1 / 2), rel=0.5)
    assert central(1, 2).best_step() == pytest.approx(EPS ** (1 / 3), rel=0.5)
    assert central(2, 2).best_step() == pytest.approx(EPS ** (1 / 4), rel=0.5)


def test_scale_is_the_size_of_x_down_to_1_as_a_power_of_two():
    x = np.array([0.0, 1e-300, -0.9, 1.0, 3.9, -4.0, 1e10, 1e308, np.inf, np.nan])
    expected = [1, 1, 1, 1, 2, 4, 2**33, 2.0**1023, 1, 1]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(scale(x), expected)
    assert scale(np.float64(5.0)) == 4.0
    assert scale(np.complex128(3 + 4j)) == 4.0
    assert scale(np.zeros((0, 2))).shape == (0, 2)


@given(st.floats(1.0, 1e15))
def test_chosen_nodes_carry_no_rounding_below_the_next_power_of_two(x):
    step = central(1, 2).chosen_steps(np.float64(x))
    below = math.nextafter(2.0 ** math.frexp(x)[1], 0)
    if x + step <= below and x - step >= 1:
        assert Fraction(x + step) - Fraction(x) == Fraction(step)
        assert Fraction(x) - Fraction(x - step) == Fraction(step)


def test_strangers_have_no_plain_numbers_and_the_scale_1():
    symbols = np.array([sympy.Symbol("a"), sympy.Symbol("b")])
    assert primal(2.0) == 2.0
    assert primal(symbols) is primal(object()) is None
    np.testing.assert_array_equal(scale(symbols), [1, 1])
    stencil = central(1, 2)
    np.testing.assert_array_equal(stencil.given_steps(0.1, symbols), [0.1, 0.1])


@pytest.mark.parametrize(
    ("nodes", "order", "message"),
    [([0, 1, 1], 1, "distinct"), ([0, 1], 2, "at least 3"), ([0, 1], -1, "order -1")],
)
def test_impossible_stencils_are_refused(nodes, order, message):
    with pytest.raises(OptionError, match=message):
        weights(nodes, order)


def test_stencil_drops_nodes_of_weight_zero():
    stencil = Stencil.on([-1, 0, 1], 1, 2)
    assert stencil.offsets == (-1, 1)
    assert stencil.reach == 1
