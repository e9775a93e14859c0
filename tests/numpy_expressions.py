"""A corpus of NumPy expressions, and what each method makes of them.

`EXPRESSIONS` is the standard corpus, whose counts the site compares; `EDGE_EXPRESSIONS`
holds what functions meet less often: empty arrays, negative strides, complex
intermediates, nested calls.  Every expression is a function of one float array ``x``,
and none has a kink within 1/64 of its point, so that a central difference can judge it.
"""

import functools
import linecache
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import diffmethods as dm
from diffmethods.errors import DiffmethodsError

A = np.array([[1.2, 0.3, -0.4], [0.5, 2.1, 0.6], [-0.7, 0.2, 1.7]])
b = np.array([0.9, -1.3, 0.4])

POINTS = {
    "vector": np.array([0.21, 0.86, 0.44, 0.65]),
    "matrix": np.array([[0.83, 0.12, 0.31], [0.24, 0.71, -0.15], [-0.33, 0.42, 0.95]]),
    "scalar": np.float64(0.4),
    "strided": np.array([0.65, 9.0, 0.44, 9.0, 0.86, 9.0, 0.21])[::-2],
    "empty": np.zeros(0),
    "wide": np.array([[0.61, 0.22, 0.83, 0.44], [0.35, 0.56, 0.17, 0.78]]),
    "cube": 0.2 + np.arange(24.0).reshape(2, 3, 4) * 7 % 24 / 32,
}


@dataclass(frozen=True)
class Expression:
    """One line of NumPy in ``x``.

    Attributes
    ----------
    source
        The expression; it may use ``np`` and the constants ``A`` (3 x 3) and ``b`` (3).
    category
        The part of NumPy that it exercises.
    kind
        The argument: a key of `POINTS`.
    """

    source: str
    category: str
    kind: str

    @functools.cached_property
    def function(self) -> Callable[[Any], Any]:
        """The expression as a function of ``x``, compiled once."""
        text, path = f"lambda x: {self.source}\n", f"<{self.source}>"
        linecache.cache[path] = len(text), None, [text], path  # for who reads source
        code = compile(text, path, "eval")
        return eval(
            code, {"np": np, "A": A, "b": b}
        )  # our own strings, all in this file

    @property
    def point(self) -> Any:
        """Where it is differentiated."""
        return POINTS[self.kind]

    def __str__(self) -> str:
        return self.source


def expressions(category: str, kind: str, *sources: str) -> tuple[Expression, ...]:
    """The expressions of one category and one kind of argument."""
    return tuple(Expression(source, category, kind) for source in sources)


def calls(names: str, arguments: str) -> tuple[str, ...]:
    """One call per function name, all with the same arguments."""
    return tuple(f"np.{name}({arguments})" for name in names.split())


