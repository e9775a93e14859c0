"""What reverse mode needs beside the rules that all methods share.

`PULLBACKS[f]` holds a function per argument of ``y = f(*args)``, or None where it has
no derivative.  Called with ``(w, y, *args)`` it turns the cotangent of ``y`` into that
of the argument; the tape adds up what broadcasting had copied.  With one more axis in
front, `w` holds many cotangents; functions out of `ONE_AT_A_TIME` do not know that.

Complex numbers: w stands for the real function ``dy -> Re(w dy)``, so that a rule for
real numbers holds for complex ones without a conjugate anywhere.

`REWRITES[f]` computes what ``f`` does with calls that have a pullback, and `MOVES` only
rearrange items.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import operator
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.definitions import knowing_its_arguments


def rows_of(w, y):
    """How many axes of rows the cotangent has before those of the value: 0 or 1."""
    return np.ndim(w) - np.ndim(y)


def transposed(a):
    return np.matrix_transpose(a)


# Sums, choices and parts of complex numbers


def sum_to_x(w, y, x, axis=None, dtype=None, *, keepdims=False):
    shape = np.shape(x)
    if not keepdims:
        axes = range(len(shape)) if axis is None else np.atleast_1d(axis)
        kept = [
            1 if k in {a % len(shape) for a in axes} else n for k, n in enumerate(shape)
        ]
        w = np.reshape(w, (*np.shape(w)[: rows_of(w, y)], *kept))
    return np.broadcast_to(w, (*np.shape(w)[: np.ndim(w) - len(shape)], *shape))


def cumsum_to_x(w, y, x, axis=None):
    if axis is None:
        w = np.reshape(w, (*np.shape(w)[: rows_of(w, y)], -1))
    back = -1 if axis is None else axis - (np.ndim(y) if axis >= 0 else 0)
    total = np.flip(np.cumsum(np.flip(w, back), axis=back), back)
    return np.reshape(total, (*np.shape(w)[: rows_of(w, y)], *np.shape(x)))


def absolute_to_x(w, y, x):
    return w * (np.conjugate(rules.unit(x, y)) if np.iscomplexobj(x) else np.sign(x))


# Products


def matmul_to_a(w, y, a, b):
    if np.ndim(b) == 1:
        return w[..., None] * b
    if np.ndim(a) == 1:
        return np.squeeze(w[..., None, :] @ transposed(b), -2)
    return w @ transposed(b)


def matmul_to_b(w, y, a, b):
    if np.ndim(a) == 1:
        return w[..., None] * a if np.ndim(b) == 1 else a[:, None] * w[..., None, :]
    if np.ndim(b) == 1:
        return w @ a if np.ndim(a) == 2 else np.squeeze(w[..., None, :] @ a, -2)
    return transposed(a) @ w


def convolve_to(other):
    """The other operand slides over the cotangent of the full product."""

    def pull(w, y, a, v, mode="full"):
        short, long = sorted((np.size(a), np.size(v)))
        start = {"full": 0, "same": (short - 1) // 2, "valid": short - 1}[mode]
        after = short + long - 1 - start - np.size(y)
        padded = np.concatenate([np.zeros(start), w, np.zeros(after)])
        return np.convolve(padded, (a, v)[other][::-1], "valid")

    return pull


def einsum_to(position):
    """The cotangent takes the operand's place, and its indices are the result's."""

    def pull(w, y, subscripts, *operands, **kwargs):
        terms, result, free = spelled_out(subscripts, operands)
        rows = [free.pop() for _ in range(rows_of(w, y))]
        labels, wanted, extra = terms[position - 1], [], []
        shape = np.shape(operands[position - 1])
        for label, size in zip(labels, shape, strict=True):
            if label in wanted:  # a diagonal was taken: put it back on one
                twin = free.pop()
                extra.append(([label, twin], np.eye(size)))
                label = twin
            wanted.append(label)
        others = [
            pair
            for k, pair in enumerate(zip(terms, operands, strict=True))
            if k != position - 1
        ]
        known = {*result, *(label for term, _ in [*others, *extra] for label in term)}
        for label, size in zip(wanted, shape, strict=True):
            if label not in known:  # summed away on its own: all items count alike
                extra.append(([label], np.ones(size)))
        factors = [([*rows, *result], w), *others, *extra]
        formula = ",".join("".join(term) for term, _ in factors)
        formula += "->" + "".join([*rows, *wanted])
        return np.einsum(formula, *(factor for _, factor in factors), **kwargs)

    return pull


def spelled_out(subscripts, operands):
    """Each operand's indices, the result's and unused ones; an ellipsis gets names."""
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    free = [c for c in string.ascii_letters if c not in subscripts]
    terms = inputs.split(",")
    ranks = [
        np.ndim(x) - len(t.replace("...", "")) if "..." in t else 0
        for t, x in zip(terms, operands, strict=True)
    ]
    dots = [free.pop() for _ in range(max(ranks))]
    named = [
        list(t.replace("...", "".join(dots[len(dots) - rank :])))
        for t, rank in zip(terms, ranks, strict=True)
    ]
    if not arrow:
        letters = sorted(set(inputs) - set(",."))
        result = "..." + "".join(c for c in letters if inputs.count(c) == 1)
    return named, list(result.replace("...", "".join(dots))), free


# Linear algebra


def solve_to_b(w, y, a, b):
    if np.ndim(b) > 1:
        return np.linalg.solve(transposed(a), w)
    if np.ndim(a) == 2:
        return np.transpose(np.linalg.solve(transposed(a), np.transpose(w)))
    return np.squeeze(np.linalg.solve(transposed(a), w[..., None]), -1)


def solve_to_a(w, y, a, b):
    u = solve_to_b(w, y, a, b)
    if np.ndim(b) > 1:
        return -u @ transposed(y)
    return -u[..., :, None] * y[..., None, :]


def inv_to_a(w, y, a):
    return -transposed(y) @ w @ transposed(y)


# Fourier transforms: the matrix is its own transpose


def fourier_to_x(transform):
    def pull(w, y, a, n=None, axis=-1, norm=None):
        back = axis - (np.ndim(y) if axis >= 0 else 0)
        length = np.shape(a)[back]
        full = np.moveaxis(transform(w, None, back, norm), back, -1)[..., :length]
        missing = length - np.shape(full)[-1]
        if missing:
            none = np.zeros((*np.shape(full)[:-1], missing))
            full = np.concatenate([full, none], axis=-1)
        return np.moveaxis(full, -1, back)

    return pull


def transpose_to_x(w, y, x, axes=None):
    rows = rows_of(w, y)
    if axes is None:
        if not rows:
            return np.transpose(w)
        axes = range(np.ndim(y))[::-1]
    back = np.argsort([k % np.ndim(y) for k in axes])
    return np.transpose(w, [*range(rows), *(back + rows)])


def reshaped(w, y, x, axis=None):
    return np.reshape(w, (*np.shape(w)[: rows_of(w, y)], *np.shape(x)))


PULLBACKS: dict[Callable[..., Any], tuple[Any, ...]] = {
    np.sum: (sum_to_x,),
    np.cumsum: (cumsum_to_x,),
    np.where: (
        None,
        lambda w, y, condition, a, b: np.where(condition, w, 0.0),
        lambda w, y, condition, a, b: np.where(condition, 0.0, w),
    ),
    np.absolute: (absolute_to_x,),
    np.real: (lambda w, y, x: w,),
    np.imag: (lambda w, y, x: -1j * w,),
    np.conjugate: (lambda w, y, x: np.conjugate(w),),
    np.ravel: (lambda w, y, x: reshaped(w, y, x),),
    np.reshape: (lambda w, y, x, shape: reshaped(w, y, x),),
    np.transpose: (transpose_to_x,),
    np.squeeze: (reshaped,),
    np.expand_dims: (reshaped,),
    np.broadcast_to: (lambda w, y, x, shape: w,),
    np.matrix_transpose: (lambda w, y, x: transposed(w),),
    np.matmul: (matmul_to_a, matmul_to_b),
    np.convolve: (convolve_to(1), convolve_to(0)),
    np.einsum: (None, *map(einsum_to, range(1, 33))),
    np.linalg.solve: (solve_to_a, solve_to_b),
    np.linalg.inv: (inv_to_a,),
    np.fft.fft: (fourier_to_x(np.fft.fft),),
    np.fft.ifft: (fourier_to_x(np.fft.ifft),),
}
ONE_AT_A_TIME = {np.convolve}
# One weight for all items stays one.
REARRANGED = {
    *(np.reshape, np.ravel, np.squeeze, np.expand_dims, np.transpose),
    np.matrix_transpose,
}


# Functions in terms of those


def mean(a, axis=None, dtype=None, *, keepdims=False):
    total = np.sum(a, axis=axis, keepdims=keepdims)
    return total / (np.size(a) / max(np.size(total), 1))


def trace(a, offset=0, axis1=0, axis2=1):
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


def summed(a, axis=None, dtype=None, *, keepdims=False, initial=0.0, where=None):
    """The sum with the arguments that the pullback leaves out."""
    if where is not None:
        a = np.where(where, a, 0.0)
    return np.sum(a, axis=axis, keepdims=keepdims) + initial


def diff(a, n=1, axis=-1, prepend=None, append=None):
    if n == 0:
        return a
    rest = [1 if k == axis % np.ndim(a) else m for k, m in enumerate(np.shape(a))]
    ends = [
        e if e is None or np.ndim(e) else np.full(rest, e) for e in (prepend, append)
    ]
    pieces = [piece for piece in (ends[0], a, ends[1]) if piece is not None]
    a = np.moveaxis(
        np.concatenate(pieces, axis=axis) if len(pieces) > 1 else a, axis, -1
    )
    return np.diff(np.moveaxis(a[..., 1:] - a[..., :-1], -1, axis), n - 1, axis)


def ediff1d(ary, to_end=None, to_begin=None):
    a = np.ravel(ary)
    pieces = [to_begin, a[1:] - a[:-1], to_end]
    return np.concatenate([np.ravel(piece) for piece in pieces if piece is not None])


def gradient(f, *spacing, axis=None, edge_order=1):
    """NumPy's own differences, as a matrix for each axis."""
    axes = range(np.ndim(f)) if axis is None else np.atleast_1d(axis)
    spacing = (
        spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    )
    slopes = []
    for k, step in zip(axes, spacing, strict=True):
        matrix: Any = np.gradient(
            np.eye(np.shape(f)[k]), step, axis=0, edge_order=edge_order
        )
        slopes.append(np.moveaxis(np.moveaxis(f, k, -1) @ matrix.T, -1, k))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def dot(a, b):
    if not (np.ndim(a) and np.ndim(b)):
        return a * b
    if np.ndim(b) <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, ([-1], [-2]))


