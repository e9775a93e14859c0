"""Patterns: never too small, and on what is common, no larger than they need be."""

import importlib

import numpy as np
import pytest
from numpy_expressions import EDGE_EXPRESSIONS, EXPRESSIONS, REFERENCE_RTOL, reference

import diffmethods as dm
from diffmethods.errors import SparsityError

sparse = pytest.importorskip("scipy.sparse")
special = pytest.importorskip("scipy.special")
dependence = importlib.import_module("diffmethods.dependence")
hessian_pattern = dependence.hessian_pattern
jacobian_pattern = dependence.jacobian_pattern

X = np.array([0.3, -0.8, 1.1, 0.6])
FULL = np.ones((4, 4), bool)
DIAGONAL = np.eye(4, dtype=bool)
CORNER = np.outer([1, 1, 0, 0], [1, 1, 0, 0])
PAIRS = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
A = np.array([[1.0, 0.0, 0.0, 2.0], [0.0, 3.0, 0.0, 0.0]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS + EDGE_EXPRESSIONS, ids=str)
def test_no_item_is_missed(expression):
    """Wherever a central difference sees a slope, the pattern has an item."""
    point = np.asarray(expression.point)[()]
    pattern, shape = jacobian_pattern(expression.function, point)
    assert shape == np.shape(expression.function(point))
    slopes = np.abs(reference(expression).reshape(pattern.shape))
    seen = slopes > 100 * REFERENCE_RTOL[1] * slopes.max(initial=1.0)
    assert not (seen & ~pattern.toarray()).any()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS + EDGE_EXPRESSIONS, ids=str)
def test_no_pair_is_missed(expression):
    """The same for second derivatives of the sum of all items."""
    point = np.asarray(expression.point)[()]

    def total(x):
        return np.sum(np.real(expression.function(x)))

    try:
        hessian = dm.hessian(total, method="reverse_tape")(point)
    except dm.errors.DiffmethodsError:
        pytest.skip("the reference has no rule for it")
    hessian = np.abs(np.reshape(hessian, (point.size, point.size)))
    seen = hessian > 1e-10 * hessian.max(initial=1.0)
    assert not (seen & ~hessian_pattern(total, point).toarray()).any()


@pytest.mark.parametrize(
    ("f", "pattern"),
    [
        (np.tanh, DIAGONAL),
        (lambda x: x[::-1], DIAGONAL[::-1]),
        (lambda x: A @ x, A != 0),
        (lambda x: x @ A.T, A != 0),
        (lambda x: np.einsum("ij,j->i", A, x), A != 0),
        (lambda x: x * np.array([1.0, 0.0, 1.0, 1.0]), np.diag([1, 0, 1, 1])),
        (lambda x: x ** np.array([1, 0, 2, 3]), np.diag([1, 0, 1, 1])),
        (lambda x: 0.0 / x, np.zeros((4, 4))),
        (lambda x: np.diff(x), np.eye(3, 4) + np.eye(3, 4, 1)),
        (lambda x: np.convolve(x, [1, 0, 2], "valid"), np.eye(2, 4) + np.eye(2, 4, 2)),
        (lambda x: np.convolve([1.0, 2.0], x)[:4], np.eye(4) + np.eye(4, k=-1)),
        (lambda x: np.sum(x.reshape(2, 2), axis=0), [[1, 0, 1, 0], [0, 1, 0, 1]]),
        (lambda x: np.max(x.reshape(2, 2), axis=-1), PAIRS),
        (lambda x: np.linalg.norm(x.reshape(2, 2), axis=1), PAIRS),
        (lambda x: np.where(x > 0, x, x[::-1]), DIAGONAL | DIAGONAL[::-1]),
        (lambda x: np.floor(x) * x, DIAGONAL),
        (lambda x: x[int(np.floor(x[2])):], np.eye(3, 4, 1)),
        (lambda x: x[: len(x[x > 0])], np.eye(3, 4)),
        (lambda x: x * float(np.floor(x[2])), DIAGONAL),
        (lambda x: np.modf(x)[0], DIAGONAL),
        (lambda x: np.split(x, 2)[1] ** 2, np.eye(2, 4, 2)),
        (lambda x: np.linalg.slogdet(x.reshape(2, 2))[1], np.ones((1, 4))),
        (lambda x: np.linalg.matrix_rank(x.reshape(2, 2)) * x, DIAGONAL),
        (lambda x: np.frompyfunc(lambda a, b: a * b, 2, 1).reduce(x), np.ones((1, 4))),
        (lambda x: np.apply_along_axis(np.sum, 1, x.reshape(2, 2)), PAIRS),
        (lambda x: np.einsum("ii->i", x.reshape(2, 2)), [[1, 1, 1, 1]] * 2),
        (lambda x: special.struve(1.0, x), DIAGONAL),
        (lambda x: np.array([x[1], 2.0]), [[0, 1, 0, 0], [0, 0, 0, 0]]),
        (lambda x: np.stack([x[0] * x[1], x[3]]), [[1, 1, 0, 0], [0, 0, 0, 1]]),
        (lambda x: 1.0, np.zeros((1, 4))),
        (lambda x: np.add.reduce(x), np.ones((1, 4))),
        (lambda x: np.fft.fft(x).real, FULL),
        (lambda x: np.linalg.solve(np.eye(4), x), FULL),
        (lambda x: np.logaddexp.accumulate(x), np.tri(4)),
    ],
)  # fmt: skip
def test_pattern(f, pattern):
    np.testing.assert_array_equal(jacobian_pattern(f, X)[0].toarray(), pattern)


