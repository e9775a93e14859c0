"""Chebyshev interpolation against mpmath: accuracy, estimates, budgets and bounds."""

import mpmath as mp
import numpy as np
import pytest
from black_box_problems import problems, scores
from black_box_traps import TRAPS, verdict
from hypothesis import given
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.errors import NotDifferentiableError, OptionError
from diffmethods.methods.chebyshev import solve

METHOD = "chebyshev"


def test_the_280_problems():
    errors, bounded, evaluations = scores(solve)
    assert len(errors) == 280
    assert np.median(errors) <= 5e-15
    assert np.quantile(errors, 0.99) <= 5e-13
    assert np.mean(evaluations) <= 11
    assert np.mean(bounded) >= 0.99


@pytest.mark.parametrize("seed", [8, 9])
def test_other_points_are_no_harder(seed):
    errors, bounded, evaluations = scores(solve, seed)
    assert np.median(errors) <= 6e-15
    assert np.quantile(errors, 0.99) <= 5e-13
    assert np.mean(evaluations) <= 11.2
    assert np.mean(bounded) >= 0.99


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap[0])
def test_a_trap_is_right_or_flagged(trap):
    assert verdict(solve, *trap[1:])


@pytest.mark.parametrize("trap", TRAPS[:22], ids=lambda trap: trap[0])
def test_most_traps_are_right(trap):
    assert solve(*trap[1:3]).success


def test_a_million_points_in_one_call():
    x = np.random.default_rng(1).normal(size=100_000)
    df = dm.derivative(np.tanh, method=METHOD)(x)
    sample = slice(None, None, 200)
    with mp.workdps(30):
        exact = np.array([float(mp.sech(float(z)) ** 2) for z in x[sample]])
    assert np.median(np.abs(df[sample] / exact - 1)) <= 2e-14
    np.testing.assert_allclose(df[sample], exact, rtol=1e-11)


def test_items_of_an_array_are_done_as_if_alone():
    x = np.array([1e-8, 0.3, 2.0, 1e10, -7.0, 1e-300])
    found = solve(np.sin, x)
    alone = [solve(np.sin, z) for z in x]
    np.testing.assert_array_equal(found.nfev, [one.nfev for one in alone])
    np.testing.assert_allclose(found.df, [one.df for one in alone], rtol=1e-15)
    table = solve(np.sin, x.reshape(2, 3))
    assert table.df.shape == table.error.shape == table.nfev.shape == (2, 3)
    np.testing.assert_allclose(table.df.ravel(), found.df, rtol=1e-14)


