"""The adjoints: what a function does to directions, its pullback does to weights."""

import operator

import numpy as np
import pytest

import diffmethods as dm
from diffmethods import rules
from diffmethods.pullbacks import MOVES, PULLBACKS, REWRITES
from diffmethods.traced import origins

RNG = np.random.default_rng(7)
M = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
R = RNG.normal(size=(3, 4))
C = RNG.normal(size=(2, 3, 4))
V = RNG.normal(size=4)
W = RNG.normal(size=3)

CALLS = {
    "sum": (lambda x: np.sum(x, axis=(0, -1)), C),
    "sum of one axis": (lambda x: np.sum(x, 1, keepdims=True), C),
    "sum with initial": (lambda x: np.sum(x, axis=0, initial=2.0), R),
    "sum where": (lambda x: np.sum(x, where=R > 0), R),
    "cumsum": (lambda x: np.cumsum(x, axis=-2), C),
    "cumsum of all": (np.cumsum, R),
    "where": (lambda x: np.where(R > 0, x, x[:1]), R),
    "mean": (lambda x: np.mean(x, axis=(0, 2), keepdims=True), C),
    "nansum": (lambda x: np.nansum(x, axis=1), R),
    "trace": (lambda x: np.trace(x, 1, 2, 0), C),
    "diff": (lambda x: np.diff(x, 2, axis=1), C),
    "diff with ends": (lambda x: np.diff(x, axis=1, prepend=1.0, append=x[:, :2]), R),
    "ediff1d": (lambda x: np.ediff1d(x, 1.0, x[0, :2]), R),
    "gradient": (lambda x: np.gradient(x, 0.5, axis=1, edge_order=2), R),
    "gradient of all axes": (lambda x: np.stack(np.gradient(x, 0.5, [1, 2, 4, 7])), R),
    "append": (lambda x: np.append(x, [[1, 2, 3, 4]], axis=0), R),
    "append flat": (lambda x: np.append(x, x[0]), R),
    "transpose": (lambda x: np.transpose(x, (2, 0, 1)), C),
    "transpose of negative axes": (lambda x: np.transpose(x, (-1, 0, -2)), C),
    "reshape in another order": (lambda x: np.reshape(x, (4, 6), order="F"), C),
    "broadcast": (lambda x: np.broadcast_to(x, (2, 3, 4)), R),
    "matmul of stacks": (lambda x: x @ np.swapaxes(x, -1, -2), C),
    "matmul of a stack and a matrix": (lambda x: C @ x.T, R),
    "matmul of a stack and a vector": (lambda x: C @ x, V),
    "matmul of a vector and a stack": (lambda x: x @ C, W),
    "matmul of a stack by a vector": (lambda x: x @ V, C),
    "matmul of vectors": (lambda x: x @ x, V),
    "matmul of a matrix by a vector": (lambda x: x @ V, R),
    "matmul of a vector by a matrix": (lambda x: V @ x.T, R),
    "matmul by a list": (lambda x: np.matmul([[1.0, 2.0, 3.0]], x), R),
    "matvec": (lambda x: np.matvec(x, x[0]), R),
    "vecmat": (lambda x: np.vecmat(x[:, 0], x), R),
    "vecdot": (lambda x: np.vecdot(x, x[::-1], axis=0), R),
    "dot of three axes": (lambda x: np.dot(x, np.swapaxes(C, 1, 2)), R),
    "dot by a number": (lambda x: np.dot(x, 2.0), R),
    "vdot": (lambda x: np.vdot(x, x * x), R),
    "inner": (lambda x: np.inner(x, C), R),
    "outer": (lambda x: np.outer(x, x[0]), R),
    "kron": (lambda x: np.kron(x, V), R),
    "tensordot": (lambda x: np.tensordot(x, C, ([-1, 0], [2, 1])), R),
    "tensordot of none": (lambda x: np.tensordot(x, W, 0), R),
    "cross": (lambda x: np.cross(x, W, axisa=0), R),
    "convolve": (lambda x: np.convolve(x, x[:2] * V[:2]), V),
    "convolve, same": (lambda x: np.convolve(W, x, "same"), V),
    "convolve, valid": (lambda x: np.convolve(x, V, "valid"), W),
    "correlate": (lambda x: np.correlate(x, W, "full"), V),
    "correlate, same": (lambda x: np.correlate(W, x, "same"), V),
    "correlate, valid": (lambda x: np.correlate(x, V, "valid"), W),
    "einsum": (lambda x: np.einsum("ij,kj,i->k", x, x, W), R),
    "einsum with dots": (lambda x: np.einsum("...ij,j", C, x), V),
    "einsum with dots and a result": (lambda x: np.einsum("i...,ij->j...", x, M), R),
    "einsum of a diagonal": (lambda x: np.einsum("ii,ij->j", x, x), M),
    "einsum of a lone index": (lambda x: np.einsum("ij,kl->l", x, R), M),
    "einsum that broadcasts": (lambda x: np.einsum("...j,...j->...j", x[:, :1], R), R),
    "einsum by lists": (lambda x: np.einsum(x, [0, 1], R, [0, 2], [1, 2]), M),
    "solve": (lambda x: np.linalg.solve(x, R), M),
    "solve for a vector": (lambda x: np.linalg.solve(x, x[0]), M),
    "solve of a stack": (lambda x: np.linalg.solve(M + x[:, :, :3], x), C),
    "solve of a stack for a vector": (
        lambda x: np.linalg.solve(5 * M + C[..., :3], x),
        W,
    ),
    "inv": (lambda x: np.linalg.inv(x + C[..., :3]), 4 * M),
    "det of a stack": (lambda x: np.linalg.det(x[..., 1:]), C),
    "det at rank one": (np.linalg.det, np.outer(W, W)[:2, :2]),
    "slogdet": (lambda x: np.linalg.slogdet(x).logabsdet, M),
    "cholesky": (lambda x: np.linalg.cholesky(x @ x.T), M),
    "eigh": (lambda x: np.linalg.eigh(x + x.T).eigenvectors ** 2, M),
    "svd": (lambda x: np.linalg.svd(x, full_matrices=False).Vh ** 2, R),
    "pinv": (np.linalg.pinv, R),
    "norm": (lambda x: np.linalg.norm(x, axis=1), R),
    "prod with a zero": (lambda x: np.prod(x * [0, 1, 1, 1], axis=1), R),
    "cumprod with a zero": (lambda x: np.cumprod(x * [1, 0, 1, 1], axis=1), R),
    "absolute": (lambda x: np.abs(x + 2j * x**2), R),
    "conjugate": (lambda x: np.imag(np.conjugate(x + 1j * x[::-1]) * x), R),
    "real parts joined": (lambda x: np.abs(np.concatenate([x, 1j * x])), R),
    "fft": (lambda x: np.abs(np.fft.fft(x, 3, axis=0, norm="ortho")), R),
    "fft that pads": (lambda x: np.abs(np.fft.fft(x, 7, axis=-1)), R),
    "ifft": (lambda x: np.fft.ifft(x, axis=0).imag, R),
    "fft2": (lambda x: np.abs(np.fft.fft2(x, (2, 5))), R),
    "fftn": (lambda x: np.abs(np.fft.fftn(x)), C),
    "ifftn": (lambda x: np.fft.ifftn(x, axes=(0, 2)).real, C),
    "rfft": (lambda x: np.abs(np.fft.rfft(x, 5, axis=0)), R),
    "irfft": (lambda x: np.fft.irfft(x + 1j * x**2, norm="forward"), R),
    "irfft, odd": (lambda x: np.fft.irfft(x + 1j * x**2, 7, axis=1), R),
    "irfft that pads": (lambda x: np.fft.irfft(x + 1j * x**2, 11), R),
    "irfft that cuts": (lambda x: np.fft.irfft(x + 1j * x**2, 4), R),
    "rfft2": (lambda x: np.abs(np.fft.rfft2(x)), R),
    "irfft2": (lambda x: np.fft.irfft2(x + 1j * x**2), R),
    "hfft": (lambda x: np.fft.hfft(x + 1j * x**2), R),
    "ihfft": (lambda x: np.abs(np.fft.ihfft(x, norm="ortho")), R),
}