def test_blending_keeps_apart_what_did_not_meet():
    def f(x):
        return np.concatenate([np.linalg.inv(x[:4].reshape(2, 2)).ravel(), x[4:]])

    want = np.zeros((6, 6), bool)
    want[:4, :4] = True
    want[4, 4] = want[5, 5] = True
    x = np.arange(1.0, 7.0) ** 2
    np.testing.assert_array_equal(jacobian_pattern(f, x)[0].toarray(), want)


@pytest.mark.parametrize(
    ("f", "pattern"),
    [
        (lambda x: np.sum(x), np.zeros((4, 4))),
        (lambda x: np.sum(x**2), DIAGONAL),
        (lambda x: np.sum(x[1:] * x[:-1]), np.eye(4, k=1) + np.eye(4, k=-1)),
        (lambda x: x[0] * x[2] + np.exp(x[1]), np.eye(4)[[2, 1, 0, 3]] * [1, 1, 1, 0]),
        (lambda x: np.sum((A @ x) ** 2), (A.T @ A) != 0),
        (lambda x: np.sum(x) ** 2, FULL),
        (lambda x: np.sum(x / 3 - 2 * x), np.zeros((4, 4))),
        (lambda x: np.i0(x[0] + x[1]) * x[2], [[1, 1, 1, 0]] * 3 + [[0] * 4]),
        (lambda x: special.struve(1, x[0]) + x[1], CORNER),
    ],
)  # fmt: skip
def test_pattern_of_a_hessian(f, pattern):
    """What the tape has no rule for, np.i0, counts as if all pairs interact."""
    np.testing.assert_array_equal(hessian_pattern(f, X).toarray(), pattern)


def test_a_branch_gives_its_own_pattern():
    def f(x):
        return x[:2] * x[2] if x[3] > 0 else x[:2]

    with_third = jacobian_pattern(f, X)[0].toarray()
    without = jacobian_pattern(f, -X)[0].toarray()
    np.testing.assert_array_equal(with_third, [[1, 0, 1, 0], [0, 1, 1, 0]])
    np.testing.assert_array_equal(without, [[1, 0, 0, 0], [0, 1, 0, 0]])


def test_a_matrix_counts_its_items_in_order():
    x = np.arange(6.0).reshape(2, 3)
    want = [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    pattern, shape = jacobian_pattern(lambda x: np.prod(x, axis=1, keepdims=True), x)
    assert shape == (2, 1)
    np.testing.assert_array_equal(pattern.toarray(), want)


def test_a_number():
    assert jacobian_pattern(np.exp, np.float64(1.0))[0].toarray() == [[True]]
    assert hessian_pattern(np.exp, np.float64(1.0)).toarray() == [[True]]


def test_what_cannot_be_traced_says_to_give_the_pattern():
    import math

    with pytest.raises(SparsityError, match="give it as sparsity="):
        jacobian_pattern(lambda x: math.sin(x[0]), X)


def test_a_number_that_varies_is_refused():
    for number in (int, float, complex):
        with pytest.raises(SparsityError, match="cannot be detected"):
            jacobian_pattern(lambda x, number=number: x * number(x[0]), X)


def test_a_full_pattern_is_refused_before_memory_is(monkeypatch):
    monkeypatch.setattr(dependence, "MOST", 1000)
    with pytest.raises(SparsityError, match="too many"):
        jacobian_pattern(lambda x: x / np.sum(x), np.ones(100))


def test_a_full_hessian_is_refused_before_memory_is(monkeypatch):
    monkeypatch.setattr(dependence, "MOST", 1000)
    with pytest.raises(SparsityError, match="too many"):
        hessian_pattern(lambda x: np.sum(x) ** 2, np.ones(100))


def test_a_large_product_is_blended(monkeypatch):
    monkeypatch.setattr(dependence, "MOST", 40)
    pattern = jacobian_pattern(lambda x: A @ x, X)[0].toarray()
    np.testing.assert_array_equal(pattern, np.ones((2, 4)))
    pattern = jacobian_pattern(lambda x: np.einsum("ij,j->i", A, x), X)[0].toarray()
    np.testing.assert_array_equal(pattern, np.ones((2, 4)))


def test_the_pattern_of_many_variables_is_sparse():
    """Ten thousand would fill a gigabyte if it were not."""
    pattern = hessian_pattern(lambda x: np.sum(np.diff(x) ** 2), np.ones(10_000))
    assert isinstance(pattern, sparse.csr_array)
    assert pattern.nnz == 3 * 10_000 - 2
