"""Linear algebra, on stacks of matrices as well, against mpmath with thirty digits."""

import mpmath as mp
import numpy as np
import pytest
from numpy import linalg

import diffmethods as dm

RNG = np.random.default_rng(11)
STACK = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
ALONG = RNG.normal(size=(2, 3, 3))
TALL, ALONG_TALL = RNG.normal(size=(2, 2, 4, 3))
SYMMETRIC = STACK @ np.swapaxes(STACK, -1, -2)
BOTH_WAYS = ALONG + np.swapaxes(ALONG, -1, -2)


def projectors(vectors):
    """What of eigenvectors does not depend on their sign: v v^T for each."""
    return np.einsum("...ik,...jk->...kij", vectors, vectors)


def layers(u, vh):
    """What of singular vectors does not depend on their sign: u v^T for each."""
    return np.einsum("...ik,...kj->...kij", u, vh)


def outer_products(u, v):
    """The same for columns of u and rows of v, by mpmath, in that order."""
    return [
        u[i, k] * v[k, j]
        for k in range(v.rows)
        for i in range(u.rows)
        for j in range(v.cols)
    ]


# What NumPy makes of a stack, what mpmath makes of one matrix, and the stack's path.
STRAIGHT = (STACK, ALONG)
CALLS = {
    "det": (linalg.det, lambda a: [mp.det(a)], STRAIGHT),
    "slogdet": (
        lambda a: linalg.slogdet(a).logabsdet,
        lambda a: [mp.log(abs(mp.det(a)))],
        STRAIGHT,
    ),
    "inv": (linalg.inv, lambda a: list(a**-1), STRAIGHT),
    "solve by the matrix": (
        lambda a: linalg.solve(a, np.ones((3, 1))),
        lambda a: list(mp.lu_solve(a, mp.matrix([1, 1, 1]))),
        STRAIGHT,
    ),
    "solve by both sides": (
        lambda a: linalg.solve(a, a @ a),
        lambda a: list(a**-1 * a * a),
        STRAIGHT,
    ),
    "cholesky": (
        linalg.cholesky,
        lambda a: list(mp.cholesky(a)),
        (SYMMETRIC, BOTH_WAYS),
    ),
    "eigvalsh": (
        linalg.eigvalsh,
        lambda a: list(mp.eigsy(a, eigvals_only=True)),
        (SYMMETRIC, BOTH_WAYS),
    ),
    "eigh": (
        lambda a: projectors(linalg.eigh(a).eigenvectors),
        lambda a: outer_products(mp.eigsy(a)[1], mp.eigsy(a)[1].T),
        (SYMMETRIC, BOTH_WAYS),
    ),
    "singular values": (
        lambda a: linalg.svd(a, compute_uv=False),
        lambda a: list(mp.svd_r(a, compute_uv=False)),
        (TALL, ALONG_TALL),
    ),
    "svd": (
        lambda a: layers(*linalg.svd(a, full_matrices=False)[::2]),
        lambda a: outer_products(*mp.svd_r(a)[::2]),
        (TALL, ALONG_TALL),
    ),
    "svd of wide matrices": (
        lambda a: layers(*linalg.svd(np.swapaxes(a, 1, 2), full_matrices=False)[::2]),
        lambda a: outer_products(*mp.svd_r(a.T)[::2]),
        (TALL, ALONG_TALL),
    ),
    "pinv": (linalg.pinv, lambda a: list((a.T * a) ** -1 * a.T), (TALL, ALONG_TALL)),
}


@pytest.mark.parametrize("method", ["reverse_tape", "dual_numbers", "numpy_source"])
@pytest.mark.parametrize("name", CALLS)
def test_along_a_line_of_stacks(name, method):
    call, exact, (start, direction) = CALLS[name]
    with mp.workdps(30):
        want = [
            mp.diff(lambda t, k=k, a=a, b=b: exact(a + t * b)[k], 0)
            for a, b in zip(
                map(mp.matrix, start), map(mp.matrix, direction), strict=True
            )
            for k in range(len(exact(a)))
        ]
    found = dm.jvp(call, method=method)(start, direction)
    want = np.array(want, float).reshape(found.shape)
    atol = 1e-12 * np.max(np.abs(want))
    np.testing.assert_allclose(found, want, rtol=1e-11, atol=atol)
    w = RNG.normal(size=found.shape)
    pulled = dm.vjp(call, method=method)(start, w)
    np.testing.assert_allclose(np.sum(pulled * direction), np.sum(w * want), rtol=1e-10)