def tensordot(a, b, axes=2):
    """Bring the summed axes together, and multiply matrices."""
    if isinstance(axes, (int, np.integer)):
        left, right = list(range(np.ndim(a) - axes, np.ndim(a))), list(range(axes))
    else:
        left, right = ([int(k) for k in np.atleast_1d(side)] for side in axes)
    left, right = [k % np.ndim(a) for k in left], [k % np.ndim(b) for k in right]
    rows = [k for k in range(np.ndim(a)) if k not in left]
    columns = [k for k in range(np.ndim(b)) if k not in right]
    size = int(np.prod([np.shape(a)[k] for k in left]))
    shape = [*(np.shape(a)[k] for k in rows), *(np.shape(b)[k] for k in columns)]
    a = np.reshape(np.transpose(a, rows + left), (-1, size))
    b = np.reshape(np.transpose(b, right + columns), (size, -1))
    return np.reshape(a @ b, shape)


def inner(a, b):
    return np.tensordot(a, b, ([-1], [-1])) if np.ndim(a) and np.ndim(b) else a * b


def outer(a, b):
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def kron(a, b):
    n = max(np.ndim(a), np.ndim(b))
    rows = (1,) * (n - np.ndim(a)) + np.shape(a)
    columns = (1,) * (n - np.ndim(b)) + np.shape(b)
    a = np.reshape(a, [m for k in rows for m in (k, 1)])
    b = np.reshape(b, [m for k in columns for m in (1, k)])
    return np.reshape(a * b, [p * q for p, q in zip(rows, columns, strict=True)])


