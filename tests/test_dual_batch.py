"""All directions at once agree with one after the other, or leave the work to them."""

import numpy as np
import pytest
from numpy_expressions import EDGE_EXPRESSIONS, EXPRESSIONS

import diffmethods as dm
from diffmethods import dual_batch
from diffmethods.methods import dual_numbers
from diffmethods.traced import Traced

A = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [2.0, 0.0, 4.0], [-1.0, 1.0, 0.5]])
X = np.array([0.3, -0.7, 1.1])


def one_by_one(f, x):
    """The Jacobian's columns as slopes along the coordinates."""
    basis = np.eye(x.size).reshape((-1, *x.shape))
    columns = [np.asarray(dual_numbers.jvp(f, x, e)) for e in basis]
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_corpus_of_expressions():
    batched = 0
    for expression in EXPRESSIONS + EDGE_EXPRESSIONS:
        f, x = expression.function, expression.point
        if not np.size(x) or not np.ndim(x):
            assert dual_batch.jacobian(f, x) is None
            continue
        found = dual_batch.jacobian(f, x)
        if found is not None:
            batched += 1
            np.testing.assert_allclose(found, one_by_one(f, x), rtol=1e-12, atol=1e-13)
    assert batched > 200


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x: A @ x, A),
        (lambda x: x @ A.T, A),
        (lambda x: np.sin(A @ x), np.cos(A @ X)[:, None] * A),
        (lambda x: A @ np.sin(x), A * np.cos(X)),
        (lambda x: np.sin(x) + x**2, np.diag(np.cos(X) + 2 * X)),
        (lambda x: x * np.ones((2, 1)), np.stack([np.eye(3)] * 2)),
        (lambda x: np.outer(x, [1.0, 2.0]).ravel(), np.kron(np.eye(3), [[1.0], [2.0]])),
        (np.sum, np.ones(3)),
        (lambda x: np.stack([x[0] * x[1], 2.0]), [[-0.7, 0.3, 0.0], [0.0, 0.0, 0.0]]),
        (lambda x: [x[0] * x[1], x[-1]], [[-0.7, 0.3, 0.0], [0.0, 0.0, 1.0]]),
        (lambda x: np.exp(1j * x), np.diag(1j * np.exp(1j * X))),
        (lambda x: np.zeros(2), np.zeros((2, 3))),
    ],
)
def test_exact_jacobians(f, exact):
    found = dm.jacobian(f, method="dual_numbers")(X)
    np.testing.assert_allclose(found, exact, rtol=1e-14, atol=1e-16)
    assert found.flags.writeable


def test_the_users_matrix_is_not_handed_out():
    found = dm.jacobian(lambda x: A @ x, method="dual_numbers")(X)
    assert not np.shares_memory(found, A)


def test_f_is_called_once_where_memory_allows(monkeypatch):
    calls = []

    def f(x):
        calls.append(x)
        return np.tanh(A @ x)

    whole = dm.jacobian(f, method="dual_numbers")(X)
    assert len(calls) == 1
    monkeypatch.setattr(dual_batch, "AT_ONCE", 6)
    np.testing.assert_array_equal(dm.jacobian(f, method="dual_numbers")(X), whole)
    assert len(calls) == 3  # two directions, then the last


def test_inside_another_derivative():
    def f(x):
        return dm.jacobian(lambda y: np.sin(x * y), method="dual_numbers")(X)

    slope = np.diag(np.cos(2.0 * X) - 2.0 * X * np.sin(2.0 * X))
    found = dm.derivative(f, method="dual_numbers")(2.0)
    np.testing.assert_allclose(found, slope, rtol=1e-13, atol=1e-15)
    outer = dm.jacobian(
        lambda x: dm.gradient(lambda y: np.prod(y * y), method="dual_numbers")(x),
        method="dual_numbers",
    )(X)
    p = np.prod(X * X)
    exact = 4 * p / np.outer(X, X)
    np.fill_diagonal(exact, 2 * p / X**2)
    np.testing.assert_allclose(outer, exact, rtol=1e-13)


def test_a_rule_without_a_slope_leaves_it_to_the_long_way():
    assert dual_batch.jacobian(lambda x: np.i0(x), X) is None
    assert isinstance(dual_batch.DualBatch(X, None, 3, 1), Traced)