def differences(f, x, v):
    """The slope of f along v by a central difference of order 8."""
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    h = 2.0**-10
    return (
        sum(w * (f(x + k * h * v) - f(x - k * h * v)) for k, w in weights.items()) / h
    )


@pytest.mark.parametrize("name", CALLS)
def test_a_weight_counts_alike_before_and_after(name):
    """<w, J v> = <w J, v> for a single sweep, and row by row for many."""
    f, x = CALLS[name]
    v = RNG.normal(size=np.shape(x))
    along = differences(f, x, v)
    w = RNG.normal(size=np.shape(along))
    pulled = dm.vjp(f, method="reverse_tape")(x, w)
    assert pulled.shape == x.shape
    np.testing.assert_allclose(np.sum(pulled * v), np.sum(w * along), rtol=1e-8)
    jacobian = dm.jacobian(f, method="reverse_tape")(x)
    whole = np.tensordot(jacobian, v, np.ndim(x))
    np.testing.assert_allclose(whole, along, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "name", [n for n in CALLS if n != "solve of a stack for a vector"]
)
def test_pullbacks_can_be_differentiated(name):
    f, x = CALLS[name]
    v = RNG.normal(size=np.shape(x))
    square = lambda x: np.sum(f(x) ** 2)
    product = dm.hvp(square, method="reverse_tape")(x, v)
    again = np.tensordot(dm.hessian(square, method="reverse_tape")(x), v, np.ndim(x))
    np.testing.assert_allclose(product, again, rtol=1e-9, atol=1e-9)
    curvature = differences(dm.gradient(square, method="reverse_tape"), x, v)
    scale = np.max(np.abs(curvature), initial=1.0)
    np.testing.assert_allclose(product, curvature, rtol=1e-6, atol=1e-7 * scale)


