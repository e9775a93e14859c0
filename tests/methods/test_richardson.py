"""Ridders' tableau against mpmath: accuracy, estimates, budgets and bounds."""

import mpmath as mp
import numpy as np
import pytest
from black_box_problems import problems, scores
from black_box_traps import TRAPS, verdict

import diffmethods as dm
from diffmethods.errors import NotDifferentiableError, OptionError
from diffmethods.methods.richardson import solve

METHOD = "richardson"


def test_the_280_problems():
    errors, bounded, evaluations = scores(solve)
    assert np.median(errors) <= 1e-14
    assert np.quantile(errors, 0.99) <= 1e-12
    assert np.mean(evaluations) <= 17
    assert np.mean(bounded) >= 0.99


SYMMETRIC = "kink right there"  # what f(x + h) - f(x - h) cannot see
SEEN = [trap for trap in TRAPS if trap[0] != SYMMETRIC]


@pytest.mark.parametrize("trap", SEEN, ids=lambda trap: trap[0])
def test_a_trap_is_right_or_flagged(trap):
    assert verdict(solve, *trap[1:])


@pytest.mark.parametrize("order", range(1, 7))
@pytest.mark.parametrize(
    ("f", "g", "x"), [(np.tanh, mp.tanh, 0.5), (np.exp, mp.exp, 1.0)]
)
def test_higher_derivatives(f, g, x, order):
    exact = float(mp.diff(g, mp.mpf(x), order))
    found = solve(f, x, order, rtol=1e-2)
    assert found.success
    assert abs(found.df - exact) <= found.error
    assert abs(found.df / exact - 1) <= 1e-11 * 20.0 ** (order - 1)


# Function, point, and which derivative is 0 there.
FLAT = {
    "(x - 1)^2": (lambda x: (x - 1) ** 2, 1.0, (1, 3)),
    "(x - 0.3)^4": (lambda x: (x - 0.3) ** 4, 0.3, (1, 2, 3)),
    "x^4": (lambda x: x**4, 0.0, (1, 2, 3)),
    "x^6": (lambda x: x**6, 0.0, (1, 2, 3, 4)),
    "x^3": (lambda x: x**3, 0.0, (1, 2)),
    "cosh": (np.cosh, 0.0, (1, 3)),
    "cosh(x - 0.7)": (lambda x: np.cosh(x - 0.7), 0.7, (1, 3)),
    "cos at pi": (np.cos, np.pi, (1, 3)),
    "x - x^3": (lambda x: x - x**3, 1 / np.sqrt(3), (1,)),
    "x + 1 / x": (lambda x: x + 1 / x, 1.0, (1,)),
    "raised": (lambda x: 1e6 + (x - 2) ** 2, 2.0, (1, 3)),
    "high": (lambda x: 1e10 * (x - 0.1) ** 2, 0.1, (1, 3)),
}


@pytest.mark.parametrize("name", FLAT)
def test_a_zero_of_the_derivative_is_found(name):
    f, x, orders = FLAT[name]
    size = f(x + 1) - f(x)  # of the derivatives beside x
    for order in orders:
        found = solve(f, x, order)
        assert found.success
        assert abs(found.df) <= found.error <= 1e-6 * 10.0**order * abs(size)
        df = dm.derivative(f, method=METHOD, order=order)(np.array([x, x]))
        np.testing.assert_allclose(df, 0, atol=found.error)


def test_a_gradient_at_a_minimum():
    centre = np.array([1.0, 1.3, -0.7])
    slope = dm.gradient(lambda x: np.sum((x - centre) ** 2), method=METHOD)(centre)
    np.testing.assert_allclose(slope, 0, atol=1e-14)


@pytest.mark.parametrize("distance", np.geomspace(1e-12, 1, 25))
def test_beside_a_zero_of_the_derivative(distance):
    found = solve(lambda x: (x - 1) ** 2, 1 + distance)
    exact = 2 * ((1 + distance) - 1)
    assert found.success
    assert abs(found.df - exact) <= found.error <= 1e-13


def test_items_of_an_array_are_done_as_if_alone():
    x = np.array([0.02, 0.3, 2.0, 40.0, -7.0])
    found = solve(np.cbrt, x)
    alone = [solve(np.cbrt, z) for z in x]
    np.testing.assert_array_equal(found.nfev, [one.nfev for one in alone])
    np.testing.assert_allclose(found.df, [one.df for one in alone], rtol=1e-15)
    exact = [float(abs(mp.mpf(z)) ** (-mp.mpf(2) / 3) / 3) for z in x]
    np.testing.assert_allclose(found.df, exact, rtol=1e-12)


def test_the_tableau_shortens_a_step_that_leaves_the_domain():
    df = dm.derivative(np.log, method=METHOD)(0.003)
    assert df == pytest.approx(1 / 0.003, rel=1e-11)


def test_nothing_is_evaluated_out_of_bounds():
    seen = []

    def f(z):
        seen.extend([np.min(z), np.max(z)])
        return np.sqrt(z)

    df = dm.derivative(f, method=METHOD, bounds=(0, 1))(np.array([1e-3, 0.99]))
    np.testing.assert_allclose(df, 0.5 / np.sqrt([1e-3, 0.99]), rtol=1e-9)
    dm.gradient(lambda z: f(z).sum(), method=METHOD, bounds=(0, 1))(
        np.array([0.01, 0.999])
    )
    assert 0 <= min(seen)
    assert max(seen) <= 1


def test_the_budget_is_kept():
    count = 0

    def f(x):
        nonlocal count
        count += np.size(x)
        return np.sin(300 * x)

    found = solve(f, 1.0, max_evaluations=12)
    assert count == found.nfev <= 12


def test_other_ratios_reach_the_same():
    for ratio in (1.2, 2.0, 4.0):
        found = solve(np.tanh, 0.5, ratio=ratio)
        exact = float(mp.sech(0.5) ** 2)
        assert abs(found.df / exact - 1) <= 1e-11
        assert abs(found.df - exact) <= found.error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ratio": 1}, "ratio must lie above 1"),
        ({"step": 0}, "step must be positive"),
        ({"bounds": (1, 2)}, "both sides of x"),
        ({"max_evaluations": 5}, "whole number from 6"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(OptionError, match=words):
        dm.derivative(np.sin, method=METHOD, **options)(1.0)


def test_a_failure_is_an_error():
    with pytest.raises(NotDifferentiableError, match="no reliable derivative"):
        dm.derivative(lambda x: np.sin(1e8 * x), method=METHOD)(1.0)


def test_a_number_takes_floats_alone_and_gives_the_same():
    at_number = dm.get_method(METHOD).at_number
    for problem in problems():
        df = at_number(problem.f, problem.x)
        assert isinstance(df, np.float64)
        assert df == solve(problem.f, problem.x).df
    assert at_number(np.tanh, 0.5, step=0.1) is None
    assert at_number(np.log, 1e-300) is None
    assert at_number(lambda x: x * 1j, 1.0) is None
    assert at_number(lambda x: np.abs(x - 1.01), 1.0) is None