def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        return NotImplemented
    ahead, behind = [1, 2, 0], [2, 0, 1]
    y = a[..., ahead] * b[..., behind] - a[..., behind] * b[..., ahead]
    return np.moveaxis(y, -1, axisc)


def correlate(a, v, mode="valid"):
    if np.size(v) > np.size(a):
        return np.correlate(np.conjugate(v), np.conjugate(a), mode)[::-1]
    return np.convolve(a, np.conjugate(v)[::-1], mode)


def einsum(subscripts, *operands, optimize=False):
    """The form without a string, rewritten as one."""
    if isinstance(subscripts, str):
        return NotImplemented
    given = [subscripts, *operands]
    arrays, lists = given[::2], given[1::2]
    result = None
    if len(arrays) > len(lists):
        *arrays, result = arrays
    letters = string.ascii_letters
    name = lambda labels: "".join(
        "..." if k is Ellipsis else letters[k] for k in labels
    )
    formula = ",".join(map(name, lists))
    formula += "" if result is None else "->" + name(result)
    return np.einsum(formula, *arrays, optimize=optimize)


def vecdot(x1, x2, /, *, axis=-1):
    return np.sum(np.conjugate(x1) * x2, axis=axis)


def fourier(transform, a, s, axes, norm, all_axes):
    """A transform of several axes is one of each."""
    if axes is None:
        axes = range(np.ndim(a))[-len(s) :] if s is not None else range(np.ndim(a))
    sizes = [np.shape(a)[k] for k in axes] if s is None else s
    for k, n in zip(axes, sizes, strict=True):
        a = transform(a, n, k, norm)
    return a


