"""Cauchy's integral against mpmath: orders to 50, and what is not analytic."""

import functools
import math

import mpmath as mp
import numpy as np
import pytest
from black_box_problems import lyness

import diffmethods as dm
from diffmethods.errors import InputError, NotDifferentiableError, OptionError
from diffmethods.methods import cauchy_integral
from diffmethods.methods.cauchy_integral import solve

special = pytest.importorskip("scipy.special")

METHOD = "cauchy_integral"

# Function, the same in mpmath, point, and a radius that mpmath integrates over.
FUNCTIONS = {
    "exp": (np.exp, mp.exp, 0.3, 1),
    "sin": (np.sin, mp.sin, 0.7, 1),
    "cos": (np.cos, mp.cos, 3.0, 1),
    "tanh": (np.tanh, mp.tanh, 2.0, 1),
    "tanh near 0": (np.tanh, mp.tanh, 0.5, 0.8),
    "log": (np.log, mp.log, 1.5, 0.7),
    "log far out": (np.log, mp.log, 20.0, 9),
    "Runge": (
        lambda z: 1 / (1 + 25 * z * z),
        lambda z: 1 / (1 + 25 * z * z),
        0.3,
        0.15,
    ),
    "sqrt": (np.sqrt, mp.sqrt, 2.0, 1),
    "Lyness": (
        functools.partial(lyness, np),
        functools.partial(lyness, mp),
        0.0,
        0.35,
    ),
    "exp sin": (lambda z: np.exp(np.sin(z)), lambda z: mp.exp(mp.sin(z)), 1.0, 1),
    "gamma": (special.gamma, mp.gamma, 2.5, 1),
    "bell": (lambda z: np.exp(-z * z), lambda z: mp.exp(-z * z), 0.8, 1),
    "logistic": (
        lambda z: 1 / (1 + np.exp(-z)),
        lambda z: 1 / (1 + mp.exp(-z)),
        0.5,
        1.5,
    ),
}


@functools.cache
def exact(name, order):
    """Cauchy's integral in 60 digits, on 400 nodes."""
    _, g, x, radius = FUNCTIONS[name]
    count = 400
    with mp.workdps(90):
        turns = [mp.expjpi(mp.mpf(2 * j) / count) for j in range(count)]
        total = mp.fsum(
            g(x + radius * w) * turns[-j * order % count] for j, w in enumerate(turns)
        )
        scale = mp.factorial(order) / mp.mpf(radius) ** order / count
        return float(mp.re(total * scale))


def results(order):
    """Relative errors, whether the estimate bounds them, evaluations."""
    errors, bounded, evaluations = [], [], []
    for name, (f, _, x, _) in FUNCTIONS.items():
        want = exact(name, order)
        found = solve(f, x, order)
        assert found.success, (name, found)
        assert isinstance(found.df, float)
        errors.append(abs(found.df / want - 1))
        bounded.append(abs(found.df - want) <= found.error)
        evaluations.append(found.nfev)
    return np.array(errors), np.array(bounded), np.array(evaluations)


@pytest.mark.parametrize(
    ("order", "median", "largest"),
    [
        (1, 1e-15, 1e-13),
        (2, 5e-15, 1e-12),
        (5, 2e-14, 1e-11),
        (10, 1e-12, 3e-11),
        (20, 1e-11, 1e-9),
        (50, 1e-9, 1e-7),
    ],
)
def test_orders_to_50(order, median, largest):
    errors, bounded, evaluations = results(order)
    assert np.median(errors) <= median
    assert np.max(errors) <= largest
    assert np.mean(bounded) >= 0.9
    if order <= 10:
        assert np.median(evaluations) <= 64


@pytest.mark.parametrize("order", [1, 3, 10])
def test_two_circles_suffice_at_a_number(order):
    errors, evaluations = [], []
    for name, (f, _, x, _) in FUNCTIONS.items():
        count = 0

        def counted(z, f=f):
            nonlocal count
            count += np.size(z)
            return f(z)

        df = dm.get_method(METHOD).derivative(counted, np.float64(x), order)
        errors.append(abs(df / exact(name, order) - 1))
        evaluations.append(count)
    assert np.max(errors) <= 1.5e-12
    assert np.median(errors) <= 5e-13
    assert np.median(evaluations) <= 64


@pytest.mark.parametrize(
    "f",
    [
        np.abs,
        np.real,
        np.imag,
        np.conjugate,
        np.sign,
        lambda z: abs(z) ** 3,
        lambda z: z * np.real(z),
        lambda z: np.sin(z) + 1e-6 * abs(z),
        lambda z: np.sqrt(z.real**2 + 1),
    ],
)
def test_what_is_not_analytic_is_refused(f):
    with pytest.raises(NotDifferentiableError, match="not analytic"):
        dm.derivative(f, method=METHOD)(2.0)