EXPRESSIONS = (
    *expressions(
        "unary ufunc",
        "vector",
        *calls("sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh", "x"),
        *calls("exp expm1 exp2 log log1p log2 log10 sqrt cbrt square", "x"),
        *calls("absolute negative reciprocal sign floor sinc deg2rad", "x"),
        "np.arccosh(x + 1)",
        "np.abs(x)",
        "np.nan_to_num(x)",
        "np.real(x)",
    ),
    *expressions(
        "operators",
        "vector",
        "x + 1",
        "2 * x",
        "x / 3",
        "1 / x",
        "x - x**2",
        "x**2.5",
        "2.0**x",
        "-x",
        "abs(x)",
        "x % 0.3",
        "x**x",
        "x * np.arange(4.0)",
        "np.arange(4.0) * x",
        "np.float64(2) * x",
        "x * (x > 0.5)",
    ),
    *expressions(
        "binary ufunc",
        "vector",
        *calls(
            "add subtract multiply divide power maximum minimum fmax fmin", "x, 0.5"
        ),
        *calls("arctan2 hypot logaddexp copysign", "x, 0.5"),
        "np.maximum(x, np.arange(4.0)/4)",
        "np.heaviside(x - 0.5, 0.5) * x",
        "np.clip(x, 0.3, 0.7)",
    ),
    *expressions(
        "reductions",
        "vector",
        "np.sum(x**2)",
        "np.prod(x)",
        "np.mean(np.exp(x))",
        "np.max(x)",
        "np.min(x)",
        "np.var(x)",
        "np.std(x)",
        "np.std(x, ddof=1)",
        "np.cumsum(x)",
        "np.cumprod(x)",
        "np.diff(x)",
        "np.median(x)",
        "np.trapezoid(x)",
        "np.average(x, weights=np.arange(1.0, 5.0))",
        "np.add.reduce(x)",
        "np.ptp(x)",
    ),
    *expressions(
        "reductions of a matrix",
        "matrix",
        "np.sum(x, axis=0)",
        "np.sum(x, axis=1, keepdims=True)",
        "np.max(x, axis=0)",
        "np.mean(x, axis=(0, 1))",
        "np.linalg.norm(x)",
        "np.linalg.norm(x, axis=1)",
        "np.amax(x)",
    ),
    *expressions(
        "linear algebra",
        "matrix",
        "x @ A",
        "A @ x",
        "np.dot(x, A)",
        "np.matmul(A, x)",
        "np.linalg.solve(x, b)",
        "np.linalg.solve(A, x)",
        "np.linalg.inv(x)",
        "np.linalg.det(x)",
        "np.linalg.slogdet(x)[1]",
        "np.linalg.cholesky(x @ x.T + np.eye(3))",
        "np.linalg.eigvalsh(x + x.T)",
        "np.linalg.eigh(x + x.T)[0]",
        "np.linalg.svd(x, compute_uv=False)",
        "np.linalg.pinv(x)",
        "np.linalg.matrix_power(x, 3)",
        "np.trace(x)",
        "np.diag(x)",
        "np.einsum('ij,jk->ik', x, A)",
        "np.einsum('ij,ij', x, x)",
        "np.tensordot(x, A, axes=1)",
        "np.kron(x, A)",
        "np.outer(x[0], x[1])",
        "np.inner(x, A)",
        "np.vdot(x, A)",
        "np.cross(x[0], x[1])",
        "np.triu(x)",
        "np.tril(x)",
    ),
    *expressions(
        "vectors",
        "vector",
        "np.dot(x, np.arange(4.0))",
        "np.arange(4.0) @ x",
        "x @ x",
        "np.outer(x, x)",
        "np.vdot(x, x)",
        "np.convolve(x, np.array([1.0, 2.0]), 'full')",
        "np.polyval(np.array([1.0, 2.0, 3.0]), x)",
        "np.interp(x, np.linspace(0, 1, 5), np.linspace(0, 1, 5)**2)",
        "np.fft.fft(x).real",
        "np.abs(np.fft.fft(x))**2",
    ),
    *expressions(
        "indexing",
        "vector",
        "x[0]",
        "x[1:3]",
        "x[::-1]",
        "x[-1] * x[0]",
        "x[np.array([0, 2, 2])]",
        "x[[0, 1]]",
        "x[:, None] * x",
        "x[x > 0.5]",
        "x[..., 0]",
        "x[1:] - x[:-1]",
    ),
    *expressions(
        "indexing of a matrix",
        "matrix",
        "x[0, 1]",
        "x[:, 0]",
        "x[np.arange(3), np.arange(3)]",
        "x[1, :] * 2",
        "x.T",
        "x[None].shape[0] * x",
    ),
    *expressions(
        "shape",
        "vector",
        "np.reshape(x, (2, 2))",
        "x.reshape(2, 2)",
        "x.reshape((2, 2))",
        "x.reshape(-1)",
        "np.concatenate([x, x])",
        "np.stack([x[0], x[1]])",
        "np.stack([x, x], axis=1)",
        "np.hstack([x, x])",
        "np.vstack([x, x])",
        "np.append(x, x)",
        "np.tile(x, 2)",
        "np.repeat(x, 2)",
        "np.expand_dims(x, 0)",
        "np.broadcast_to(x, (2, 4))",
        "np.roll(x, 1)",
        "np.flip(x)",
        "np.pad(x, 1)",
        "np.sort(x)",
        "np.ravel(x)",
        "np.atleast_2d(x)",
        "np.squeeze(x[None])",
        "np.transpose(x)",
        "np.meshgrid(x, x)[0]",
        "np.split(x, 2)[0]",
        "np.zeros_like(x) + x",
        "np.ones_like(x) * x",
        "np.full_like(x, 2.0) * x",
        "np.array([x[0], x[1]**2])",
        "np.array([x[0] * x[1], np.sin(x[2])])",
        "np.array([[x[0], x[1]], [x[2], x[3]]])",
    ),
    *expressions(
        "methods of an array",
        "vector",
        "x.sum()",
        "x.mean()",
        "x.max()",
        "x.dot(x)",
        "x.cumsum()",
        "x.ravel()",
        "x.copy()",
        "x.prod()",
        "x.size * x",
        "x.ndim * x",
        "len(x) * x",
        "x.astype(float)",
        "sum(x)",
        "sum(xi**2 for xi in x)",
    ),
    *expressions(
        "selection",
        "vector",
        "np.where(x > 0.5, x**2, x)",
        "np.where(x > 0.5, x, 0.0)",
        "np.where(x > 0.5, 0.0, np.log(x))",
        "np.select([x < 0.4, x < 0.7], [x, x**2], 0.0)",
        "np.piecewise(x, [x < 0.5, x >= 0.5], [lambda t: t, lambda t: t**2])",
        "np.maximum(x, 0)",
        "np.argmax(x) * x",
        "np.take(x, np.array([0, 1]))",
        "np.logical_and(x > 0.3, x < 0.7) * x",
    ),
    *expressions(
        "scalar",
        "scalar",
        "np.exp(-x**2) * np.cos(3 * x)",
        "x**3 - 2 * x + 1",
        "1 / (1 + np.exp(-x))",
        "np.log(np.sqrt(1 + x**2))",
        "np.array([np.sin(x), np.cos(x)])",
        "np.stack([np.sin(x), np.cos(x)])",
        "np.sqrt(x) if x > 0 else -x",
        "float(2) * x",
        "np.polyval([1.0, 2.0, 3.0], x)",
        "np.where(x > 0, x, -x)",
        "np.arange(3) * x",
        "np.sum(x ** np.arange(4))",
        "np.pi * x",
        "np.linspace(0, x, 3)",
    ),
)

