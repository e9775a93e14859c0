"""Weights with fewer items than what they weigh, on every kind of step, backwards.

A product with a row, a column or a single number hands back a weight that has yet to be
broadcast.  Forward mode has no such weights, and tells what is right.
"""

import numpy as np
import pytest

import diffmethods as dm

X = np.array([[1.5, -0.3, 0.8], [0.4, 2.1, -1.2], [0.3, 0.7, -0.9]])
WEIGHTS = {
    "row": np.arange(3.0) - 0.5,
    "column": (np.arange(3.0) - 0.5)[:, None],
    "one": np.array([[2.0]]),
}
STEPS = {
    "flip": lambda x: np.flip(x, 0),
    "roll": lambda x: np.roll(x, 1),
    "transposed": lambda x: x.T,
    "take along": lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
    "sort": lambda x: np.sort(x, axis=1),
    "rows": lambda x: x[[0, 2, 1]],
    "rows by value": lambda x: x[np.argsort(x[:, 0])],
    "take": lambda x: np.take(x, np.argsort(x[:, 0]), axis=0),
    "concatenate": lambda x: np.concatenate([x[1:], x[:1] ** 2]),
    "concatenate columns": lambda x: np.concatenate([x, x[:, :1]], axis=1)[:, 1:],
    "tile": lambda x: np.tile(x[:1], (3, 1)),
    "stack": lambda x: np.stack([x[0], x[1], x[2] * x[0]]),
    "stack columns": lambda x: np.stack([x[0], x[1], x[2]], axis=1),
    "array": lambda x: np.array([x[0], x[1] ** 2, x[2]]),
    "where": lambda x: np.where(x > 0, x, 2 * x),
    "where broadcasts": lambda x: np.where(x[:, :1] > 0, x, x[0]),
    "sum broadcasts": lambda x: x[0] + x[:, 1:2],
    "broadcast": lambda x: np.broadcast_to(x[0], (3, 3)),
    "matmul": lambda x: x @ x,
    "outer": lambda x: np.outer(x[0], x[1]),
    "einsum": lambda x: np.einsum("ij,jk->ki", x, x),
    "inv": lambda x: np.linalg.inv(x + 3 * np.eye(3)),
    "solve": lambda x: np.linalg.solve(x + 3 * np.eye(3), x),
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T + np.eye(3)),
    "eigenvectors": lambda x: np.linalg.eigh(x + x.T)[1] ** 2,
    "svd": lambda x: np.linalg.svd(x)[0] ** 2,
    "norm": lambda x: np.linalg.norm(np.stack([x, x * x]), axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "sum": lambda x: np.sum(np.stack([x, x * x]), axis=0),
    "max": lambda x: np.max(np.stack([x, 2 * x, x * x]), axis=0),
    "prod": lambda x: np.prod(np.stack([x, x + 1]), axis=0),
    "mean": lambda x: np.mean(np.stack([x, 2 * x]), axis=0),
    "reshape": lambda x: (x.reshape(9) ** 2).reshape(3, 3),
    "diff": lambda x: np.diff(np.concatenate([x, x[:1]]), axis=0),
    "slice": lambda x: np.concatenate([x, x])[1:4],
    "mask": lambda x: x[x[:, 0] > -5],
    "triangle": lambda x: np.triu(x),
    "pad": lambda x: np.pad(x, 1)[1:-1, 1:-1],
    "repeat": lambda x: np.repeat(x[:1], 3, axis=0),
    "clip": lambda x: np.clip(x, -1, 1),
    "split": lambda x: np.concatenate(np.split(x, 3)[::-1]),
    "interp": lambda x: np.interp(x, np.array([-2.0, 0, 3]), np.array([0.0, 1, 5])),
    "maximum": lambda x: np.maximum(x, x.T),
    "linspace": lambda x: np.linspace(x[0], x[1], 3),
    "cross": lambda x: np.cross(x, x[::-1]),
    "fft": lambda x: np.real(np.fft.ifft(np.fft.fft(x) ** 2)),
}


@pytest.mark.parametrize("method", ["reverse_tape", "numpy_source"])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_small_weight_reaches_every_item(step, weights, method):
    def f(x):
        return np.sum(STEPS[step](x) * WEIGHTS[weights])

    forward = dm.gradient(f, method="dual_numbers")(X)
    np.testing.assert_allclose(dm.gradient(f, method=method)(X), forward, 1e-12, 1e-12)
    second = dm.hessian(f, method="dual_numbers")(X)
    np.testing.assert_allclose(dm.hessian(f, method=method)(X), second, 1e-10, 1e-10)
