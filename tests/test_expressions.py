"""Every method on the whole corpus: the right Jacobian, or an error that says why."""

import functools

import numpy as np
import pytest
from installed import METHODS
from numpy_expressions import (
    EDGE_EXPRESSIONS,
    EXPRESSIONS,
    POINTS,
    REFERENCE_RTOL,
    directions,
    higher_reference,
    reference,
    verdict,
)

import diffmethods as dm
from diffmethods.errors import DiffmethodsError

LEAST_RIGHT = {  # of the 206 in EXPRESSIONS
    "central_difference": 206,
    "forward_difference": 206,
    "dual_numbers": 206,
    "taylor_series": 190,
    "reverse_tape": 200,
    "numpy_source": 190,
    "jax": 206,
    "pytorch": 206,
    "tensorflow": 206,
    "sympy": 195,
    "autograd": 206,
    "tangent": 155,
    "num_dual": 199,
    "symengine": 195,
    "casadi": 190,
    "scipy_differentiate": 205,
    "numdifftools": 205,
}


once = functools.cache(verdict)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_right_or_refused(method, expression):
    outcome = once(expression, method)
    assert outcome == "right" or outcome.startswith("refused: ")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EDGE_EXPRESSIONS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_right_or_refused_at_the_edges(method, expression):
    outcome = verdict(expression, method)
    assert outcome == "right" or outcome.startswith("refused: ")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("method", LEAST_RIGHT)
def test_count(method):
    right = sum(once(expression, method) == "right" for expression in EXPRESSIONS)
    assert right >= LEAST_RIGHT[method]


def test_the_corpus():
    assert (
        len(EXPRESSIONS)
        == len({expression.source for expression in EXPRESSIONS})
        == 206
    )
    assert {expression.kind for expression in EXPRESSIONS + EDGE_EXPRESSIONS} == set(
        POINTS
    )


@pytest.mark.parametrize(
    ("source", "exact"),
    [
        ("np.log(x)", lambda x: np.diag(1 / x)),
        ("np.arcsin(x)", lambda x: np.diag(1 / np.sqrt(1 - x**2))),
        ("x @ x", lambda x: 2 * x),
        ("1 / x", lambda x: np.diag(-1 / x**2)),
    ],
)
def test_the_reference_is_as_good_as_it_says(source, exact):
    (expression,) = (e for e in EXPRESSIONS if e.source == source)
    expected = exact(expression.point)
    error = np.abs(reference(expression) - expected)
    assert np.max(error) <= REFERENCE_RTOL[1] * np.max(np.abs(expected))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("expression", EXPRESSIONS + EDGE_EXPRESSIONS, ids=str)
def test_dual_numbers_nest(expression, order):
    """The rules hold inside one another, which dual numbers of dual numbers show."""
    f = expression.function
    for direction in directions(expression, order):
        f = functools.partial(pushed, f, direction=direction)
    try:
        found = np.asarray(f(expression.point))
    except DiffmethodsError:
        pytest.skip("refused")
    expected = higher_reference(expression, order)
    assert found.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1.0)
    assert (
        np.max(np.abs(found - expected), initial=0.0) <= REFERENCE_RTOL[order] * scale
    )


def pushed(f, x, direction):
    return dm.jvp(f, method="dual_numbers")(x, direction)
