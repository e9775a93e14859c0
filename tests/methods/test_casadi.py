"""CasADi: NumPy's order and broadcasting, rules that it lacks, and programs kept."""

import warnings

import mpmath as mp
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, MissingRuleError, TracedValueError

ca = pytest.importorskip("casadi")

M = np.arange(1.0, 7.0).reshape(2, 3) / 8


def derivative(f, **options):
    return dm.derivative(f, method="casadi", **options)


def jacobian(f, **options):
    return dm.jacobian(f, method="casadi", **options)


# NumPy's meaning of arrays, which is not CasADi's


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.reshape(x, (3, 2)),
        lambda x: x.ravel(),
        lambda x: x.T * np.arange(2.0),
        lambda x: x * x,
        lambda x: x[0] * x,
        lambda x: x[:, :1] * x[0],
        lambda x: x[:, None] * x,
        lambda x: x @ x.T,
        lambda x: x[0] @ x.T,
        lambda x: x @ x[1],
        lambda x: np.sum(x, axis=0) * np.sum(x, axis=1, keepdims=True),
        lambda x: np.cumsum(x, axis=1) * np.cumprod(x, axis=0),
        lambda x: np.linalg.solve(x[:, :2], x[:, 1:]),
        lambda x: np.linalg.inv(x[:, 1:]),
        lambda x: np.stack([x, x * x], axis=1),
        lambda x: x[np.array([[1, 0], [0, 1]]), [0, 2]],
    ],
)
def test_arrays_are_numpys(f):
    want = dm.jacobian(f, method="dual_numbers")(M)
    np.testing.assert_allclose(jacobian(f)(M), want, rtol=1e-13, atol=1e-14)


def test_three_axes():
    cube = np.arange(1.0, 25.0).reshape(2, 3, 4) / 16
    f = lambda x: np.sum(np.swapaxes(x, 0, 2) ** 2 * np.arange(2.0), axis=(0, 1))
    want = dm.jacobian(f, method="dual_numbers")(cube)
    np.testing.assert_allclose(jacobian(f)(cube), want, rtol=1e-13)
    with pytest.raises(MissingRuleError, match="one matrix at a time"):
        jacobian(lambda x: x @ np.swapaxes(x, 1, 2))(cube)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="broadcast"):
        jacobian(lambda x: x[:, :2] * x)(M)
    with pytest.raises(ValueError, match="does not fit"):
        jacobian(lambda x: x @ x)(M)


# Rules that CasADi lacks, or means otherwise: each with the exact slopes of order 1, 2


