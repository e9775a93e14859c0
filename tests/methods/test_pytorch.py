"""PyTorch: its own functions, what it would lose without a word, and where it runs."""

import sys

import mpmath as mp
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    MissingLibraryError,
    MissingRuleError,
    NotDifferentiableError,
    OptionError,
)

torch = pytest.importorskip("torch")
special = pytest.importorskip("scipy.special")

X = np.array([0.3, 1.2])


def derivative(f, x=1.2, **options):
    return dm.derivative(f, method="pytorch", **options)(x)


def gradient(f):
    return dm.gradient(f, method="pytorch")(X)


def assigned(x):
    y = torch.zeros(2)
    y[0] = x[0] ** 2
    y[1] = 3.0
    return y.sum()


def test_its_own_functions_work_like_numpys():
    want = float(mp.sech(1.2) ** 2)
    assert derivative(torch.tanh) == pytest.approx(want, rel=1e-14)
    np.testing.assert_allclose(derivative(torch.tanh, X), 1 / np.cosh(X) ** 2)
    value, slope = dm.value_and_derivative(torch.tanh, method="pytorch")(1.2)
    assert (value, slope) == pytest.approx((np.tanh(1.2), want), rel=1e-14)
    g = lambda x: (torch.sin(x) ** 2).sum()
    np.testing.assert_allclose(
        dm.hessian(g, method="pytorch")(X), np.diag(2 * np.cos(2 * X))
    )
    np.testing.assert_allclose(dm.hvp(g, method="pytorch")(X, X), 2 * np.cos(2 * X) * X)
    layer = torch.nn.Linear(2, 2).double()
    np.testing.assert_allclose(
        dm.jacobian(layer, method="pytorch")(X), layer.weight.detach().numpy()
    )


@pytest.mark.parametrize(
    ("f", "want"),
    [
        (lambda x: torch.stack([x[0], x[1] ** 2]).sum(), [1.0, 2.4]),
        (lambda x: (x.detach() * x).sum(), X),
        (lambda x: x.pow(2).sum(), 2 * X),
        (assigned, [0.6, 0.0]),
        (lambda x: (x.to(torch.int64) * x).sum(), [0.0, 1.0]),
        (lambda x: (torch.zeros_like(x) + x).sum(), [1.0, 1.0]),
        (lambda x: (x * torch.tensor([0.1, 1j]).real).sum(), [0.1, 0.0]),
        (lambda x: torch.func.grad(lambda y: 3 * y.sum())(x).sum() * x[0], [6, 0]),
    ],
)
def test_its_idioms(f, want):
    np.testing.assert_allclose(gradient(f), want, rtol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: torch.sin(x).sum() * float(x[0]),
        lambda x: torch.sin(x).sum() * x[0].item(),
        lambda x: torch.sin(x[0]) * x.tolist()[0],
        lambda x: (torch.sin(x) * x.data).sum(),
        lambda x: torch.linspace(0.0, x[0], 3).sum() + x[1],
        lambda x: torch.tensor([x[0], x[1]]).sum(),
        lambda x: (torch.sin(x) * np.exp(x)).sum(),
        lambda x: torch.special.spherical_bessel_j0(x).sum(),
    ],
)
@pytest.mark.parametrize("operator", [dm.gradient, dm.jacobian, dm.hessian])
def test_a_slope_that_would_be_lost_is_an_error(f, operator):
    with pytest.raises(NotDifferentiableError, match="loses the slope of a tensor"):
        operator(f, method="pytorch")(X)


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (torch.special.bessel_j0, lambda x: mp.besselj(0, x)),
        (torch.special.bessel_j1, lambda x: mp.besselj(1, x)),
        (torch.special.bessel_y0, lambda x: mp.bessely(0, x)),
        (torch.special.bessel_y1, lambda x: mp.bessely(1, x)),
        (torch.special.modified_bessel_k0, lambda x: mp.besselk(0, x)),
        (torch.special.modified_bessel_k1, lambda x: mp.besselk(1, x)),
        (lambda x: special.j0(x), lambda x: mp.besselj(0, x)),
    ],
)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_bessel_functions_have_slopes(f, exact, order):
    """PyTorch alone gives 0; and 0 again by forward mode inside forward mode."""
    want = float(mp.diff(exact, mp.mpf(1.2), order))
    assert derivative(f, order=order) == pytest.approx(want, rel=1e-12)
    nested = f
    for _ in range(order):
        nested = dm.derivative(nested, method="pytorch")
    assert nested(1.2) == pytest.approx(want, rel=1e-12)


def test_bessel_functions_have_all_their_digits():
    """PyTorch's own are off by up to 7e-6 between 2 and 10."""
    x = np.linspace(0.5, 12.0, 24)
    for f, exact in (
        (torch.special.bessel_j0, lambda x: mp.besselj(0, x)),
        (torch.special.bessel_y1, lambda x: mp.bessely(1, x)),
    ):
        value, slope = dm.value_and_derivative(f, method="pytorch")(x)
        np.testing.assert_allclose(value, [float(exact(t)) for t in x], atol=1e-14)
        want = [float(mp.diff(exact, mp.mpf(t))) for t in x]
        np.testing.assert_allclose(slope, want, atol=1e-13)
        jacobian = dm.jacobian(f, method="pytorch")(np.tile(x, 2))
        np.testing.assert_allclose(np.diag(jacobian), np.tile(want, 2), atol=1e-13)
    y = f(torch.tensor(5.1, dtype=torch.float64)).item()
    assert abs(y - float(mp.bessely(1, 5.1))) > 1e-7


def test_bessel_functions_need_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingLibraryError, match="pip install scipy"):
        derivative(torch.special.bessel_j0)


def test_bessel_functions_backwards_and_at_zero():
    assert dm.vjp(torch.special.bessel_j1, method="pytorch")(0.0, 1.0) == 0.5
    with torch.no_grad():
        assert derivative(torch.special.bessel_j1, 0.0) == 0.5


def test_what_has_no_rule_says_so():
    f = lambda x: torch.heaviside(x, torch.tensor(0.5)) * x
    with pytest.raises(InputError, match="heaviside"):
        derivative(f)
    with pytest.raises(MissingRuleError, match="heaviside"):
        gradient(lambda x: (f(x) * torch.ones(2)).sum())
    with pytest.raises(InputError, match=r"plain NumPy.*has no attribute 'nothing'"):
        derivative(lambda x: x.nothing())
    slope = dm.derivative(np.tanh, method="pytorch")
    with pytest.raises(InputError, match="not complex"):
        dm.derivative(slope, method="complex_step")(1.0)


def test_devices():
    assert derivative(np.tanh, device="cpu") == derivative(np.tanh)
    for name in ("nonsense", "cuda:99"):
        with pytest.raises(OptionError, match=f"no device '{name}'; it has cpu"):
            derivative(np.tanh, device=name)


def test_an_accelerator():
    if not torch.accelerator.is_available():
        pytest.skip("there is no accelerator")
    device = str(torch.accelerator.current_accelerator())
    assert derivative(np.tanh, device=device) == pytest.approx(derivative(np.tanh))


def test_orders_of_a_function_with_several_results():
    f = lambda x: np.stack([x, x**3])
    np.testing.assert_allclose(derivative(f, 0.5, order=3), [0.0, 6.0])