def test_only_unfinished_items_go_on():
    sizes = []

    def f(x):
        sizes.append(x.size)
        return np.sin(x) + np.where(x > 50, np.sin(100 * x), 0)

    found = solve(f, np.array([0.5, 1.0, 60.0, 2.0]))
    assert found.success.all()
    first, check = sizes[:3], sizes[3:5]
    assert first == [32, 4, 4]  # the outermost nodes alone
    assert check == [1, 1]
    rounds = sizes[5:-3]  # then f is held to be elementwise: on all items, on two
    assert rounds == [8, 1, 1] * (len(rounds) // 3)
    assert sizes[-3:] == [4, 1, 1]
    assert found.nfev.max() == 10 + 2 + sum(rounds)
    assert sorted(found.nfev)[-2] == 10


@pytest.mark.parametrize("order", range(1, 9))
@pytest.mark.parametrize(
    ("f", "g", "x"),
    [
        (np.tanh, mp.tanh, 0.5),
        (np.exp, mp.exp, 1.0),
        (np.sin, mp.sin, 4.0),
        (np.log, mp.log, 0.3),
    ],
)
def test_higher_derivatives(f, g, x, order):
    exact = float(mp.diff(g, mp.mpf(x), order))
    found = solve(f, x, order)
    assert found.success
    assert abs(found.df - exact) <= found.error
    assert abs(found.df / exact - 1) <= 1e-12 * 10.0 ** (order - 1)


@pytest.mark.parametrize("bounds", [(0, 1), (0, np.inf), (-1, 0.25), (0.2, 0.2001)])
@pytest.mark.parametrize("part", [0, 1e-9, 0.1, 0.5, 0.9, 1])
def test_nothing_is_evaluated_out_of_bounds(bounds, part):
    low, high = bounds
    x = low + part * (min(high, 1.0) - low)
    seen = []

    def f(z):
        seen.append((z.min(), z.max()))
        return np.exp(z)

    found = solve(f, x, bounds=bounds)
    assert low <= min(least for least, _ in seen)
    assert max(largest for _, largest in seen) <= high
    assert found.success
    assert abs(found.df - np.exp(x)) <= max(found.error, 1e-15)
    v = np.array([1.0, 2.0])
    point = np.array([x, x])
    slope = dm.jvp(lambda z: f(z).sum(), method=METHOD, bounds=bounds)(point, v)
    assert low <= min(least for least, _ in seen)
    assert max(largest for _, largest in seen) <= high
    assert slope == pytest.approx(3 * np.exp(x), rel=1e-4)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("x", [1e-12, 1e-8, 1e-5, 1e-3, 0.014, 0.016, 0.3])
@pytest.mark.parametrize(
    ("f", "g"),
    [
        (np.log, mp.log),
        (np.sqrt, mp.sqrt),
        (np.reciprocal, lambda z: 1 / z),
        (lambda z: z * np.log(z), lambda z: z * mp.log(z)),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_singularities_at_a_bound(f, g, x, order, side):
    """The distance to the bound is a scale, if f proves to need one."""
    least = []

    def inside(z):
        least.append(np.min(side * z))
        return f(side * z)

    bounds = (0, np.inf) if side == 1 else (-np.inf, 0)
    found = solve(inside, side * x, order, bounds=bounds)
    assert found.success
    assert min(least) >= 0
    assert found.nfev <= 100
    with mp.workdps(80):
        exact = side**order * float(mp.diff(g, mp.mpf(x), order, h=mp.mpf(x) * 1e-20))
    assert abs(found.df - exact) <= found.error
    assert found.df == pytest.approx(exact, rel=1e-5)
    df = dm.derivative(inside, method=METHOD, order=order, bounds=bounds)
    np.testing.assert_allclose(df(np.array([side * x])), [exact], rtol=1e-5)


@pytest.mark.parametrize("x", [1e-300, 1e-12, 1e-8, 1e-5, 1e-3, 0.01])
def test_the_logarithm_within_its_bounds_takes_two_looks(x):
    found = solve(np.log, x, bounds=(0, np.inf))
    assert found.df == pytest.approx(1 / x, rel=1e-11)
    assert found.nfev <= 32


def test_a_gradient_near_a_bound():
    x = np.array([1e-3, 1e-6])
    slope = dm.gradient(lambda z: np.log(z).sum(), method=METHOD, bounds=(0, np.inf))(x)
    np.testing.assert_allclose(slope, 1 / x, rtol=1e-9)


def test_one_sided_derivatives_at_the_end_of_a_domain():
    f = lambda x: np.where(x < 0, np.nan, x**2 + 3 * x)
    df = dm.derivative(f, method=METHOD, bounds=(0, np.inf))(0.0)
    assert df == pytest.approx(3, rel=1e-12)
    with pytest.raises(NotDifferentiableError, match="bounds="):
        dm.derivative(f, method=METHOD)(0.0)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("x", [0.0, 1e-3, 0.7, 1.0])
def test_higher_derivatives_within_bounds(order, x):
    seen = []

    def f(z):
        seen.append((np.min(z), np.max(z)))
        return np.exp(2 * z)

    found = solve(f, x, order, bounds=(0, 1), rtol=1e-2)
    lows, highs = zip(*seen, strict=True)
    assert min(lows) >= 0
    assert max(highs) <= 1
    assert found.success
    exact = 2**order * np.exp(2 * x)
    assert abs(found.df - exact) <= found.error <= 1e-2 * exact


@pytest.mark.parametrize("order", [9, 10, 11, 12])
def test_the_highest_orders_are_right_to_the_estimate(order):
    for f, exact in (
        (np.exp, np.exp(0.5)),
        (np.sin, np.sin(0.5 + order * np.pi / 2)),
    ):
        found = solve(f, 0.5, order, rtol=0.1)
        assert found.success
        assert abs(found.df - exact) <= found.error
    with pytest.raises(OptionError, match="to order 12"):
        dm.derivative(np.sin, method=METHOD, order=13)


@given(
    budget=st.integers(10, 80), x=st.sampled_from([0.0, 1e-3, 2.0]), kink=st.booleans()
)
def test_the_budget_is_kept(budget, x, kink):
    count = 0

    def f(z):
        nonlocal count
        count += np.size(z)
        return np.abs(z) if kink else np.sin(1e7 * z)

    found = solve(f, x, max_evaluations=budget)
    assert count == found.nfev <= budget


def test_the_noise_of_f_is_found():
    x = np.linspace(0.5, 2, 7)
    for digits in (5, 6, 8):
        found = solve(lambda z, d=digits: np.round(np.exp(z), d), x, rtol=1e-2)
        assert found.success.all()
        assert np.all(found.noise < 10.0**-digits)
        assert np.mean(found.noise > 10.0 ** -(digits + 2)) > 0.8
        assert np.all(np.abs(found.df - np.exp(x)) <= found.error)


def test_a_step_is_a_hint():
    found = solve(np.sin, 0.7, step=1e-7)
    assert found.df == pytest.approx(np.cos(0.7), rel=1e-13)
    hinted = solve(lambda x: np.sin(1e8 * x), 0.0, step=1e-9)
    assert hinted.df == pytest.approx(1e8, rel=1e-14)
    assert hinted.nfev <= 20


def test_a_failure_is_an_error_that_says_what_is_known():
    with pytest.raises(NotDifferentiableError, match=r"x = 0\.0: .* kink"):
        dm.derivative(np.abs, method=METHOD)(0.0)
    with pytest.raises(NotDifferentiableError, match="max_evaluations"):
        dm.derivative(lambda x: np.sin(1e7 * x), method=METHOD, max_evaluations=20)(1.0)
    noisy = lambda x: np.round(np.sin(x), 3)
    with pytest.raises(NotDifferentiableError, match="noise"):
        dm.derivative(noisy, method=METHOD)(1.0)
    slope = dm.derivative(noisy, method=METHOD, rtol=0.1)(1.0)
    assert slope == pytest.approx(np.cos(1), rel=0.1)


def test_outside_of_the_domain_the_derivative_is_nan():
    x = np.array([-1.0, 2.0, np.nan])
    with np.errstate(invalid="ignore"):
        df = dm.derivative(np.log, method=METHOD)(x)
    np.testing.assert_allclose(df, [np.nan, 0.5, np.nan], rtol=1e-13)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": -1}, "step must be positive"),
        ({"step": "wide"}, "step must be a number"),
        ({"bounds": 3}, "bounds must be a pair"),
        ({"bounds": (2, 3)}, "x must lie within"),
        ({"max_evaluations": 9}, "whole number from 10"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(OptionError, match=words):
        dm.derivative(np.sin, method=METHOD, **options)(1.0)


def test_a_direction_out_of_bounds_either_way_is_refused():
    push = dm.jvp(np.sum, method=METHOD, bounds=(0, 1))
    with pytest.raises(OptionError, match="leaves the bounds"):
        push(np.zeros(2), np.array([1.0, -1.0]))


def test_functions_of_numbers_alone():
    import math

    calls = []

    def f(x):
        y = math.sin(x) if x > 0 else -x  # neither takes arrays
        calls.append(x)
        return y

    assert dm.derivative(f, method=METHOD)(0.5) == pytest.approx(np.cos(0.5), rel=1e-13)
    assert len(calls) == 10


def test_arrays_in_a_closure_keep_their_places():
    a = np.linspace(0.5, 3, 12).reshape(4, 3)
    x = np.linspace(1e-3, 40, 12).reshape(4, 3)
    df = dm.derivative(lambda z: np.sin(a * z), method=METHOD)(x)
    np.testing.assert_allclose(df, a * np.cos(a * x), rtol=1e-11)
    row = np.array([1.0, 30.0, 900.0])
    df = dm.get_method(METHOD).derivative(lambda z: np.sin(row * z), x, 1)
    np.testing.assert_allclose(df, row * np.cos(row * x), rtol=1e-9, atol=1e-9)


def test_complex_results():
    df = dm.derivative(lambda x: np.exp(2j * x), method=METHOD)(0.4)
    assert df == pytest.approx(2j * np.exp(0.8j), rel=1e-13)


@pytest.mark.parametrize("size", [300, 9000])
@pytest.mark.parametrize("usual", [1.0, 40.0])
def test_a_few_items_that_need_more_looks_keep_their_places(size, usual):
    """The first look suffices for most items or for none; f holds an array like x."""
    rate = np.full(size, usual)
    rate[size // 2] = 900
    x = np.full(size, 1.3)
    df = dm.derivative(lambda z: np.sin(rate * z), method=METHOD)(x)
    np.testing.assert_allclose(df, rate * np.cos(rate * x), rtol=1e-10)
    outside = np.where(rate > 500, -1, x)
    with np.errstate(invalid="ignore"):
        df = dm.derivative(lambda z: np.log(z) * rate, method=METHOD)(outside)
    np.testing.assert_allclose(df, np.where(rate > 500, np.nan, rate / x), rtol=1e-13)
    kink = np.where(rate > 500, 1.3, 0.0)
    with pytest.raises(NotDifferentiableError, match=r"x = 1\.3: "):
        dm.derivative(lambda z: np.abs(z - kink), method=METHOD)(x)


@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: x / (1 + x * x)])
def test_most_items_are_done_within_two_looks_at_all_of_them(f):
    x = np.random.default_rng(3).uniform(0.1, 20, 10_000)
    sizes = []

    def counted(x):
        sizes.append(x.size)
        return f(x)

    df = dm.derivative(counted, method=METHOD)(x)
    scale = np.max(np.abs(df))
    np.testing.assert_allclose(df, dm.derivative(f)(x), 1e-12, 1e-12 * scale)
    assert sum(sizes) < 25 * x.size


def test_f_may_write_into_one_array_again_and_again():
    memory = np.empty(10**6)

    def f(x):
        y = memory[: x.size].reshape(x.shape)
        np.sin(x, out=y)
        return y

    x = np.linspace(0.1, 3, 5_000)
    df = dm.derivative(f, method=METHOD)(x)
    np.testing.assert_allclose(df, np.cos(x), rtol=1e-10, atol=1e-13)


def test_a_number_takes_three_calls_of_f_and_the_estimate_is_kept_to():
    for problem in problems():
        calls = []

        def f(z, f=problem.f, calls=calls):
            calls.append(np.shape(z))
            return f(z)

        df = dm.derivative(f, method=METHOD)(problem.x)
        assert isinstance(df, np.float64)
        assert calls[:3] == [(8, 1), (), ()]
        assert set(calls) == {(8, 1), ()}
        assert df == pytest.approx(problem.df, rel=1e-11)
        if len(calls) == 3:
            found = solve(problem.f, problem.x)
            assert abs(df - found.df) <= 1e-11 * abs(found.df)


def test_the_estimate_knows_that_f_rounds_what_it_makes_of_x():
    """The argument of sin(k x) is off by a rounding, which counts k times."""
    rate, x = np.exp(np.linspace(0, np.log(1e6), 300)), 1.3
    found = solve(lambda z: np.sin(rate * z), np.full(rate.size, x))
    with mp.workdps(40):
        exact = [float(k * mp.cos(k * mp.mpf(x))) for k in map(mp.mpf, rate.tolist())]
    error = np.abs(found.df - exact)
    assert np.mean(found.success) >= 0.99
    assert np.mean(error[found.success] <= found.error[found.success]) >= 0.9
    assert np.max(error[found.success] / rate[found.success]) <= 1e-7


def test_waves_between_the_first_nodes_are_not_taken_for_others():
    """On the nodes of the first look, sin(232 x) looks like a slower wave."""
    rate = np.linspace(231, 233, 101)
    found = solve(lambda x: np.sin(rate * x), np.zeros(101))
    assert found.success.all()
    np.testing.assert_allclose(found.df, rate, rtol=1e-10)
