"""scipy.differentiate and numdifftools: what they estimate wrongly is an error."""

import warnings

import mpmath as mp
import numpy as np
import pytest
from black_box_traps import TRAPS

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    NotDifferentiableError,
    OptionError,
    ShapeError,
)

METHODS = ["scipy_differentiate", "numdifftools"]
both = pytest.mark.parametrize("method", METHODS)
# Both sides of a kink right at x cancel: that is the mean slope, not an error.
FAIR = [trap for trap in TRAPS if trap[0] not in ("kink right there", "pole")]


@pytest.fixture(autouse=True)
def _installed():
    for library in ("scipy", "numdifftools"):
        pytest.importorskip(library)


@both
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "x", "slope"), [t[1:] for t in FAIR], ids=[t[0] for t in FAIR]
)
def test_traps_are_right_or_flagged(method, f, x, slope):
    try:
        found = dm.derivative(f, method=method)(x)
    except NotDifferentiableError:
        return
    with mp.workdps(40):
        exact = float(slope(mp.mpf(x)))
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-14)


def test_numdifftools_alone_is_wrong_without_a_sign():
    import numdifftools as nd

    fast = lambda x: np.sin(1000 * x)
    found = nd.Derivative(fast, full_output=True)(1.0)
    true = 1000 * np.cos(1000.0)
    assert abs(found.estimate - true) > 100 * found.error_estimate
    got = dm.derivative(fast, method="numdifftools")(1.0)
    np.testing.assert_allclose(got, true, rtol=1e-9)


def test_the_second_look_catches_what_the_first_believes(monkeypatch):
    """Without it some wrong numbers come with small estimates."""
    from diffmethods.methods import numdifftools

    rates = np.geomspace(3e3, 3e5, 60)
    wrong = 0
    for rate in rates:
        fast = lambda x, rate=rate: np.sin(rate * x)
        true = rate * np.cos(rate * 0.3)
        try:
            found = dm.derivative(fast, method="numdifftools")(0.3)
            np.testing.assert_allclose(found, true, rtol=1e-3)
        except NotDifferentiableError:
            pass
    once = lambda look, n, step: look(numdifftools.nd.MaxStepGenerator(base_step=0.5))
    monkeypatch.setattr(numdifftools, "look_twice", once)
    for rate in rates:
        fast = lambda x, rate=rate: np.sin(rate * x)
        true = rate * np.cos(rate * 0.3)
        try:
            found = dm.derivative(fast, method="numdifftools", rtol=1e-2)(0.3)
            wrong += not np.isclose(found, true, rtol=0.1)
        except NotDifferentiableError:
            pass
    assert wrong


@both
def test_shorter_steps_near_the_end_of_the_domain(method):
    for x in (0.1, 1e-3):
        got = dm.derivative(np.log, method=method)(x)
        np.testing.assert_allclose(got, 1 / x, rtol=1e-7)
    g = lambda x: np.log(x[0]) * x[1]
    x = np.array([1e-3, 2.0])
    got = dm.gradient(g, method=method)(x)
    np.testing.assert_allclose(got, [2000.0, np.log(1e-3)], rtol=1e-7)
    with pytest.raises(NotDifferentiableError):
        dm.derivative(np.sqrt, method=method)(0.0)


@both
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_where_f_is_not_a_number(method):
    got = dm.derivative(np.log, method=method)(np.array([1.0, -1.0, 1e-3]))
    np.testing.assert_allclose(got, [1.0, np.nan, 1000.0], rtol=1e-7)
    assert np.isnan(dm.derivative(np.log, method=method)(-1.0))
    assert np.isnan(dm.derivative(lambda x: np.divide(1, x), method=method)(0.0))
    got = dm.jacobian(np.log, method=method)(np.array([1.0, -1.0]))
    np.testing.assert_allclose(got, [[1, 0], [np.nan, np.nan]], atol=1e-9)


@both
def test_nothing_is_warned_of(method):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dm.derivative(np.log, method=method)(0.1)
        with pytest.raises(NotDifferentiableError):
            dm.derivative(lambda x: np.sqrt(x - 1.0), method=method)(1.0)


@both
def test_zeros_of_the_slope_are_found(method):
    assert abs(dm.derivative(np.cos, method=method)(0.0)) < 1e-9
    f = lambda x: (x - 1) ** 2 + 5
    assert abs(dm.derivative(f, method=method)(1.0)) < 1e-9
    assert dm.derivative(lambda x: 0 * x + 3.0, method=method)(1.0) == 0.0


