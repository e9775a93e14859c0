"""The problem set is right: mpmath and SymPy differentiate the same functions."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from diffmethods import reference
from diffmethods.errors import DiffmethodsError
from diffmethods.problems import PROBLEMS, rosenbrock

OF_ONE = [p for p in PROBLEMS.values() if p.derivatives]


@pytest.mark.parametrize("problem", OF_ONE, ids=lambda p: p.name)
def test_exact_derivatives_agree_with_mpmath(problem):
    for x in (problem.at, 0.3, 1.1):
        for order, exact in enumerate(problem.derivatives, start=1):
            want = float(reference.derivative(problem.f, x, order))
            np.testing.assert_allclose(exact(x), want, rtol=2e-15, atol=1e-15)


def symbols_like(x):
    return np.array(sp.symbols(f"x:{x.size}"), dtype=object)


def test_rosenbrock_agrees_with_sympy():
    problem = PROBLEMS["rosenbrock"]
    symbols = symbols_like(problem.at)
    formula = rosenbrock(symbols)
    put = dict(zip(symbols, problem.at, strict=True))
    gradient = [float(sp.diff(formula, s).subs(put)) for s in symbols]
    hessian = [
        [float(sp.diff(formula, s, t).subs(put)) for t in symbols] for s in symbols
    ]
    np.testing.assert_allclose(problem.gradient(problem.at), gradient, rtol=1e-14)
    np.testing.assert_allclose(problem.hessian(problem.at), hessian, rtol=1e-14)


def test_polar_agrees_with_sympy():
    problem = PROBLEMS["polar"]
    r, phi = sp.symbols("r phi")
    jacobian = sp.Matrix([r * sp.cos(phi), r * sp.sin(phi)]).jacobian([r, phi])
    want = np.array(jacobian.subs({r: problem.at[0], phi: problem.at[1]}), float)
    np.testing.assert_allclose(problem.jacobian(problem.at), want, rtol=1e-15)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda p: p.name)
def test_a_problem_is_callable(problem):
    np.testing.assert_array_equal(problem(problem.at), problem.f(problem.at))


def test_the_reference_keeps_its_digits():
    x = 20.0
    assert mp.almosteq(
        reference.derivative(np.tanh, x), mp.sech(x) ** 2, rel_eps=mp.mpf(10) ** -20
    )


def test_the_reference_refuses_arrays():
    with pytest.raises((DiffmethodsError, TypeError)):
        reference.derivative(lambda x: np.sum(x * np.ones(3)), 1.0)


SCALAR_FUNCTIONS = {
    "arctan2": (lambda x: np.arctan2(x, 2.0), lambda x: 2 / (x**2 + 4)),
    "abs": (np.abs, lambda x: 1),
    "cbrt": (np.cbrt, lambda x: 1 / (3 * mp.cbrt(x) ** 2)),
    "exp2": (np.exp2, lambda x: 2**x * mp.log(2)),
    "log2": (np.log2, lambda x: 1 / (x * mp.log(2))),
    "logaddexp": (lambda x: np.logaddexp(x, 0.5), lambda x: 1 / (1 + mp.exp(0.5 - x))),
    "square": (np.square, lambda x: 2 * x),
    "reciprocal": (np.reciprocal, lambda x: -1 / x**2),
    "choices": (lambda x: np.maximum(x, 0.1) + np.minimum(x, 0.1), lambda x: 1),
    "where": (lambda x: np.where(x >= 0.5, x**2, -x), lambda x: 2 * x),
    "branch": (
        lambda x: +x if (x < 0) | (x <= 0) | (x == 0) | (x != x) else -x,
        lambda x: -1,
    ),
    "step": (lambda x: x * np.heaviside(x, 0.5), lambda x: 1),
    "sinc": (np.sinc, lambda x: (mp.cospi(x) - mp.sincpi(x)) / x),
    "units": (lambda x: np.deg2rad(np.rad2deg(x)), lambda x: 1),
    "power": (lambda x: 2.0**x / x**3, lambda x: 2**x * (mp.log(2) / x**3 - 3 / x**4)),
}


@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_the_reference_knows_the_elementary_functions(name):
    f, want = SCALAR_FUNCTIONS[name]
    assert mp.almosteq(
        reference.derivative(f, 0.75), want(mp.mpf(0.75)), rel_eps=mp.mpf(10) ** -14
    )