EDGE_EXPRESSIONS = (
    *expressions(
        "empty arrays",
        "empty",
        "np.sin(x)",
        "np.sum(x)",
        "np.prod(x)",
        "x @ x",
        "np.concatenate([x, x])",
        "x[:0] * 2",
        "np.cumsum(x)",
        "np.where(x > 0, x, 0.0)",
        "np.linalg.norm(x)",
    ),
    *expressions(
        "negative strides",
        "strided",
        "np.sin(x)",
        "x[::-2]",
        "x[::-1] * x",
        "np.cumprod(x[::-1])",
        "np.sort(x)[::-1]",
        "np.reshape(x, (2, 2)) @ np.reshape(x[::-1], (2, 2))",
    ),
    *expressions(
        "axes",
        "wide",
        "np.prod(x, axis=0)",
        "np.prod(x, axis=-1, keepdims=True)",
        "np.prod(x, keepdims=True)",
        "np.cumprod(x, axis=1)",
        "np.cumprod(x)",
        "np.max(x, keepdims=True)",
        "np.min(x, axis=-1, keepdims=True) * x",
        "np.max(x, axis=(0, 1))",
        "np.var(x, axis=1)",
        "np.std(x, axis=0, keepdims=True)",
        "np.std(x, axis=1, mean=np.mean(x, axis=1, keepdims=True))",
        "np.var(x, axis=1, correction=1)",
        "np.median(x, axis=1)",
        "np.median(x, axis=0, keepdims=True)",
        "np.quantile(x, 0.3, axis=1)",
        "np.quantile(x, [0.3, 0.6])",
        "np.percentile(x, 30)",
        "np.ptp(x, axis=1)",
        "np.average(x, axis=1, weights=np.arange(1.0, 5.0))",
        "np.average(x, weights=x)",
        "np.sort(x, axis=0)",
        "np.diff(x, axis=0)",
        "np.diff(x, n=2)",
        "np.trapezoid(x, dx=0.5, axis=0)",
        "np.trapezoid(x**2, x, axis=0)",
        "np.linalg.norm(x, axis=0, keepdims=True)",
        "np.linalg.norm(x, ord=1, axis=1)",
        "np.linalg.norm(x, ord=3, axis=1)",
        "np.linalg.norm(x, ord=np.inf, axis=1)",
        "np.linalg.norm(x, ord=2)",
        "np.linalg.norm(x, ord='nuc')",
        "np.sum(x, axis=0, where=x[0] > 0.5)",
        "np.sum(x, initial=2.0)",
        "np.mean(x, axis=0, dtype=float)",
        "np.take_along_axis(x, np.argsort(x, axis=1), axis=1)",
        "np.cov(x)",
        "np.corrcoef(x)",
        "np.gradient(x, axis=1)",
        "np.cumulative_sum(x, axis=1)",
        "np.apply_along_axis(np.sum, 1, x)",
        "np.nansum(x, axis=0)",
        "np.nanmean(x, axis=1)",
        "np.nanmax(x)",
    ),
    *expressions(
        "three axes",
        "cube",
        "np.sum(x, axis=(0, 2))",
        "np.max(x, axis=(0, 2), keepdims=True)",
        "np.moveaxis(x, 0, -1)",
        "np.swapaxes(x, 0, 2)",
        "np.transpose(x, (2, 0, 1))",
        "x.transpose(2, 0, 1)",
        "np.rot90(x, axes=(0, 2))",
        "np.einsum('ijk,kl->ijl', x, np.ones((4, 2)))",
        "np.tensordot(x, A, axes=([1], [0]))",
        "x @ np.swapaxes(x, 1, 2)",
        "np.linalg.norm(x, axis=(0, 1))",
        "np.linalg.inv(x[:, :, 1:] + 2 * np.eye(3))",
        "np.linalg.det(x[:, :, :3])",
        "np.linalg.solve(x[:, :, :3] + np.eye(3), x[:, :, 3:])",
        "np.squeeze(x[:1])",
        "np.diagonal(x, axis1=1, axis2=2)",
        "np.flip(x, axis=(0, 1))",
        "np.roll(x, (1, 2), axis=(0, 1))",
        "np.fft.rfft2(x).imag",
    ),
    *expressions(
        "complex intermediates",
        "vector",
        "np.abs(np.exp(1j * x))",
        "np.abs(x + 1j * x**2)",
        "np.angle(np.exp(1j * x))",
        "np.real(np.fft.ifft(np.fft.fft(x)**2))",
        "np.fft.irfft(np.fft.rfft(x) * np.array([1.0, 2j, 0.5]))",
        "np.fft.fftshift(np.abs(np.fft.fft(x)))",
        "np.conj(x + 2j * x).imag",
        "np.linalg.norm(np.fft.fft(x))",
        "np.vdot(np.exp(1j * x), np.exp(2j * x)).real",
        "np.sqrt(x + 0.5j).real",
        "np.log(x + 1j).imag",
        "np.var(np.exp(1j * x))",
    ),
    *expressions(
        "more functions",
        "vector",
        *calls("rad2deg degrees radians fabs positive trunc ceil rint fix", "x"),
        *calls("conjugate imag i0 angle ediff1d gradient diagflat unwrap vander", "x"),
        *calls("fmod remainder mod float_power logaddexp2 floor_divide", "x, 0.3"),
        "np.ldexp(x, 3)",
        "np.modf(3 * x)[0]",
        "np.divmod(x, 0.3)[1]",
        "np.power(2.0, x)",
        "np.arctan2(0.5, x)",
        "np.copysign(0.5, x) * x",
        "np.hypot(x, x[::-1])",
        "np.logaddexp(x, x[::-1])",
        "np.logaddexp.reduce(x)",
        "np.add.outer(x, x**2)",
        "np.multiply.outer(x, x)",
        "np.multiply.reduce(x)",
        "np.maximum.reduce(x)",
        "np.add.accumulate(x)",
        "np.maximum.accumulate(x)",
        "np.cumulative_prod(x)",
        "np.insert(x, 1, 0.5)",
        "np.delete(x, 1)",
        "np.compress([True, False, True, True], x)",
        "np.extract(x > 0.5, x)",
        "np.choose(np.array([0, 1, 0, 1]), [x, x**2])",
        "np.partition(x, 2)[:2]",
        "np.block([[x], [x**2]])",
        "np.column_stack([x, x**2])",
        "np.dstack([x, x])",
        "np.array_split(x, 3)[0]",
        "np.hsplit(x, 2)[1]",
        "np.resize(x, 6)",
        "np.correlate(x, np.array([1.0, 2.0]))",
        "np.convolve(x, x, 'same')",
        "np.pad(x, (1, 2), mode='reflect')",
        "np.pad(x, 1, constant_values=2.0)",
        "np.clip(x, None, 0.5)",
        "np.clip(x, min=0.3)",
        "np.round(x) * x",
        "np.unique(x)",
        "np.broadcast_arrays(x, np.ones((2, 4)))[0]",
        "np.polynomial.polynomial.polyval(x, [1.0, 2.0, 3.0])",
        "np.polyval(x, 0.7)",
        "np.interp(0.3, np.linspace(0, 1, 4), x)",
        "np.interp(0.6, np.cumsum(x), x)",
        "np.geomspace(x[0], x[1], 4)",
        "np.logspace(x[0], x[1], 4)",
        "np.linspace(x[0], x[1], 3)",
        "np.full(3, 1.0) * x[0]",
        "np.vecdot(x, x)",
        "np.isclose(x, 0.5) + x",
        "np.nan_to_num(x / np.array([1.0, 0.5, 2.0, 4.0]))",
    ),
    *expressions(
        "more methods",
        "matrix",
        "x.std()",
        "x.var(axis=0)",
        "x.min(axis=1)",
        "x.clip(0.0, 0.6)",
        "x.flatten()",
        "x.squeeze()",
        "x.repeat(2, axis=0)",
        "x.trace()",
        "x.diagonal()",
        "x.item(0, 1) * x",
        "x.swapaxes(0, 1)",
        "x.take([0, 4])",
        "x.conj()",
        "x.real",
        "x.round() * x",
        "x.argmax() * x",
        "x.cumprod(axis=1)",
        "x.transpose()",
        "x.mT",
        "x.T @ x",
        "np.array([row @ b for row in x])",
        "x.flat[2] * x",
        "list(x.flat)[3] * x",
        "x.nonzero()[0].size * x",
        "x.compress([True, False, True], axis=1)",
        "x.dot(A).sum(axis=0)",
        "x.ptp() if hasattr(x, 'ptp') else np.ptp(x)",
    ),
    *expressions(
        "more linear algebra",
        "matrix",
        "x @ x",
        "np.linalg.cholesky(x + 2 * np.eye(3))",
        "np.linalg.eigvalsh(x)",
        "np.linalg.eigvalsh(x, UPLO='U')",
        "np.linalg.multi_dot([x, A, x])",
        "np.linalg.matrix_power(x, -2)",
        "np.linalg.matrix_power(x, 0) + x",
        "np.linalg.eigh(x + x.T)[1]**2",
        "np.linalg.svd(x)[1]",
        "np.linalg.svd(x)[0]**2",
        "np.linalg.svdvals(x)",
        "np.linalg.qr(x)[1]",
        "np.linalg.eigvals(x @ x.T)",
        "np.linalg.lstsq(x, b)[0]",
        "np.linalg.pinv(x[:, :2])",
        "np.linalg.cond(x)",
        "np.linalg.matrix_rank(x) * x",
        "np.linalg.matrix_norm(x)",
        "np.linalg.vector_norm(x)",
        "np.linalg.trace(x)",
        "np.linalg.diagonal(x)",
        "np.linalg.outer(x[0], x[1])",
        "np.linalg.cross(x[0], x[1])",
        "np.linalg.tensorinv(x.reshape(3, 3), ind=1)",
        "np.linalg.solve(x, x.T)",
        "np.linalg.slogdet(x @ x)[1]",
        "np.einsum('ij,jk,kl->il', x, A, x)",
        "np.einsum('ii->i', x)",
        "np.einsum(x, [0, 1], A, [1, 2])",
        "np.trace(x, offset=1)",
        "np.diag(x[0], k=1)",
        "np.triu(x, 1) + np.tril(x, -1)",
        "np.cross(x, A)",
        "np.kron(x, x)",
        "x @ b @ A",
    ),
    *expressions(
        "nested calls",
        "vector",
        "np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x)))",
        "np.log(np.sum(np.exp(x)))",
        "np.max(x) + np.log(np.sum(np.exp(x - np.max(x))))",
        "np.sum(np.sin(np.outer(x, x)) @ x)",
        "np.where(x > 0.5, np.where(x > 0.7, x**3, x**2), np.sqrt(x))",
        "np.where(x > 0.5, np.sqrt(np.maximum(x - 0.5, 0.0)), 0.0)",
        "(x - np.mean(x)) / np.std(x)",
        "np.array([np.array([x[0], x[1]]), x[2:]])",
        "np.sin(np.array([x[0] * x[1], np.sin(x[2])])) * 2",
        "np.tanh(np.tanh(np.tanh(x)))",
        "np.prod(np.stack(list(x)))",
        "sorted(x)[0] * x",
        "max(x) * min(x)",
        "np.sum(np.stack([xi ** i for i, xi in enumerate(x)]))",
        "np.cumsum(np.cumprod(x)[::-1])[::-1]",
        "(x if np.all(x > 0) else -x) * np.any(x > 0.5)",
        "x[np.argsort(-x)]",
        "x[np.ix_([0, 2])]",
        "x[np.newaxis, ..., None]",
        "x.reshape(2, 2)[1, ::-1]",
        "round(2.4) * x",
        "divmod(x, 0.3)[1]",
        "pow(x, 3)",
        "+x",
        "x // 0.3 + x",
        "(2 * x) @ np.ones((4, 2))",
        "np.ones((2, 4)) @ (x * x)",
    ),
)

