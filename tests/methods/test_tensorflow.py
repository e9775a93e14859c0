"""TensorFlow: its own functions, what it would lose without a word, and compiling."""

import mpmath as mp
import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    MissingRuleError,
    NotDifferentiableError,
    OptionError,
)

pytest.importorskip("tensorflow")
dm.get_method("tensorflow")  # imports it quietly
tf = pytest.importorskip("tensorflow")

X = np.array([0.3, 1.2])


def derivative(f, x=1.2, **options):
    return dm.derivative(f, method="tensorflow", **options)(x)


def gradient(f):
    return dm.gradient(f, method="tensorflow")(X)


def branching(x):
    if x > 0:
        return tf.sin(x)
    return x


def test_its_own_functions_work_like_numpys():
    want = float(mp.sech(1.2) ** 2)
    assert derivative(tf.tanh) == pytest.approx(want, rel=1e-14)
    np.testing.assert_allclose(derivative(tf.tanh, X), 1 / np.cosh(X) ** 2)
    value, slope = dm.value_and_derivative(tf.tanh, method="tensorflow")(1.2)
    assert (value, slope) == pytest.approx((np.tanh(1.2), want), rel=1e-14)
    g = lambda x: tf.reduce_sum(tf.sin(x) ** 2)
    np.testing.assert_allclose(
        dm.hessian(g, method="tensorflow")(X), np.diag(2 * np.cos(2 * X))
    )
    np.testing.assert_allclose(
        dm.hvp(g, method="tensorflow")(X, X), 2 * np.cos(2 * X) * X
    )
    assert derivative(branching) == pytest.approx(np.cos(1.2))
    bessel = tf.math.special.bessel_j0
    want = float(mp.diff(lambda x: mp.besselj(0, x), mp.mpf(1.2), 3))
    assert derivative(bessel, order=3) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(
    ("f", "want"),
    [
        (lambda x: tf.reduce_sum(tf.stop_gradient(x) * x), X),
        (lambda x: tf.reduce_sum(tf.sin(x)) * 0.1, 0.1 * np.cos(X)),
        (lambda x: tf.reduce_sum(tf.cast(tf.cast(x, tf.int32), x.dtype) * x), [0, 1]),
        (lambda x: tf.math.zeta(tf.constant(2.0, x.dtype), x[0]) * 0 + x[1], [0, 1]),
    ],
)
def test_its_idioms(f, want):
    np.testing.assert_allclose(gradient(f), want, rtol=1e-14, atol=1e-14)


STATE = tf.Variable(0.0, dtype=tf.float64)


@pytest.mark.parametrize(
    ("f", "operation"),
    [
        (lambda x: tf.numpy_function(np.sum, [tf.sin(x)], tf.float64), "PyFunc"),
        (lambda x: tf.reduce_sum(tf.range(0.0, x[0], 0.1, x.dtype)), "Range"),
        (lambda x: tf.math.zeta(x[0] + 2, tf.constant(2.0, x.dtype)), "Zeta"),
        (lambda x: STATE.assign(x[0]) * x[1] + STATE, "AssignVariableOp"),
        (lambda x: STATE.assign_add(x[0]) * x[1] + STATE, "AssignAddVariableOp"),
        (lambda x: STATE.assign_sub(x[0]) * x[1] + STATE, "AssignSubVariableOp"),
        (
            lambda x: tf.while_loop(
                lambda y: y < 9,
                lambda y: tf.reshape(tf.numpy_function(np.exp, [y], y.dtype), ()),
                [tf.sin(x[0])],
            )[0],
            "PyFunc",
        ),
    ],
)
def test_a_slope_that_would_be_lost_is_an_error(f, operation):
    with pytest.raises(NotDifferentiableError, match=f"loses .* in {operation}"):
        gradient(f)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: tf.sin(x[0]) * float(x[1]), "float"),
        (lambda x: tf.sin(x[0]) * x[1].numpy(), "numpy"),
        (lambda x: tf.reduce_sum(tf.sin(x) * np.exp(x)), "NumPy call"),
        (lambda x: tf.reduce_sum(tf.unique(x)[0]), "No gradient defined"),
        (lambda x: np.sum(x) * tf.constant(0.1), "lost digits"),
        (lambda x: tf.reduce_sum(tf.cast(x, tf.float32)), "lost digits"),
    ],
)
def test_numbers_that_leave_the_tape_are_errors(f, words):
    """Outside of a graph TensorFlow would answer None, or a slope without them."""
    with pytest.raises((InputError, MissingRuleError), match=words):
        gradient(f)


def test_many_rows_at_once():
    x = np.linspace(0.0, 1.0, 70)
    np.testing.assert_allclose(
        dm.jacobian(np.sin, method="tensorflow")(x), np.diag(np.cos(x))
    )


def test_a_singular_matrix_has_a_determinant():
    """Its slope is the matrix of cofactors; TensorFlow alone divides by zero."""
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(
        dm.gradient(np.linalg.det, method="tensorflow")(a),
        [[4.0, -2.0], [-2.0, 1.0]],
        atol=1e-14,
    )


def test_orders_of_a_function_with_several_results():
    f = lambda x: np.stack([x, x**3])
    np.testing.assert_allclose(derivative(f, 0.5, order=3), [0.0, 6.0])


def test_devices():
    assert derivative(np.tanh, device="cpu:0") == derivative(np.tanh)
    for name in ("nonsense", "cpu:99"):
        with pytest.raises(OptionError, match=f"no device '{name}'; it has cpu:0"):
            derivative(np.tanh, device=name)


def test_an_accelerator():
    if not tf.config.list_logical_devices("GPU"):
        pytest.skip("there is no accelerator")
    assert derivative(np.tanh, device="gpu") == pytest.approx(derivative(np.tanh))


def test_special_functions():
    special = pytest.importorskip("scipy.special")
    got = derivative(lambda x: special.j0(x) * special.erf(x))
    want = mp.diff(lambda x: mp.besselj(0, x) * mp.erf(x), mp.mpf(1.2))
    assert got == pytest.approx(float(want), rel=1e-13)