def several(transform, axes):
    return lambda a, s=None, axes=axes, norm=None: fourier(
        transform, a, s, axes, norm, axes
    )


def rfft(a, n=None, axis=-1, norm=None):
    y = np.fft.fft(np.real(a), n, axis, norm)
    return np.take(y, range(np.shape(y)[axis] // 2 + 1), axis=axis)


def irfft(a, n=None, axis=-1, norm=None):
    """The spectrum of real numbers mirrors itself; NumPy drops what cannot be real."""
    n = 2 * (np.shape(a)[axis] - 1) if n is None else n
    a = np.moveaxis(a, axis, -1)
    missing = n // 2 + 1 - np.shape(a)[-1]
    if missing > 0:
        a = np.concatenate([a, np.zeros((*np.shape(a)[:-1], missing))], axis=-1)
    half = a[..., : n // 2 + 1]
    weights = np.full(n // 2 + 1, 2.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    none = np.zeros((*np.shape(a)[:-1], n - n // 2 - 1))
    y = np.real(np.fft.ifft(np.concatenate([weights * half, none], axis=-1), norm=norm))
    return np.moveaxis(y, -1, axis)


def rfft2(a, s=None, axes=(-2, -1), norm=None):
    sizes = (None, None) if s is None else s
    return np.fft.fft(np.fft.rfft(a, sizes[1], axes[1], norm), sizes[0], axes[0], norm)


def irfft2(a, s=None, axes=(-2, -1), norm=None):
    sizes = (None, None) if s is None else s
    return np.fft.irfft(
        np.fft.ifft(a, sizes[0], axes[0], norm), sizes[1], axes[1], norm
    )


OPPOSITE: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}


def hfft(a, n=None, axis=-1, norm=None):
    return np.fft.irfft(np.conjugate(a), n, axis, OPPOSITE[norm])


def ihfft(a, n=None, axis=-1, norm=None):
    return np.conjugate(np.fft.rfft(a, n, axis, OPPOSITE[norm]))


def append(arr, values, axis=None):
    if axis is None:
        return np.concatenate([np.ravel(arr), np.ravel(values)])
    return np.concatenate([arr, values], axis=axis)


def unless_plain(rule):
    """The rule for keywords that the pullback of the function leaves out."""

    def rewrite(a, *args, **kwargs):
        return (
            rule(a, *args, **kwargs)
            if {"initial", "where"} & kwargs.keys()
            else NotImplemented
        )

    return rewrite


REWRITES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: unless_plain(summed),
    np.mean: mean,
    np.nansum: lambda a, axis=None, *, keepdims=False: np.sum(
        np.where(np.isnan(a), 0.0, a), axis=axis, keepdims=keepdims
    ),
    np.trace: trace,
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.gradient: gradient,
    np.append: append,
    np.dot: dot,
    np.vdot: lambda a, b: np.sum(np.conjugate(np.ravel(a)) * np.ravel(b)),
    np.inner: inner,
    np.outer: outer,
    np.kron: kron,
    np.tensordot: tensordot,
    np.cross: cross,
    np.correlate: correlate,
    np.einsum: einsum,
    np.vecdot: vecdot,
    np.matvec: lambda a, b: (a @ b[..., None])[..., 0],
    np.vecmat: lambda a, b: (np.conjugate(a)[..., None, :] @ b)[..., 0, :],
    np.linalg.matmul: lambda a, b: np.matmul(a, b),
    np.linalg.vecdot: vecdot,
    np.linalg.tensordot: lambda a, b, /, *, axes=2: np.tensordot(a, b, axes),
    np.linalg.outer: outer,
    np.fft.fft2: several(np.fft.fft, (-2, -1)),
    np.fft.ifft2: several(np.fft.ifft, (-2, -1)),
    np.fft.fftn: several(np.fft.fft, None),
    np.fft.ifftn: several(np.fft.ifft, None),
    np.fft.rfft: rfft,
    np.fft.irfft: irfft,
    np.fft.rfft2: rfft2,
    np.fft.irfft2: irfft2,
    np.fft.hfft: hfft,
    np.fft.ihfft: ihfft,
}
REWRITES = {f: knowing_its_arguments(rule) for f, rule in REWRITES.items()}

# Each item of the result is an item of an operand, or a constant.
MOVES = {
    *(operator.getitem, np.reshape, np.ravel, np.swapaxes, np.moveaxis, np.flip),
    *(np.fliplr, np.flipud, np.rot90, np.roll, np.take, np.take_along_axis),
    *(np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack),
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.tile, np.repeat, np.diag),
    *(np.diagonal, np.diagflat, np.triu, np.tril, np.delete, np.copy),
    *(np.fft.fftshift, np.fft.ifftshift),
}