STEP = 2.0**-8
WEIGHTS = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}  # Fornberg (1988), order 8
REFERENCE_RTOL = {1: 1e-10, 2: 1e-7, 3: 1e-4}  # by order, of the largest item


def slope(f: Callable[[Any], Any], x: Any, direction: Any) -> np.ndarray:
    """The derivative of f along a direction by central differences of order 8."""
    x = np.asarray(x)
    total: Any = 0.0
    for k, weight in WEIGHTS.items():
        ahead, behind = (f((x + h * direction)[()]) for h in (k * STEP, -k * STEP))
        total = total + weight * (np.asarray(ahead) - np.asarray(behind))
    return total / STEP


@functools.cache
def reference(expression: Expression) -> np.ndarray:
    """The Jacobian by central differences, which know no rules of differentiation.

    Right to ``REFERENCE_RTOL[1]`` of the largest item: the truncation error is
    ``h**8 f^(9) / 630`` and the rounding error about ``eps / h``, with h = `STEP`.
    """
    f, x = expression.function, np.asarray(expression.point)
    basis = np.eye(x.size).reshape((x.size, *x.shape))
    shape = np.shape(f(x[()])) + x.shape
    columns = [slope(f, x, direction) for direction in basis]
    return np.stack(columns, axis=-1).reshape(shape) if columns else np.zeros(shape)


