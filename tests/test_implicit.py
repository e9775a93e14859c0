"""The derivatives of a root are those of the root, whoever found it."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    NotDifferentiableError,
    ShapeError,
    TracedValueError,
)

so = pytest.importorskip("scipy.optimize")

EXACT = ("dual_numbers", "taylor_series", "reverse_tape", "numpy_source", "jax")
BY_RULE = (*EXACT, "complex_step")


def each(names, kinds):
    return pytest.mark.parametrize(names, kinds)


# Kepler's equation E - e sin E = M: a number


def residual(E, M, e):
    return E - e * np.sin(E) - M


@dm.custom_root(residual)
def by_brent(M, e):
    return so.brentq(residual, M - 1.0, M + 1.0, args=(M, e), xtol=1e-15)


@dm.custom_fixed_point(lambda E, M, e: M + e * np.sin(E))
def by_iteration(M, e):
    E = M
    for _ in range(200):
        E = M + e * np.sin(E)
    return E


ANOMALIES = {"root": by_brent, "fixed point": by_iteration}


def anomaly(M, e):
    return mpmath.findroot(lambda E: E - e * mpmath.sin(E) - M, M + e * mpmath.sin(M))


@each("kind", ANOMALIES)
@each("method", BY_RULE)
def test_a_number_by_each_argument(kind, method):
    f, point = ANOMALIES[kind], (mpmath.mpf(1.25), mpmath.mpf(0.5))
    with mpmath.workdps(40):
        true = [mpmath.diff(anomaly, point, n) for n in ((1, 0), (0, 1))]
    found = dm.gradient(lambda x: f(x[0], x[1]), method=method)(np.array([1.25, 0.5]))
    np.testing.assert_allclose(found, np.array(true, float), rtol=1e-14)


@each("kind", ANOMALIES)
@each("method", EXACT)
def test_second_derivatives_of_a_number(kind, method):
    f, point = ANOMALIES[kind], (mpmath.mpf(1.25), mpmath.mpf(0.5))
    with mpmath.workdps(40):
        orders = ((2, 0), (1, 1), (1, 1), (0, 2))
        true = [float(mpmath.diff(anomaly, point, n)) for n in orders]
    found = dm.hessian(lambda x: f(x[0], x[1]), method=method)(np.array([1.25, 0.5]))
    np.testing.assert_allclose(np.ravel(found), true, rtol=1e-13)


@each("kind", ANOMALIES)
@settings(max_examples=25, deadline=None)
@given(M=st.floats(-3.0, 3.0), e=st.floats(0.0, 0.75))
def test_series_of_a_root(kind, M, e):
    """Newton's iteration on mpmath's series of the same function is independent."""
    with mpmath.workdps(60):
        true = mpmath.taylor(lambda M: anomaly(M, mpmath.mpf(e)), mpmath.mpf(M), 6)
    found = dm.taylor(lambda M: ANOMALIES[kind](M, e), M, 6)
    scale = float(max(map(abs, true)))
    np.testing.assert_allclose(
        found, np.array(true, float), rtol=1e-9, atol=1e-11 * scale
    )


# A system of two equations, against SymPy


def system(y, a):
    return np.stack([y[0] ** 2 + y[1] - a[0], y[0] * y[1] + y[1] ** 3 - a[1]])


@dm.custom_root(system)
def by_hybrid(a):
    found = so.root(lambda y: system(y, a), np.array([1.0, 1.0]), tol=1e-14)
    return found.x


def tensors_of_the_system(y):
    """First and second derivatives of y by a, by SymPy."""
    u, v, a, b = sp.symbols("u v a b")
    equations = sp.Matrix([u**2 + v - a, u * v + v**3 - b])
    slopes = -equations.jacobian([u, v]).inv() * equations.jacobian([a, b])

    def total(expression, k):
        return sp.diff(expression, (a, b)[k]) + sum(
            sp.diff(expression, z) * slopes[i, k] for i, z in enumerate((u, v))
        )

    at = {u: sp.Float(y[0], 30), v: sp.Float(y[1], 30)}
    first = [[slopes[i, j].subs(at) for j in (0, 1)] for i in (0, 1)]
    second = [
        [[total(slopes[i, j], k).subs(at) for k in (0, 1)] for j in (0, 1)]
        for i in (0, 1)
    ]
    return np.array(first, float), np.array(second, float)


@each("method", BY_RULE)
def test_a_system_in_both_modes(method):
    a = np.array([1.5, 0.875])
    first, second = tensors_of_the_system(by_hybrid(a))
    found = dm.jacobian(by_hybrid, method=method)(a)
    np.testing.assert_allclose(found, first, rtol=1e-11)
    w = np.array([2.0, -3.0])
    np.testing.assert_allclose(
        dm.vjp(by_hybrid, method=method)(a, w), w @ first, rtol=1e-11
    )
    np.testing.assert_allclose(
        dm.jvp(by_hybrid, method=method)(a, w), first @ w, rtol=1e-11
    )
    if method != "complex_step":
        found = dm.hessian(lambda a: by_hybrid(a) @ w, method=method)(a)
        np.testing.assert_allclose(found, np.tensordot(w, second, 1), rtol=1e-10)


# A matrix: the square root X of A, X X = A


@dm.custom_root(lambda x, a: x @ x - a)
def matrix_root(a):
    values, vectors = np.linalg.eigh(np.array(a, copy=True))
    return (vectors * np.sqrt(values)) @ vectors.T


@each("method", BY_RULE)
def test_a_matrix(method):
    a = np.array([[3.0, 1.0, 0.5], [1.0, 2.0, 0.25], [0.5, 0.25, 4.0]])
    da = np.array([[0.3, -1.0, 0.0], [-1.0, 0.5, 2.0], [0.0, 2.0, 1.0]])
    root = matrix_root(a)
    from scipy.linalg import solve_sylvester

    true = solve_sylvester(root, root, da)
    np.testing.assert_allclose(
        dm.jvp(matrix_root, method=method)(a, da), true, rtol=1e-12
    )
    np.testing.assert_allclose(
        dm.vjp(matrix_root, method=method)(a, da),
        true,
        rtol=1e-12,  # self-adjoint
    )


# Many equations at once


def newton(M, e):
    E = M + 0.0
    for _ in range(50):
        E = E - (E - e * np.sin(E) - M) / (1.0 - e * np.cos(E))
    return E


many = dm.custom_root(residual, newton, elementwise=True)
coupled = dm.custom_root(residual, newton)


@each("method", BY_RULE)
def test_elementwise_equations_make_no_matrix(method):
    M = np.linspace(0.1, 3.0, 7)
    found = dm.jacobian(lambda M: many(M, 0.5), method=method)(M)
    true = dm.jacobian(lambda M: coupled(M, 0.5), method=method)(M)
    E = newton(M, 0.5)
    np.testing.assert_allclose(found, np.diag(1 / (1 - 0.5 * np.cos(E))), rtol=1e-14)
    np.testing.assert_allclose(found, true, rtol=1e-14)
    slopes = dm.derivative(lambda M: many(M, 0.5), method=method)(M)
    np.testing.assert_allclose(slopes, np.diag(found), rtol=1e-14)
    by_e = dm.derivative(lambda e: many(M, e), method=method)(0.5)
    np.testing.assert_allclose(by_e, np.sin(E) / (1 - 0.5 * np.cos(E)), rtol=1e-14)


@each("method", ["reverse_tape", "numpy_source", "jax"])
def test_a_hundred_thousand_equations(method):
    M = np.linspace(0.1, 3.0, 100_000)
    slopes = dm.gradient(lambda M: np.sum(many(M, 0.5)), method=method)(M)
    true = 1 / (1 - 0.5 * np.cos(newton(M, 0.5)))
    np.testing.assert_allclose(slopes, true, rtol=1e-13)


def test_nearly_singular_is_singular():
    third = np.array([[1 / 3, 2 / 3], [1 / 7, 2 / 7]])
    root = dm.custom_root(
        lambda y, a: third @ y - a * third[:, 0], lambda a: np.stack([a, 0.0 * a])
    )
    for method in EXACT:
        with pytest.raises(NotDifferentiableError, match="singular"):
            dm.derivative(root, method=method)(1.0)


def test_what_is_not_elementwise_is_found_out():
    mixing = dm.custom_root(
        lambda y, a: 2.0 * y + 0.001 * np.roll(y, 1) - a,
        lambda a: np.linalg.solve(
            2.0 * np.eye(3) + 0.001 * np.roll(np.eye(3), 1, axis=0), a
        ),
        elementwise=True,
    )
    with pytest.raises(ShapeError, match="not elementwise"):
        mixing(np.ones(3))


# Options, nesting, empty arrays


@each("method", EXACT)
def test_options_reach_the_solver_and_the_equation(method):
    @dm.custom_root(lambda y, a, *, power: y**power - a)
    def root(a, *, power=2, start=1.0):
        return so.newton(lambda y: y**power - a, start, tol=1e-15)

    slope = dm.derivative(
        lambda a: root(a, start=2.0) + root(a, power=3), method=method
    )
    np.testing.assert_allclose(
        slope(2.0), 0.5 * 2**-0.5 + 2 ** (-2 / 3) / 3, rtol=1e-13
    )


@each("method", EXACT)
def test_a_root_inside_the_equation_of_a_root(method):
    inner = dm.custom_root(lambda y, a: y**2 - a, lambda a: float(a) ** 0.5)
    outer = dm.custom_root(
        lambda z, a: z * inner(z) - a, lambda a: float(a) ** (2 / 3)
    )  # z sqrt(z) = a
    np.testing.assert_allclose(
        dm.derivative(outer, method=method)(2.0), 2 / 3 * 2 ** (-1 / 3), rtol=1e-13
    )


@each("method", ["dual_numbers", "reverse_tape", "numpy_source"])
def test_no_equations_have_no_solution_to_differ(method):
    nothing = dm.custom_root(lambda y, a: y - a, lambda a: a + 0.0)
    assert dm.jacobian(nothing, method=method)(np.zeros(0)).shape == (0, 0)


def test_a_right_equation_passes_the_check():
    by_brent.check(1.25, 0.5)
    by_iteration.check(1.25, 0.5)
    by_hybrid.check(np.array([1.5, 0.875]))


# What is wrong is said


@each("method", BY_RULE)
def test_a_solver_that_stops_early_is_found_out(method):
    @dm.custom_fixed_point(lambda y, a: np.cos(a * y))
    def early(a):
        y = 0.5
        for _ in range(5):
            y = np.cos(a * y)
        return y

    with pytest.raises(NotDifferentiableError, match="early did not converge"):
        dm.derivative(early, method=method)(1.0)
    loose = dm.custom_fixed_point(
        lambda y, a: np.cos(a * y), early.__wrapped__.__wrapped__, rtol=0.5
    )
    assert np.isfinite(dm.derivative(loose, method=method)(1.0))


@each("value", [np.nan, np.inf, 1e300])
def test_a_solver_that_fails_is_found_out(value):
    with pytest.raises(NotDifferentiableError, match="did not converge"):
        dm.custom_root(lambda y, a: y**3 - a, lambda a: value)(1.0)


@each("scale", [1e-200, 1e-12, 1.0, 1e12, 1e100])
def test_small_is_relative_to_the_scale_of_the_equation(scale):
    root = lambda a: scale * np.cbrt(a / scale)
    equation = lambda y, a: (y / scale) ** 3 - a / scale
    dm.custom_root(equation, root)(2.0 * scale)
    dm.custom_root(equation, lambda a: 0.0)(0.0)
    with pytest.raises(NotDifferentiableError):
        dm.custom_root(equation, lambda a: 1.01 * root(a))(2.0 * scale)


@each("method", EXACT)
def test_a_double_root_has_no_slope(method):
    root = dm.custom_root(lambda y, a: y * y - a, lambda a: 0.0 * a)
    with pytest.raises(NotDifferentiableError, match="singular"):
        dm.derivative(root, method=method)(0.0)
    pair = dm.custom_root(
        lambda y, a: np.stack([y[0] + y[1] - a, 2 * y[0] + 2 * y[1] - 2 * a]),
        lambda a: np.stack([0.5 * a, 0.5 * a]),
    )
    with pytest.raises(NotDifferentiableError, match="singular"):
        dm.derivative(pair, method=method)(1.0)


def test_as_many_equations_as_unknowns():
    with pytest.raises(ShapeError, match=r"shape \(2,\).*shape \(3,\)"):
        dm.custom_root(lambda y, a: y[:2] - a, lambda a: np.ones(3))(1.0)


def test_what_is_handed_over_must_be_right():
    with pytest.raises(InputError, match="residual must be a function"):
        dm.custom_root(1.0)
    with pytest.raises(InputError, match="step must be a function"):
        dm.custom_fixed_point(1.0)
    with pytest.raises(InputError, match="solver must be a function"):
        dm.custom_root(residual, 1.0)
    with pytest.raises(InputError, match="root alone"):
        dm.custom_root(lambda y, a: y - a, lambda a: (a, "info"))(1.0)
    with pytest.raises(InputError, match="must return numbers"):
        dm.custom_root(lambda y, a: y - a, lambda a: None)(1.0)


@each("method", EXACT)
def test_a_variable_in_a_closure_is_refused(method):
    def outer(x):
        return dm.custom_root(lambda y, a: y - a * x, lambda a: 6.0)(2.0)

    with pytest.raises(TracedValueError, match="not among its arguments"):
        dm.derivative(outer, method=method)(3.0)
