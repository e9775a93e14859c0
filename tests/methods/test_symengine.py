"""SymEngine: as many digits as it takes, and sides settled at the point."""

import mpmath as mp
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, MissingRuleError, NotDifferentiableError

symengine = pytest.importorskip("symengine")


def derivative(f, **options):
    return dm.derivative(f, method="symengine", **options)


@pytest.mark.parametrize("x", [20.0, -20.0, 200.0, 350.0])
def test_cancellation_leaves_all_digits(x):
    with mp.workdps(400):
        want = float(mp.sech(x) ** 2)
    assert derivative(np.tanh)(x) == want


def test_what_cancels_exactly_is_zero():
    assert derivative(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2)(0.3) == 0.0


@pytest.mark.parametrize("x", [1e300, 5e-324, 1e-300, -3.0])
def test_floats_of_any_size(x):
    assert derivative(lambda x: 0.5 * x * x)(x) == x


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (np.abs, -2.0, -1.0),
        (np.abs, 0.0, 0.0),
        (lambda x: np.maximum(x, 1.0), 2.0, 1.0),
        (lambda x: np.maximum(x, 1.0), 1.0, 0.5),
        (lambda x: np.minimum(x, 1.0), 2.0, 0.0),
        (lambda x: np.copysign(x, -1.0), -2.0, 1.0),
        (np.cbrt, -8.0, 1 / 12),
        (np.cbrt, 0.0, np.inf),
        (np.sqrt, -1.0, np.nan),
        (lambda x: x**0.5, 0.0, np.inf),
        (lambda x: np.vdot(x, x), 3.0, 6.0),
        (lambda x: np.vecdot(np.stack([x]), np.stack([x])), 3.0, 6.0),
        (lambda x: np.conjugate(x) * np.real(x), 3.0, 6.0),
    ],
)
def test_sides_and_ends(f, x, want):
    np.testing.assert_allclose(derivative(f)(x), want, rtol=1e-15)


def test_nan_has_no_side():
    with pytest.raises(NotDifferentiableError, match="NaN"):
        derivative(lambda x: np.maximum(np.sqrt(x), 0.0))(-1.0)


@pytest.mark.parametrize("y", [-0.5, 0.5])
@pytest.mark.parametrize("x", [-0.7, 0.7])
def test_four_quadrants(x, y):
    np.testing.assert_allclose(
        derivative(lambda x: np.sin(np.arctan2(x, y)))(x),
        float(mp.diff(lambda t: mp.sin(mp.atan2(t, y)), mp.mpf(x))),
        rtol=1e-14,
    )


def test_what_it_lacks_is_refused():
    from scipy import special

    with pytest.raises(InputError, match="real formulas"):
        derivative(lambda x: np.abs(np.exp(1j * x)))(0.3)
    with pytest.raises(MissingRuleError, match="gamma"):
        derivative(special.gamma)(0.3)
    with pytest.raises(NotDifferentiableError, match="no number"):
        derivative(symengine.gamma)(0.3)  # code of its own
    with pytest.raises(MissingRuleError):
        dm.jacobian(lambda x: np.mean(x, dtype=float), method="symengine")(np.ones(2))


def test_infinite_points():
    assert derivative(lambda x: 2 * x)(np.inf) == 2.0


def test_agrees_with_sympy_on_matrices():
    x = np.array([[0.8, 0.1], [0.3, 0.9]])
    for f in (np.linalg.inv, np.linalg.det, lambda x: np.linalg.slogdet(x)[1]):
        got, want = (dm.jacobian(f, method=m)(x) for m in ("symengine", "sympy"))
        np.testing.assert_allclose(got, want, rtol=1e-14)
