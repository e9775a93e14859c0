"""Sparse rows are what the dense array of the same weights would be."""

import numpy as np
import pytest

from diffmethods.cotangents import SparseRows, fold, gather, gathered, scatter, whole

SHAPE = (2, 3)


def sparse():
    return SparseRows(
        np.array([0, 0, 1, 3]),
        np.array([5, 2, 0, 2]),
        np.array([2.0, 3.0, 5.0, 7.0]),
        4,
        SHAPE,
    )


def dense():
    rows = np.zeros((4, 6))
    rows[0, 5], rows[0, 2], rows[1, 0], rows[3, 2] = 2.0, 3.0, 5.0, 7.0
    return rows.reshape(4, 2, 3)


def expand(w):
    return w.dense() if isinstance(w, SparseRows) else w


FACTOR = np.arange(1.0, 7.0).reshape(SHAPE)


@pytest.mark.parametrize(
    "call",
    [
        lambda w: w,
        lambda w: w * 3.0,
        lambda w: 3.0 * w,
        lambda w: w * FACTOR,
        lambda w: w * FACTOR[0],
        lambda w: w / FACTOR,
        lambda w: -w,
        lambda w: w + w,
        lambda w: w + w + w + w,
        lambda w: w + FACTOR,
        lambda w: FACTOR + w,
        lambda w: w * 1j,
    ],
)
def test_sparse_rows_calculate_like_dense_ones(call):
    np.testing.assert_array_equal(expand(call(sparse())), call(dense()))


def test_unit_rows_stay_sparse_and_turn_dense_when_that_is_shorter():
    w = SparseRows.unit(0, 10, (10,))
    np.testing.assert_array_equal(w.dense(), np.eye(10))
    assert isinstance(w + w, SparseRows)
    for _ in range(4):
        w = w + w
    assert isinstance(w, np.ndarray)
    np.testing.assert_array_equal(w, 16 * np.eye(10))


@pytest.mark.parametrize("items", [[2, 0, 1], [2, 2, 0]])
def test_rows_times_a_matrix(items):
    matrix = np.arange(12.0).reshape(3, 4)
    w = SparseRows(
        np.array([0, 1, 2]), np.array(items), np.array([1.0, 2.0, 3.0]), 3, (3,)
    )
    np.testing.assert_array_equal(w @ matrix, w.dense() @ matrix)
    w.rows = np.array([0, 0, 2])
    np.testing.assert_array_equal(w @ matrix, w.dense() @ matrix)


def test_a_number_stands_for_an_array_full_of_it():
    np.testing.assert_array_equal(whole(2.0, (2, 2)), np.full((2, 2), 2.0))
    assert whole(2.0, ()) == 2.0
    assert whole(2j, ()) == 2j
    np.testing.assert_array_equal(whole(sparse(), SHAPE), dense())


def test_fold_sums_what_broadcasting_copied():
    w = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(fold(w, (3, 1), 0), w.sum(0).sum(1, keepdims=True))
    np.testing.assert_array_equal(fold(w, (1,), 1), w.sum((1, 2))[:, None])
    np.testing.assert_array_equal(fold(w, (), 1), w.sum((1, 2)))


SOURCE = np.array([[3, 0, 1], [3, 5, 1]])  # of 6 items, from 1


def matrix_of(source):
    """The linear map that takes items, as a matrix."""
    return (source.ravel()[:, None] == np.arange(1, 7)).astype(float)


def test_scatter_is_the_transpose_of_taking():
    w = np.arange(1.0, 7.0).reshape(SHAPE)
    want = (w.ravel() @ matrix_of(SOURCE)).reshape(3, 2)
    np.testing.assert_array_equal(scatter(w, SOURCE, (3, 2)), want)
    np.testing.assert_array_equal(scatter(1j * w, SOURCE, (3, 2)), 1j * want)
    np.testing.assert_array_equal(gathered(w, SOURCE, (3, 2)), want)
    rows = scatter(dense(), SOURCE, (6,), 1)
    np.testing.assert_array_equal(rows, dense().reshape(4, 6) @ matrix_of(SOURCE))
    np.testing.assert_array_equal(scatter(sparse(), SOURCE, (6,), 1).dense(), rows)


@pytest.mark.parametrize("source", [SOURCE, np.array([[3, 0, 1], [6, 5, 0]])])
def test_gather_takes_back(source):
    want = dense().reshape(4, 6) @ matrix_of(source).T
    for w in (sparse(), dense()):
        got = expand(gather(w, source, 1)).reshape(4, 6)
        np.testing.assert_array_equal(got, want)
