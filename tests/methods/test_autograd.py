"""Autograd: rules of its own that would lose something, and one count of traces."""

import mpmath
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import DiffmethodsError, InputError, OptionError

autograd = pytest.importorskip("autograd")
anp = pytest.importorskip("autograd.numpy")
module = pytest.importorskip("diffmethods.methods.autograd")

X = np.array([0.3, 0.8, 1.5])
M = np.array([[2.0, 0.3, -0.4], [0.5, 2.1, 0.6], [-0.7, 0.2, 1.7]])

MENDED = {
    "cbrt": (np.cbrt, X),
    "copysign": (lambda x: np.copysign(x, -1.0), X),
    "cumprod": (np.cumprod, np.array([0.5, 0.0, 2.0])),
    "fmod": (lambda x: np.fmod(x, 0.7), -X),
    "heaviside": (lambda x: np.heaviside(x - 0.5, 0.5) * x, X),
    "i0": (np.i0, X),
    "linalg.cholesky": (np.linalg.cholesky, M),
    "linalg.norm": (np.linalg.norm, M),
    "positive": (np.positive, X),
    "prod": (np.prod, np.array([0.5, 0.0, 2.0])),
    "sign": (lambda x: np.real(np.sign(x + 1j)), X),
    "sqrt": (lambda x: np.where(x > 0.5, np.sqrt(np.maximum(x - 0.5, 0.0)), 0.0), X),
    "where": (lambda x: np.where(x[:, None] < x, x, np.stack([np.cos(x)] * 3)), X),
}
UNMENDED_IS_WRONG_FOR = {  # what only other arguments show
    "linalg.norm": (lambda x: np.linalg.norm(x, ord=np.inf), X),
}


def verdict(f, x):
    """Whether the Jacobian is that of differences, refused, or neither."""
    want = dm.jacobian(f, method="central_difference")(x)
    try:
        with np.errstate(all="ignore"):
            found = dm.jacobian(f, method="autograd")(x)
    except DiffmethodsError:
        return "refused"
    except Exception as error:
        return repr(error)
    right = found.shape == want.shape and np.allclose(found, want, 1e-6, 1e-8)
    return "right" if right else "wrong"


def test_every_mended_function_has_a_test():
    assert set(MENDED) == set(module.MEND)


@pytest.mark.parametrize("name", MENDED)
def test_mended(name):
    assert verdict(*MENDED[name]) == "right"
    if name in UNMENDED_IS_WRONG_FOR:
        assert verdict(*UNMENDED_IS_WRONG_FOR[name]) == "refused"


@pytest.mark.parametrize("name", MENDED)
def test_mending_is_needed(name, monkeypatch):
    fresh = module.Wrapped(
        "autograd", module.LIBRARY.homes, asarray=lambda x: x, gather=module.gather
    )
    for key, value in vars(module.LIBRARY).items():
        setattr(fresh, key, value)
    fresh.update({k: f for k, f in module.MEND.items() if k != name})
    monkeypatch.setattr(module, "LIBRARY", fresh)
    f, x = UNMENDED_IS_WRONG_FOR.get(name, MENDED[name])
    expected = "refused" if name in UNMENDED_IS_WRONG_FOR else "right"
    assert verdict(f, x) != expected


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.linalg.norm(x, axis=0, keepdims=True), M),
        (lambda x: np.linalg.norm(x, ord=1), X),
    ],
)
def test_what_autograd_would_get_wrong_is_refused_or_right(f, x):
    assert verdict(f, x) in ("refused", "right")


def test_an_operand_by_name_is_no_constant():
    run = module.refusing_named_boxes(anp.sum)
    with pytest.raises(NotImplementedError, match="takes initial for a constant"):
        autograd.grad(lambda x: run(np.ones(2), initial=x))(1.0)


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (lambda x: np.prod(x, axis=1, keepdims=True), (2, 3)),
        (lambda x: np.prod(x, axis=(0, 2)), (2, 3, 2)),
        (lambda x: np.cumprod(x, axis=0), (3, 2)),
        (np.prod, (0,)),
    ],
)
def test_products(f, shape):
    x = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
    assert verdict(f, x) == "right"


def test_its_own_code_works_too():
    native = lambda x: anp.tanh(x) * anp.sum(x) + autograd.scipy.special.erf(x[0])
    own = autograd.jacobian(native)(X)
    np.testing.assert_array_equal(dm.jacobian(native, method="autograd")(X), own)
    assert dm.derivative(anp.tanh, method="autograd")(20.0) == pytest.approx(
        1.6993417021166355e-17, rel=1e-15
    )


def test_autograd_inside_and_outside():
    """Whoever counts the traces, the two are told apart."""
    f = lambda x: x * autograd.grad(lambda y: x + y)(1.0)
    assert dm.derivative(f, method="autograd")(2.0) == 1.0
    f = lambda x: x * autograd.grad(lambda y: y * y + x)(1.0)
    assert dm.derivative(f, method="autograd")(2.0) == 2.0
    g = lambda x: x * dm.derivative(lambda y: x + y, method="autograd")(1.0)
    assert autograd.grad(g)(2.0) == 1.0
    g = lambda x: dm.derivative(lambda y: x * y, method="autograd")(1.0)
    with pytest.raises(InputError, match="take the outer derivative by diffmethods"):
        autograd.grad(g)(2.0)


def test_an_error_leaves_no_trace():
    from autograd.tracer import trace_stack

    before = trace_stack.top
    with pytest.raises(ZeroDivisionError):
        dm.gradient(lambda x: np.sum(x) / (1 // 0), method="autograd")(X)
    assert trace_stack.top == before


def test_a_constant_without_a_warning():
    np.testing.assert_array_equal(
        dm.jacobian(lambda x: np.ones(2), method="autograd")(X), np.zeros((2, 3))
    )


def test_orders_end_where_digits_do():
    for order in range(1, 6):
        for x in (0.5, 2.0, 5.0):
            with mpmath.workdps(40):
                want = float(mpmath.diff(mpmath.tanh, mpmath.mpf(x), order))
            found = dm.derivative(np.tanh, method="autograd", order=order)(x)
            assert found == pytest.approx(want, rel=1e-11)
    with pytest.raises(OptionError, match="to order 5"):
        dm.derivative(np.tanh, method="autograd", order=6)