# Real on the real axis, with branch cuts that meet in 0; and the same for real x > 0.
BRANCHED = {
    "z^2": (lambda z: np.sqrt(z**4), lambda x: x**2),
    "z^3": (lambda z: np.sqrt(z**6), lambda x: x**3),
    "z^4": (lambda z: np.sqrt(z**8), lambda x: x**4),
    "z^6": (lambda z: np.sqrt(z**12), lambda x: x**6),
    "a power": (lambda z: (z**4) ** 0.75, lambda x: x**3),
    "a product": (lambda z: z**2 * np.sqrt(z**4), lambda x: x**4),
    "a sum": (lambda z: np.sqrt(z**4 + z**8), lambda x: x**2 * mp.sqrt(1 + x**4)),
    "inside": (lambda z: np.exp(np.sqrt(z**4)), lambda x: mp.exp(x**2)),
}


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", BRANCHED)
@pytest.mark.parametrize("x", [[0.0], [0.0, 1.0], [1e-3], [0.02], [1.0], [1.0, 0.3]])
def test_at_a_branch_cut_it_is_real_and_right_or_refused(name, order, x):
    f, g = BRANCHED[name]
    df = dm.derivative(f, method=METHOD, order=order)
    want = []
    for z in x:
        with mp.workdps(40):
            taylor = mp.taylor(g, mp.mpf(z), order)  # on the right of 0 alone
        want.append(float(taylor[order] * mp.factorial(order)))
    for point, exact in ((np.array(x), want), (x[0], want[0])):
        try:
            found = df(point)
        except NotDifferentiableError:
            continue
        assert found.dtype == float
        np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-4)


@pytest.mark.parametrize("name", ["z^2", "z^4", "a sum", "inside"])
def test_a_branch_cut_at_x_is_refused(name):
    with pytest.raises(NotDifferentiableError):
        dm.derivative(BRANCHED[name][0], method=METHOD, order=2)(0.0)


@pytest.mark.parametrize("f", [np.floor, lambda z: math.sin(z), special.j1])
def test_what_takes_no_complex_numbers_is_refused(f):
    with pytest.raises(InputError, match=r"complex numbers.*chebyshev"):
        dm.derivative(f, method=METHOD)(2.0)


def test_a_choice_that_the_circle_does_not_cross_is_analytic():
    f = lambda z: np.where(np.real(z) > 1.5, z * z, np.exp(z))
    assert dm.derivative(f, method=METHOD)(2.0) == pytest.approx(4, rel=1e-13)
    assert dm.derivative(f, method=METHOD)(1.0) == pytest.approx(math.e, rel=1e-13)


def test_points_of_an_array_have_radii_of_their_own():
    x = np.array([[1e-3, 0.5], [3.0, 1e4]])
    for order in (1, 3, 10):
        df = dm.derivative(np.log, method=METHOD, order=order)(x)
        want = (-1) ** (order + 1) * math.factorial(order - 1) / x**order
        np.testing.assert_allclose(df, want, rtol=1e-10)


def test_three_calls_of_f_do_a_circle_for_all_points():
    shapes = []

    def f(z):
        shapes.append(z.shape)
        return np.exp(z)

    dm.get_method(METHOD).derivative(f, np.linspace(0.5, 1, 9), 5)
    assert shapes[:3] == [(14, 9), (9,), (9,)]  # the nodes on the real axis alone
    assert set(shapes[3:]) == {(46, 9), (9,)}


def test_functions_of_numbers_alone():
    import cmath

    df = dm.derivative(cmath.sin, method=METHOD, order=4)(0.3)
    assert df == pytest.approx(math.sin(0.3), rel=1e-13)


def test_complex_points_and_results():
    z = np.array([1 + 1j, -0.5 + 0.2j])
    df = dm.derivative(np.exp, method=METHOD, order=7)(z)
    np.testing.assert_allclose(df, np.exp(z), rtol=1e-12)
    df = dm.derivative(lambda x: np.exp(2j * x), method=METHOD, order=3)(0.4)
    assert df == pytest.approx((2j) ** 3 * np.exp(0.8j), rel=1e-13)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nodes": 4}, "nodes must be a whole number from 8"),
        ({"radius": -1}, "radius must be positive"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(OptionError, match=words):
        dm.derivative(np.sin, method=METHOD, **options)(1.0)


def test_a_given_radius_is_the_first():
    seen = []

    def f(z):
        seen.append(np.max(np.abs(z - 1)))
        return np.exp(z)

    dm.derivative(f, method=METHOD, radius=0.25, order=2)(1.0)
    assert seen[0] == pytest.approx(0.25)


@pytest.mark.parametrize("power", [0, 1, 5, 12])
@pytest.mark.parametrize("x", [0.0, 1e12, -1e-9])
def test_powers_near_0_and_far_out(power, x):
    for order in (1, 5, 12):
        df = dm.derivative(lambda z: z**power, method=METHOD, order=order)(x)
        exact = math.perm(power, order) * x ** max(power - order, 0)
        size = math.factorial(order) * max(abs(x), 1.0) ** (power - order)
        assert df == pytest.approx(exact, rel=1e-9, abs=1e-9 * size)


def test_high_orders_beside_a_branch_cut():
    """The first circle sees exp alone, and the next one would cross the cut."""
    f = lambda z: np.log(2 + z) * np.exp(z)
    g = lambda z: mp.log(2 + z) * mp.exp(z)
    for order, rtol in ((10, 1e-11), (20, 1e-9), (50, 1e-6)):
        with mp.workdps(60):
            exact = float(mp.taylor(g, mp.mpf(0.3), order)[order] * mp.factorial(order))
        df = dm.derivative(f, method=METHOD, order=order)(0.3)
        assert df == pytest.approx(exact, rel=rtol)
        assert solve(f, 0.3, order).df == pytest.approx(exact, rel=rtol)


@pytest.mark.parametrize("last", [0, 3, 20, 38])
def test_one_item_is_improved_like_many(last):
    pairs = 0.7 ** np.arange(39.0)
    one = cauchy_integral.improvement_at(pairs, last, -0.4, 10, (32, 40, 48))
    items = pairs[:, None], np.array([last]), np.array([-0.4])
    many = cauchy_integral.improvement(*items, 10, (32, 40, 48))
    np.testing.assert_allclose(one, [part[:, 0] for part in many], rtol=1e-13)
