"""SciPy's solvers take the operators as they are, with every method there is.

Each test states what the solver finds, and that it took the derivative it was given:
without one SciPy would take differences of its own and find the same.
"""

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import DiffmethodsError, MissingLibraryError
from diffmethods.method import OPERATORS

optimize = pytest.importorskip("scipy.optimize")
integrate = pytest.importorskip("scipy.integrate")
sparse = pytest.importorskip("scipy.sparse")

START = np.array([0.7, 0.6])
EVERY = pytest.mark.parametrize("method", dm.list_methods())
SPARSE = pytest.mark.parametrize("method", ["reverse_tape", "dual_numbers"])


def rosenbrock(x):
    """The valley, with a value of 1 at its bottom.

    Black boxes judge an error by the slope and by f.  Where both are 0 nothing is left
    to judge it by, and they raise `NotDifferentiableError`.
    """
    return 1.0 + np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def crossing(x):
    """A circle and a line: they meet at (0.6, 0.8)."""
    return np.stack([x[0] ** 2 + x[1] ** 2 - 1.0, 4 * x[0] - 3 * x[1]])


def decay(p):
    """The misfit of a exp(-b t) to samples of 2.5 exp(-1.3 t)."""
    t = np.linspace(0.0, 2.0, 21)
    return p[0] * np.exp(-p[1] * t) - 2.5 * np.exp(-1.3 * t)


def relaxation(y):
    """Stiff: what is fast dies out at once, what is slow decides."""
    return np.stack([-1000.0 * (y[0] - y[1] ** 2), -y[1]])


class Counted:
    """A derivative that counts how often a solver asks for it."""

    def __init__(self, operation):
        self.operation, self.calls = operation, 0

    def __call__(self, *args):
        self.calls += 1
        return self.operation(*args)


@pytest.fixture
def operator(method):
    """Make an operator by one method; skip where it has none, or its library lacks."""
    try:
        chosen = dm.get_method(method)
    except MissingLibraryError as error:
        pytest.skip(str(error))

    def make(name, f):
        if chosen.max_order == 1 and name in ("hessian", "hvp"):
            pytest.skip(f"{method} gives first derivatives alone")
        assert name in OPERATORS
        return Counted(getattr(dm, name)(f, method=method))

    return make


@EVERY
def test_minimize_by_gradient(operator):
    slope = operator("gradient", rosenbrock)
    found = optimize.minimize(rosenbrock, START, jac=slope, method="BFGS")
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-3)
    assert slope.calls == found.njev
    assert found.nfev < 3 * found.njev


@EVERY
def test_minimize_by_value_and_gradient(operator):
    both = operator("value_and_gradient", rosenbrock)
    found = optimize.minimize(both, START, jac=True, method="L-BFGS-B")
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-3)
    assert both.calls == found.nfev


@EVERY
def test_minimize_by_hessian(operator):
    slope, curvature = operator("gradient", rosenbrock), operator("hessian", rosenbrock)
    found = optimize.minimize(
        rosenbrock,
        START,
        jac=slope,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-2},  # Newton's next step is at the minimum to the last bit
    )
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-2)
    assert curvature.calls == found.nhev > 0


@EVERY
def test_minimize_by_hessian_vector_products(operator):
    slope, product = operator("gradient", rosenbrock), operator("hvp", rosenbrock)
    found = optimize.minimize(
        rosenbrock, START, jac=slope, hessp=product, method="trust-ncg"
    )
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-3)
    assert product.calls > 0


@EVERY
def test_root(operator):
    slope = operator("jacobian", crossing)
    found = optimize.root(crossing, [1.0, 1.0], jac=slope)
    np.testing.assert_allclose(found.x, [0.6, 0.8], rtol=1e-9)
    assert slope.calls > 0
    assert found.nfev < 12  # differences would add two for each Jacobian


@EVERY
def test_newton_in_one_variable(operator):
    slope = operator("derivative", np.cos)
    found = optimize.newton(np.cos, 1.0, fprime=slope)
    assert found == pytest.approx(np.pi / 2, rel=1e-12)
    assert slope.calls > 0


@EVERY
def test_least_squares(operator):
    slope = operator("jacobian", decay)
    found = optimize.least_squares(decay, [1.0, 1.0], jac=slope)
    np.testing.assert_allclose(found.x, [2.5, 1.3], rtol=1e-8)
    assert slope.calls == found.njev


@EVERY
def test_solve_ivp(operator):
    slope = operator("jacobian", relaxation)
    found = integrate.solve_ivp(
        lambda t, y: relaxation(y),
        (0.0, 1.0),
        [2.0, 1.0],
        method="BDF",
        jac=lambda t, y: slope(y),
        rtol=1e-8,
        atol=1e-10,
    )
    assert found.success
    assert slope.calls == found.njev > 0
    assert found.y[1, -1] == pytest.approx(np.exp(-1.0), rel=1e-6)
    # y_0' = -1000 (y_0 - exp(-2 t)) gives y_0 = exp(-2 t) / 0.998 once it has relaxed
    assert found.y[0, -1] == pytest.approx(np.exp(-2.0) / 0.998, rel=1e-6)


def broyden(x):
    """Broyden's tridiagonal function."""
    inside = (3 - 2 * x) * x + 1.0
    left = np.concatenate([np.zeros(1), x[:-1]])
    right = np.concatenate([x[1:], np.zeros(1)])
    return inside - left - 2 * right


def heat(y):
    """Diffusion on a line with fixed ends, and a source that saturates."""
    inner = y[:-2] - 2 * y[1:-1] + y[2:]
    edge = np.zeros(1)
    return np.concatenate([edge, 50.0 * inner + np.tanh(y[1:-1]), edge])


@SPARSE
def test_sparse_least_squares(method):
    slope = Counted(dm.sparse_jacobian(broyden, method=method))
    found = optimize.least_squares(broyden, -np.ones(200), jac=slope, tr_solver="lsmr")
    assert np.max(np.abs(broyden(found.x))) < 1e-6
    assert sparse.issparse(slope(found.x))
    assert slope.calls == found.njev + 1


@SPARSE
def test_sparse_solve_ivp(method):
    slope = Counted(dm.sparse_jacobian(heat, method=method))
    start = np.sin(np.linspace(0.0, np.pi, 100))
    options = {"method": "BDF", "rtol": 1e-7, "atol": 1e-9}
    found = integrate.solve_ivp(
        lambda t, y: heat(y), (0.0, 2.0), start, jac=lambda t, y: slope(y), **options
    )
    without = integrate.solve_ivp(lambda t, y: heat(y), (0.0, 2.0), start, **options)
    assert slope.calls == found.njev > 0
    np.testing.assert_allclose(found.y[:, -1], without.y[:, -1], rtol=1e-5, atol=1e-7)


@SPARSE
def test_sparse_hessian(method):
    slope = dm.gradient(rosenbrock, method="reverse_tape")
    curvature = Counted(dm.sparse_hessian(rosenbrock, method=method))
    found = optimize.minimize(
        rosenbrock, np.zeros(10), jac=slope, hess=curvature, method="trust-constr"
    )
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-3)
    assert curvature.calls > 0


def test_an_error_in_f_reaches_whoever_called_the_solver():
    def rough(x):
        return float(x[0]) ** 2

    with pytest.raises(DiffmethodsError, match="a plain number was wanted"):
        optimize.minimize(rough, [1.0], jac=dm.gradient(rough))
