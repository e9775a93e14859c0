"""Large arithmetic gives what NumPy gives, and writes into nothing that is in use."""

import threading

import numpy as np
import pytest

from diffmethods.buffers import (
    KEPT,
    LARGE,
    SMALL,
    Buffers,
    LargeArithmetic,
    arithmetic_for,
)

X = np.linspace(-1.0, 1.0, LARGE)
OPERANDS = [
    2.0,
    2,
    np.float64(0.5),
    X[::-1],
    X[:, None].T,
    X[:1],
    X.astype("f4"),
    X * 1j,
]


@pytest.mark.parametrize(
    "other", OPERANDS, ids=lambda x: str(np.shape(x)) + str(type(x))
)
def test_it_calculates_as_numpy_does(other):
    large = LargeArithmetic()
    for mine, numpys in (
        (large.add, np.add),
        (large.sub, np.subtract),
        (large.mul, np.multiply),
    ):
        np.testing.assert_array_equal(mine(X, other), numpys(X, other))
        np.testing.assert_array_equal(mine(other, X), numpys(other, X))
    np.testing.assert_array_equal(large.neg(X), -X)
    assert large.mul(2.0, 3.0) == 6.0


def test_memory_is_used_again_only_when_nobody_holds_it():
    buffers = Buffers()
    first = buffers.zeros((LARGE,))
    place = first.ctypes.data
    view = first[5:]
    assert buffers.empty((LARGE,)).ctypes.data != place
    del first
    assert buffers.empty((LARGE,)).ctypes.data != place
    del view
    assert buffers.empty((LARGE,)).ctypes.data == place


def test_what_is_kept_is_bounded():
    buffers = Buffers()
    held = [buffers.empty((KEPT // 80,)) for _ in range(20)]
    assert sum(map(len, buffers.kept.values())) == 10
    assert len(held) == 20
    buffers.empty((KEPT // 80 + 1,))
    assert list(buffers.kept) == [(KEPT // 80 + 1,)]
    buffers.empty((LARGE,))
    assert len(buffers.kept) == 2
    assert buffers.size == 8 * (KEPT // 80 + 1 + LARGE)


def test_each_thread_has_its_own():
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(arithmetic_for(X))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
        thread.join()
    assert found[0] is not found[1]
    assert arithmetic_for(X) is arithmetic_for(X)
    assert arithmetic_for(X[:5]) is arithmetic_for(1.0) is SMALL