def test_every_shared_rule_has_its_adjoint():
    """No linear or multilinear function is left without a way back."""
    known = {*PULLBACKS, *REWRITES, *MOVES}
    assert not {f for f in {*rules.LINEAR, *rules.MULTILINEAR} if f not in known}


# Rearrangements by item numbers


def traced(x):
    from diffmethods.tape import Tape

    return Tape().record(np.asarray(x))


def test_items_are_counted_through_all_operands():
    x = traced([5.0, 6.0])
    y = x.tape.record(np.array([7.0]))
    call = [x, np.array([0.0, 9.0]), y, x]
    source, operands = origins(np.concatenate, (call,), {}, x.level)
    assert operands == [x, y] or [id(z) for z in operands] == [id(x), id(y)]
    np.testing.assert_array_equal(source, [1, 2, 0, 0, 3, 1, 2])


def test_an_index_is_no_operand():
    x = traced(np.arange(6.0).reshape(2, 3))
    source, _ = origins(operator.getitem, (x, [1, 0]), {}, x.level)
    np.testing.assert_array_equal(source, [[4, 5, 6], [1, 2, 3]])


def test_what_a_function_fills_in_is_nobodys():
    x = traced([1.0, 2.0])
    source, _ = origins(np.diag, (x,), {"k": 1}, x.level)
    np.testing.assert_array_equal(source, [[0, 1, 0], [0, 0, 2], [0, 0, 0]])


def test_several_results():
    x = traced(np.arange(5.0))
    source, _ = origins(np.array_split, (x, 2), {}, x.level)
    assert [list(part) for part in source] == [[1, 2, 3], [4, 5]]