def directions(expression: Expression, order: int) -> list[Any]:
    """Some fixed directions to differentiate along in turn, none longer than 0.3."""
    generator = np.random.default_rng(1)
    return list(generator.uniform(-0.3, 0.3, (order, *np.shape(expression.point))))


def higher_reference(expression: Expression, order: int) -> np.ndarray:
    """The derivative along `directions` in turn, right to ``REFERENCE_RTOL[order]``."""
    f = expression.function
    for direction in directions(expression, order):
        f = functools.partial(slope, f, direction=direction)
    return np.asarray(f(expression.point))


def verdict(expression: Expression, method: str) -> str:
    """Call the method's Jacobian ``right``, ``refused: why`` or ``wrong: how``.

    A refusal is an error of `diffmethods.errors`, or that of a library that misses
    another; any other exception is wrong.
    """
    rtol = max(REFERENCE_RTOL[1], 100 * dm.get_method(method).rtol)
    expected = reference(expression)
    try:
        found = dm.jacobian(expression.function, method=method)(expression.point)
    except (DiffmethodsError, ModuleNotFoundError) as error:
        return f"refused: {error}"
    except Exception as error:
        return f"wrong: {type(error).__name__}: {error}"
    if np.shape(found) != expected.shape:
        return f"wrong: shape {np.shape(found)} instead of {expected.shape}"
    scale = np.max(np.abs(expected), initial=1.0)
    error = np.max(np.abs(found - expected), initial=0.0) / scale
    return "right" if error <= rtol else f"wrong: off by {error:.0e}"


def support(
    method: str, corpus: tuple[Expression, ...] = EXPRESSIONS
) -> dict[Expression, str]:
    """What the method makes of each expression of a corpus; see `verdict`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return {expression: verdict(expression, method) for expression in corpus}