@both
def test_any_plain_function(method):
    """Neither vectorised nor fit for shapes other than that of x."""
    a = np.array([[1.0, 2.0], [3.0, 4.0]])

    def f(x):
        assert x.shape == (2, 2)
        return float(np.trace(a @ x @ x)) if x[0, 0] > 0 else 0.0

    x = np.array([[0.5, -0.3], [0.2, 0.8]])
    want = dm.gradient(lambda x: np.trace(a @ x @ x), method="reverse_tape")(x)
    np.testing.assert_allclose(dm.gradient(f, method=method)(x), want, rtol=1e-7)
    second = dm.hessian(lambda x: np.trace(a @ x @ x), method="reverse_tape")(x)
    np.testing.assert_allclose(
        dm.hessian(f, method=method)(x), second, rtol=1e-5, atol=1e-5
    )


@both
def test_f_may_change_its_argument(method):
    def f(x):
        x *= x
        return np.sum(x)

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(dm.gradient(f, method=method)(x), [2, 4], rtol=1e-8)
    np.testing.assert_array_equal(x, [1, 2])


@both
def test_what_is_not_real_or_not_a_number_is_refused(method):
    with pytest.raises(InputError, match="complex"):
        dm.derivative(lambda x: np.exp(1j * x), method=method)(0.3)
    inside = lambda x: dm.derivative(np.sin, method=method)(x)
    with pytest.raises(InputError, match="nest the two the other way round"):
        dm.derivative(inside, method="dual_numbers")(0.3)
    with pytest.raises(InputError, match="nest the two the other way round"):
        dm.derivative(
            lambda x: dm.derivative(lambda y: x * y, method=method)(1.0),
            method="dual_numbers",
        )(0.3)
    with pytest.raises(ShapeError, match="changes the shape"):
        dm.jacobian(lambda x: x[x > 0.5], method=method)(np.array([0.7, 0.49999]))
    with pytest.raises(ShapeError, match="scalar result"):
        dm.hessian(np.sin, method=method)(np.ones(2))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("scipy_differentiate", {"initial_step": 1e-3}),
        ("scipy_differentiate", {"step_factor": 3.0, "maxiter": 8, "accuracy": 6}),
        ("scipy_differentiate", {"step_direction": 1}),
        ("scipy_differentiate", {"tolerances": {"rtol": 1e-6}}),
        ("scipy_differentiate", {"rtol": 1e-6}),
        ("numdifftools", {"step": 1e-5}),
        ("numdifftools", {"sides": "forward"}),
        ("numdifftools", {"sides": "backward", "accuracy": 3}),
        ("numdifftools", {"accuracy": 4}),
        ("numdifftools", {"rtol": 1e-6}),
    ],
)
def test_options(method, options):
    want = float(mp.sech(2.0) ** 2)
    got = dm.derivative(np.tanh, method=method, **options)(2.0)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    if "accuracy" not in options and "step_factor" not in options:
        got = dm.jacobian(np.tanh, method=method, **options)(np.array([2.0, 2.0]))
        np.testing.assert_allclose(got, want * np.eye(2), rtol=1e-6, atol=1e-9)


def test_a_step_generator_and_steps_of_each_item():
    import numdifftools as nd

    x = np.array([1.0, 2.0])
    for step in (nd.MinStepGenerator(base_step=1e-4, num_steps=6), [1e-5, 1e-6]):
        options = {"method": "numdifftools", "step": step}
        got = dm.gradient(lambda x: np.sum(x**3), **options)(x)
        np.testing.assert_allclose(got, 3 * x**2, rtol=1e-7)


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("scipy_differentiate", {"maxiter": -1}, "maxiter"),
        ("scipy_differentiate", {"accuracy": 0.5}, "order"),
        ("scipy_differentiate", {"rtol": -1.0}, "rtol"),
        ("numdifftools", {"sides": "complex"}, "complex_step"),
        ("numdifftools", {"rtol": 0}, "rtol"),
    ],
)
def test_options_out_of_range(method, options, words):
    with pytest.raises(OptionError, match=words):
        dm.derivative(np.tanh, method=method, **options)(2.0)


def test_scipys_hessian_has_fewer_options():
    with pytest.raises(OptionError, match="step_direction"):
        dm.hessian(np.sum, method="scipy_differentiate", step_direction=1)(np.ones(2))


def test_numdifftools_leaves_the_domain_with_a_step_of_ones_own():
    with pytest.raises(NotDifferentiableError, match="not within the steps"):
        dm.derivative(np.log, method="numdifftools", step=0.5)(0.1)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_orders_of_numdifftools(order):
    with mp.workdps(40):
        want = float(mp.diff(mp.tanh, mp.mpf("0.5"), order))
    got = dm.derivative(np.tanh, method="numdifftools", order=order)(0.5)
    np.testing.assert_allclose(got, want, rtol=1e-4)