@pytest.mark.parametrize(
    ("f", "exact", "points"),
    [
        (
            lambda x: np.logaddexp(x, 1.0),
            lambda x: mp.log(mp.exp(x) + mp.exp(1)),
            [1.0, -800.0, 800.0],
        ),
        (lambda x: x % 0.3, lambda x: x, [0.4, -0.4, 5.0]),
        (lambda x: np.fmod(x, 0.3), lambda x: x, [0.4, -0.4]),
        (lambda x: np.cbrt(x), lambda x: mp.sign(x) * mp.cbrt(abs(x)), [8.0, -8.0]),
        (lambda x: np.exp2(x), lambda x: 2**x, [0.3]),
        (lambda x: np.copysign(x, -1.0), lambda x: -abs(x), [0.3, -0.3]),
        (lambda x: np.maximum(x, 0.5) ** 2, lambda x: max(x, 0.5) ** 2, [0.7, 0.2]),
        (lambda x: np.minimum(x, 0.5) ** 2, lambda x: min(x, 0.5) ** 2, [0.7, 0.2]),
        (lambda x: x * np.rint(x), lambda x: x * mp.nint(x), [2.4, -2.6]),
        (lambda x: x * np.trunc(x), lambda x: x * int(x), [2.4, -2.6]),
        (lambda x: x * (x // 0.25), lambda x: x * mp.floor(x * 4), [0.3, -0.3]),
    ],
)
def test_rules_of_our_own(f, exact, points):
    for x in points:
        for order in (1, 2):
            with mp.workdps(40):
                want = float(mp.diff(exact, mp.mpf(x), order))
            got = derivative(f, order=order)(x)
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("a", "b"), [(5.0, 0.3), (-5.0, 0.3), (5.0, -0.3), (1.0, 0.1)])
def test_the_remainder_is_numpys(a, b):
    """The value, as the slope of x times it."""
    for f in (np.remainder, np.floor_divide, np.fmod):
        got = derivative(lambda x, f=f: x * f(a + 0 * x, b))(2.0)
        np.testing.assert_allclose(got, f(a, b), rtol=1e-13, atol=1e-15)


def test_expit_and_erf_in_the_tails():
    from scipy import special

    for x in (-40.0, 0.0, 40.0, 800.0, -800.0):
        want = float(1 / (2 + mp.exp(x) + mp.exp(-x)))
        np.testing.assert_allclose(derivative(special.expit)(x), want, rtol=1e-12)
    for x in (0.5, 6.0):
        want = float(-2 / mp.sqrt(mp.pi) * mp.exp(-(mp.mpf(x) ** 2)))
        np.testing.assert_allclose(derivative(special.erfc)(x), want, rtol=1e-13)


def test_ties_are_shared_and_nan_stays():
    assert derivative(lambda x: np.maximum(x, 0.0))(0.0) == 0.5
    np.testing.assert_array_equal(
        dm.gradient(np.max, method="casadi")(np.array([1.0, 3.0, 3.0])), [0, 0.5, 0.5]
    )
    f = lambda x: np.maximum(np.sqrt(x), 0.0)
    with np.errstate(invalid="ignore"):
        assert np.isnan(derivative(f)(-1.0))


def test_reductions_of_odd_lengths():
    for n in (1, 2, 3, 5, 7):
        x = np.linspace(0.5, 1.5, n)
        got = dm.gradient(np.prod, method="casadi")(x)
        np.testing.assert_allclose(got, np.prod(x) / x, rtol=1e-13)
    with pytest.raises(ValueError, match="which has no identity"):
        dm.gradient(np.max, method="casadi")(np.zeros(0))


@pytest.mark.parametrize(
    "f",
    [
        np.sinc,
        np.sort,
        lambda x: x[x > 0.5],
        lambda x: x[np.argsort(x)],
        lambda x: np.fft.fft(x).real,
        lambda x: np.abs(np.exp(1j * x)),
        lambda x: np.linalg.norm(x, ord=3),
        lambda x: np.linalg.det(np.outer(x, x)[:2]),
    ],
)
def test_what_casadi_cannot_do_is_refused(f):
    with pytest.raises(MissingRuleError, match="casadi"):
        jacobian(f)(np.array([0.3, 0.7, 0.9]))


def test_branches_are_refused():
    with pytest.raises(TracedValueError, match=r"np\.where"):
        derivative(lambda x: x if x > 0 else -x)(1.0)


# Code of CasADi's own


def test_casadis_own_code():
    assert derivative(ca.sin)(0.0) == 1.0
    x = np.array([1.0, 2.0, 3.0])
    f = lambda x: ca.sumsqr(ca.sin(x))
    want = 2 * np.sin(x) * np.cos(x)
    np.testing.assert_allclose(dm.gradient(f, method="casadi")(x), want, rtol=1e-14)
    value, slope = dm.value_and_gradient(f, method="casadi")(x)
    np.testing.assert_allclose(value, np.sum(np.sin(x) ** 2))
    np.testing.assert_allclose(slope, want, rtol=1e-14)
    rows = jacobian(lambda x: ca.vertcat(ca.sin(x[0]), x[1] * x[2]))(x)
    np.testing.assert_allclose(rows, [[np.cos(1.0), 0, 0], [0, 3, 2]])


def test_numpy_code_never_sees_casadis_matrices():
    """CasADi answers NumPy's calls in a manner of its own, and with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((InputError, TracedValueError)):
            jacobian(np.i0)(np.array([0.3, 0.4]))


def test_errors_of_f_stay_its_own():
    def f(x):
        raise ValueError("my own words")

    with pytest.raises(ValueError, match="my own words"):
        derivative(f)(1.0)

    def only_with_numbers(x):
        return np.asarray(x, float) ** 2

    with pytest.raises((InputError, TracedValueError)):
        derivative(only_with_numbers)(1.0)


# Programs are kept as long as nothing that f reads changes


def test_changes_are_seen():
    a, scale = np.array([1.0, 2.0]), {"by": 1.0}

    def f(x):
        return np.sum(a * x) * scale["by"]

    df = dm.gradient(f, method="casadi")
    x = np.zeros(2)
    np.testing.assert_array_equal(df(x), [1, 2])
    a[0] = 5.0
    np.testing.assert_array_equal(df(x), [5, 2])
    scale["by"] = 3.0
    np.testing.assert_array_equal(df(x), [15, 6])
    np.testing.assert_array_equal(df(np.ones(2)), [15, 6])


def test_one_program_for_each_shape(monkeypatch):
    from diffmethods.methods import casadi

    made = []
    original = casadi.evaluator
    monkeypatch.setattr(
        casadi, "evaluator", lambda *args: made.append(1) or original(*args)
    )
    df = dm.gradient(lambda x: np.sum(x * x), method="casadi")
    for x in (np.ones(2), np.zeros(2), np.ones(2)):
        df(x)
    assert len(made) == 1
    df(np.ones(3))
    assert len(made) == 2


def test_outer_symbols_are_not_kept():
    """A closure that holds another derivative's stand-ins gives formulas each time."""
    f = lambda x: x * derivative(lambda y: np.sin(x * y))(1.0)
    got = [derivative(f)(x) for x in (0.3, 0.8)]
    for x, y in zip((0.3, 0.8), got, strict=True):
        want = mp.diff(lambda t: t * t * mp.cos(t), x)
        np.testing.assert_allclose(y, float(want), rtol=1e-13)


def test_expand_gives_the_same():
    f = lambda x: np.sum(np.sin(x) * x @ np.ones((3, 2)))
    for operator in (dm.gradient, dm.hessian):
        a, b = (operator(f, method="casadi", expand=e)(M) for e in (False, True))
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_products_agree_with_the_jacobian():
    f = lambda x: np.stack([np.sum(x * x), np.prod(x[0])])
    j = jacobian(f)(M)
    v, w = np.cos(M), np.array([0.3, -0.7])
    np.testing.assert_allclose(dm.jvp(f, method="casadi")(M, v), np.tensordot(j, v, 2))
    np.testing.assert_allclose(dm.vjp(f, method="casadi")(M, w), np.tensordot(w, j, 1))


def test_the_tail_of_tanh_is_lost():
    """CasADi's own rule; the page shows it."""
    assert derivative(np.tanh)(20.0) == 0.0
