"""Derivatives of NumPy's functions, each said once.

`PARTIALS[f]` holds a function per operand of ``y = f(*xs)``; called with ``(y, *xs)``
it gives the partial derivative.  Everything is plain NumPy, so a rule runs on floats,
arrays and dual numbers alike, and of several equal forms each rule takes the one that
keeps its digits in the tails (``1 - tanh(x)**2`` has none left at 20).

At a kink the derivative is the mean of the two one-sided ones, as a central difference
would have it: 0 for ``abs`` at 0, one half each for the operands of a tied ``maximum``.
"""

import math
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.definitions import DEFINITIONS, knowing_its_arguments
from diffmethods.traced import Traced

LN2, LN10 = math.log(2.0), math.log(10.0)
LONG = 4096  # items of an array on which NumPy's loops count, and no more its calls
Array = np.ndarray  # a name that plain numbers may look up, too

# Elementwise functions: the partial derivative by each operand.


def power_by_base(y, a, b):
    """b a^(b-1); 0 where b is 0, for every a; and b - 1 gets its rounding back."""
    less = b - 1.0
    shift = less - b
    lost = ((b - (less - shift)) - (1.0 + shift)) * (np.absolute(b) < 2.0**53)
    slope = b * a ** (less + ((b == 0) & (1e-170 * a == 0)))
    return slope * (a + (a == 0)) ** lost if np.any(lost) else slope


def power_by_exponent(y, a, b):
    """a^b log a, and its limit 0 at a = 0."""
    return y * np.log(a + ((a == 0) & (b >= 0)))


def sigmoid_of_difference(exp, log_of_base):
    """1 / (1 + exp(b - a)) without overflow, and a - b gets its rounding back.

    That rounding would cost abs(a - b) / 2 ulp.
    """

    def sigmoid(a, b):
        difference = a - b
        sign = np.copysign(1.0, difference)
        with np.errstate(invalid="ignore"):
            shift = difference - a
            lost = (a - (difference - shift)) - (b + shift)
        lost = np.where(np.isfinite(difference), lost, 0.0)
        e = exp(-sign * difference) * (1.0 - sign * lost * log_of_base)
        return np.where(difference < 0, e, 1.0) / (1.0 + e)

    return lambda y, a, b: sigmoid(a, b), lambda y, a, b: sigmoid(b, a)


def away_from_zero(x):
    """abs(x) inside an even function, whose slope at 0 is 1 so that slopes nest."""
    return x * np.copysign(1.0, x) if isinstance(x, Traced) else abs(x)


def sech_squared(y, x):
    """tanh' as 4e / (1 + e)^2, e = exp(-2 abs(x)): all its digits, even far out."""
    e = away_from_zero(x)
    if isinstance(e, Array) and e.size > LONG:
        e.clip(0.0, 1e3, out=e)  # a minimum would take three times as long
        e *= -2.0
        np.exp(e, out=e)
    else:
        e = np.exp(-2.0 * np.minimum(e, 1e3))  # 2x must not overflow
    root = 1.0 + e
    root *= root  # in place: on a long array a new one costs more than the product
    e *= 4.0
    e /= root
    return e


def arctan_slope(y, x):
    """1 / (1 + x^2), without overflow."""
    root = np.hypot(1.0, x)
    return 1.0 / root / root


def cos_pi(x):
    """cos(pi x), right to the last digits however large x is, by exact reduction."""
    near = x - 2.0 * np.rint(0.5 * x)
    return np.sin(np.pi * (0.5 - away_from_zero(near)))


def sinc_slope(cosine):
    """(cos(pi x) - sinc(x)) / x, by its series where the two nearly cancel."""

    def slope(y, x):
        near = np.absolute(x) < 0.64
        far = np.where(near, 1.0, x)
        square = (np.pi * np.where(near, x, 0.0)) ** 2
        series = 0.0
        for k in range(14, 0, -1):
            series = series * square + (-1) ** k * 2.0 * k / math.factorial(2 * k + 1)
        return np.where(near, np.pi**2 * x * series, (cosine(far) - y) / far)

    return slope


def chosen(y, mine, other):
    """The operand that the choice `y` fell on counts, and a tie is shared."""
    return (mine == y) * (1.0 - 0.5 * (mine == other))


CHOICE = (lambda y, a, b: chosen(y, a, b), lambda y, a, b: chosen(y, b, a))
POWER = (power_by_base, power_by_exponent)

PARTIALS: dict[Callable, tuple[Callable, ...]] = {
    # arithmetic
    np.add: (lambda y, a, b: 1.0, lambda y, a, b: 1.0),
    np.subtract: (lambda y, a, b: 1.0, lambda y, a, b: -1.0),
    np.multiply: (lambda y, a, b: b, lambda y, a, b: a),
    np.divide: (lambda y, a, b: 1.0 / b, lambda y, a, b: -y / b),
    np.power: POWER,
    np.float_power: POWER,
    np.remainder: (lambda y, a, b: 1.0, lambda y, a, b: -np.floor_divide(a, b)),
    np.fmod: (lambda y, a, b: 1.0, lambda y, a, b: np.rint((y - a) / b)),
    np.negative: (lambda y, x: -1.0,),
    np.positive: (lambda y, x: 1.0,),
    np.reciprocal: (lambda y, x: -y * y,),
    np.square: (lambda y, x: 2.0 * x,),
    np.fabs: (lambda y, x: np.sign(x),),
    np.copysign: (
        lambda y, a, b: np.sign(a) * np.copysign(1.0, b),
        lambda y, a, b: 0.0,
    ),
    np.ldexp: (lambda y, a, b: np.ldexp(1.0, b), lambda y, a, b: 0.0),
    # roots, exponentials and logarithms
    np.sqrt: (lambda y, x: 0.5 / y,),
    np.cbrt: (lambda y, x: 1.0 / (3.0 * y * y),),
    np.exp: (lambda y, x: y,),
    np.exp2: (lambda y, x: y * LN2,),
    np.expm1: (lambda y, x: np.exp(x),),
    np.log: (lambda y, x: 1.0 / x,),
    np.log2: (lambda y, x: 1.0 / x / LN2,),
    np.log10: (lambda y, x: 1.0 / x / LN10,),
    np.log1p: (lambda y, x: 1.0 / (1.0 + x),),
    np.logaddexp: sigmoid_of_difference(np.exp, 1.0),
    np.logaddexp2: sigmoid_of_difference(np.exp2, LN2),
    # circular and hyperbolic functions
    np.sin: (lambda y, x: np.cos(x),),
    np.cos: (lambda y, x: -np.sin(x),),
    np.tan: (lambda y, x: 1.0 + y * y,),
    np.arcsin: (lambda y, x: 1.0 / np.sqrt((1.0 - x) * (1.0 + x)),),
    np.arccos: (lambda y, x: -1.0 / np.sqrt((1.0 - x) * (1.0 + x)),),
    np.arctan: (arctan_slope,),
    np.arctan2: (
        lambda y, a, b: b / np.hypot(a, b) / np.hypot(a, b),
        lambda y, a, b: -a / np.hypot(a, b) / np.hypot(a, b),
    ),
    np.hypot: (lambda y, a, b: a / (y + (y == 0)), lambda y, a, b: b / (y + (y == 0))),
    np.sinh: (lambda y, x: np.cosh(x),),
    np.cosh: (lambda y, x: np.sinh(x),),
    np.tanh: (sech_squared,),
    np.arcsinh: (lambda y, x: 1.0 / np.hypot(1.0, x),),
    np.arccosh: (lambda y, x: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)),),
    np.arctanh: (lambda y, x: 1.0 / ((1.0 - x) * (1.0 + x)),),
    np.sinc: (sinc_slope(cos_pi),),
    # units and choices
    np.deg2rad: (lambda y, x: np.pi / 180.0,),
    np.radians: (lambda y, x: np.pi / 180.0,),
    np.rad2deg: (lambda y, x: 180.0 / np.pi,),
    np.degrees: (lambda y, x: 180.0 / np.pi,),
    np.maximum: CHOICE,
    np.minimum: CHOICE,
    np.fmax: CHOICE,
    np.fmin: CHOICE,
    np.nan_to_num: (lambda y, x: 1.0 * np.isfinite(x),),
}

# Some of those forms hold on the real line alone; a complex operand takes these.
COMPLEX_PARTIALS: dict[Callable, tuple[Callable, ...]] = {
    np.tan: (lambda y, x: (1.0 / np.cos(x)) ** 2,),
    np.tanh: (lambda y, x: (1.0 / np.cosh(x)) ** 2,),
    np.arctan: (lambda y, x: 1.0 / (1.0 + x * x),),
    np.arcsinh: (lambda y, x: 1.0 / np.sqrt(1.0 + x * x),),
    np.arccosh: (lambda y, x: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)),),
    np.sinc: (sinc_slope(lambda x: np.cos(np.pi * x)),),
}

# Functions without a slope wherever they have one at all; their result is a constant.
CONSTANT: set[Callable] = {
    *(
        np.sign,
        np.signbit,
        np.floor,
        np.ceil,
        np.rint,
        np.trunc,
        np.fix,
        np.round,
        np.around,
    ),
    *(np.heaviside, np.floor_divide, np.isfinite, np.isnan, np.isinf, np.iscomplexobj),
    *(
        np.isrealobj,
        np.isclose,
        np.allclose,
        np.array_equal,
        np.any,
        np.all,
        np.nonzero,
    ),
    *(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
    *(np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.count_nonzero),
    *(np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere),
    *(np.searchsorted, np.digitize),
    *(
        np.zeros_like,
        np.ones_like,
        np.empty_like,
        np.shape,
        np.ndim,
        np.size,
        np.result_type,
    ),
}

# Linear functions, with the number of leading arguments that hold arrays.
LINEAR: dict[Callable, int] = {
    **dict.fromkeys((operator.getitem, np.sum, np.mean, np.cumsum, np.trace), 1),
    **dict.fromkeys(
        (np.reshape, np.ravel, np.squeeze, np.expand_dims, np.broadcast_to), 1
    ),
    **dict.fromkeys(
        (np.transpose, np.matrix_transpose, np.swapaxes, np.moveaxis, np.flip), 1
    ),
    **dict.fromkeys(
        (np.fliplr, np.flipud, np.rot90, np.roll, np.take, np.take_along_axis), 1
    ),
    **dict.fromkeys((np.concatenate, np.stack, np.hstack, np.vstack, np.dstack), 1),
    **dict.fromkeys(
        (np.column_stack, np.split, np.array_split, np.hsplit, np.vsplit), 1
    ),
    **dict.fromkeys((np.tile, np.repeat, np.diag, np.diagonal, np.diagflat), 1),
    **dict.fromkeys((np.triu, np.tril, np.delete, np.copy, np.diff), 1),
    **dict.fromkeys(
        (np.real, np.imag, np.conjugate, np.nansum, np.ediff1d, np.gradient), 1
    ),
    **dict.fromkeys(
        (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.fft2), 1
    ),
    **dict.fromkeys(
        (np.fft.ifft2, np.fft.fftn, np.fft.ifftn, np.fft.rfft2, np.fft.irfft2), 1
    ),
    **dict.fromkeys((np.fft.hfft, np.fft.ihfft, np.fft.fftshift, np.fft.ifftshift), 1),
    np.append: 2,
}
ADDS_A_CONSTANT = {"initial", "prepend", "append", "to_end", "to_begin"}

# Functions linear in each operand on its own.
MULTILINEAR: set[Callable] = {
    *(np.matmul, np.dot, np.vdot, np.inner, np.outer, np.kron, np.tensordot, np.cross),
    *(np.convolve, np.correlate, np.einsum, np.vecdot, np.matvec, np.vecmat),
    *(np.linalg.matmul, np.linalg.vecdot, np.linalg.tensordot, np.linalg.outer),
}

# What is left of NumPy: y and its tangent from the operands and theirs.


def unit(x, y):
    """x / abs(x), and 0 at 0; for a real x the sign, for a norm the direction."""
    return x / np.where(y == 0, 1.0, y)


def along(a, b):
    """The component of b along a, as real numbers: the slope of a length."""
    return np.real(np.conjugate(a) * b) if np.iscomplexobj(a) else a * b


def push_where(condition, a, b, dcondition, da, db):
    return np.where(condition, a, b), np.where(condition, da, db)


def push_absolute(x, dx):
    y = np.absolute(x)
    return y, along(unit(x, y) if np.iscomplexobj(x) else np.sign(x), dx)


def push_sign(x, dx):
    """A step for real numbers; for complex ones the direction, which turns."""
    y = np.sign(x)
    if not np.iscomplexobj(x):
        return y, np.zeros(np.shape(y))
    return y, (dx - y * along(y, dx)) / np.absolute(x)


def push_extremum(function):
    """The tangent of the extreme item; ties are shared."""

    def push(x, dx, axis=None, keepdims=False):
        y = function(x, axis=axis, keepdims=True)
        tied = np.where(x == y, 1.0, 0.0)
        dy = np.sum(tied * dx, axis=axis, keepdims=True)
        dy = dy / np.sum(tied, axis=axis, keepdims=True)
        return (y, dy) if keepdims else (np.squeeze(y, axis), np.squeeze(dy, axis))

    return push


def push_prod(x, dx, axis=None, keepdims=False):
    """Sum of dx times the product of all others, right where items are 0, too."""
    axes = tuple(range(np.ndim(x)) if axis is None else np.atleast_1d(axis))
    inner = tuple(range(-len(axes), 0))
    x, dx = np.moveaxis(x, axes, inner), np.moveaxis(dx, axes, inner)
    outer = np.shape(x)[: np.ndim(x) - len(axes)]
    x, dx = np.reshape(x, (*outer, -1)), np.reshape(dx, (*outer, -1))
    ones = np.ones((*outer, 1))
    before = np.cumprod(np.concatenate([ones, x], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)[
        ..., ::-1
    ]
    others = before[..., :-1] * after[..., : np.shape(x)[-1]]
    y, dy = np.prod(x, axis=-1), np.sum(dx * others, axis=-1)
    return (np.expand_dims(y, axes), np.expand_dims(dy, axes)) if keepdims else (y, dy)


def push_cumprod(x, dx, axis=None):
    """The recurrence y_k = x_k y_(k-1), differentiated term by term."""
    if axis is None:
        x, dx, axis = np.ravel(x), np.ravel(dx), 0
    x, dx = np.moveaxis(x, axis, 0), np.moveaxis(dx, axis, 0)
    y = np.cumprod(x, axis=0)
    if np.all(x != 0):
        dy = y * np.cumsum(dx / x, axis=0)
    else:
        rows = [dx[0]]
        for k in range(1, len(x)):
            rows.append(dx[k] * y[k - 1] + x[k] * rows[-1])
        dy = np.stack(rows)
    return np.moveaxis(y, 0, axis), np.moveaxis(dy, 0, axis)


SPECTRAL = {  # norms of a matrix made of its singular values
    2: lambda s: s[..., 0],
    -2: lambda s: s[..., -1],
    "nuc": lambda s: np.sum(s, axis=-1),
}


def push_norm(x, dx, ord=None, axis=None, keepdims=False):
    """The length, and norms of singular values; NumPy's own code does the others."""
    axes = tuple(range(np.ndim(x)) if axis is None else np.atleast_1d(axis))
    if ord is None or ord == ("fro" if len(axes) == 2 else 2):
        y = np.linalg.norm(x, axis=axis, keepdims=True)
        dy = np.sum(along(unit(x, y), dx), axis=axis, keepdims=True)
        return (y, dy) if keepdims else (np.squeeze(y, axis), np.squeeze(dy, axis))
    if len(axes) == 2 and ord in SPECTRAL:
        x, dx = np.moveaxis(x, axes, (-2, -1)), np.moveaxis(dx, axes, (-2, -1))
        y, dy = map(SPECTRAL[ord], push_svd(x, dx, compute_uv=False))
        return (
            (np.expand_dims(y, axes), np.expand_dims(dy, axes)) if keepdims else (y, dy)
        )
    return NotImplemented


def adjoint(a):
    """The conjugate transpose."""
    return np.matrix_transpose(np.conjugate(a))


def hermitian(a, UPLO="L"):
    """What NumPy makes of a matrix: it reads one triangle, and mirrors it."""
    lower = a if UPLO == "L" else adjoint(a)
    diagonal = np.real(lower) * np.eye(np.shape(a)[-1])
    return np.tril(lower, -1) + adjoint(np.tril(lower, -1)) + diagonal


def push_inv(a, da):
    y = np.linalg.inv(a)
    return y, -y @ da @ y


def push_solve(a, b, da, db):
    y = np.linalg.solve(a, b)
    return y, np.linalg.solve(a, db - da @ y)


def push_det(a, da):
    """Jacobi's formula through cofactors, so that a singular matrix has its slope."""
    cofactors = cofactors_by_minors if isinstance(a, Traced) else cofactors_by_svd
    return np.linalg.det(a), np.sum(cofactors(a) * da, axis=(-2, -1))


def cofactors_by_svd(a):
    """Products of all singular values but one."""
    u, s, vh = np.linalg.svd(a)
    same = np.eye(np.shape(a)[-1], dtype=bool)
    others = np.prod(np.where(same, 1.0, s[..., None, :]), axis=-1)
    turn = np.linalg.det(u) * np.linalg.det(vh)
    return turn[..., None, None] * np.conjugate((u * others[..., None, :]) @ vh)


def cofactors_by_minors(a):
    """Determinants without a row and a column: polynomials, so they nest anywhere."""
    size = range(np.shape(a)[-1])
    rest = np.array([[j for j in size if j != i] for i in size], int)
    rest = rest.reshape(len(size), max(len(size) - 1, 0))
    minors = a[..., rest[:, None, :, None], rest[None, :, None, :]]
    return np.linalg.det(minors) * (-1.0) ** np.add.outer(size, size)


def push_slogdet(a, da):
    y = np.linalg.slogdet(a)
    slope = np.trace(np.linalg.solve(a, da), axis1=-2, axis2=-1)
    if not np.iscomplexobj(slope):
        return y, (0.0 * slope, slope)
    return y, (1j * np.imag(slope) * y[0], np.real(slope))


def push_cholesky(a, da, upper=False):
    """dL = L phi(L^-1 dA L^-T), phi the lower triangle with its diagonal halved."""
    uplo = "U" if upper else "L"
    y = np.linalg.cholesky(hermitian(a, uplo) if upper else a)
    inner = adjoint(
        np.linalg.solve(y, adjoint(np.linalg.solve(y, hermitian(da, uplo))))
    )
    dy = y @ (np.tril(inner) - 0.5 * inner * np.eye(np.shape(a)[-1]))
    return (adjoint(y), adjoint(dy)) if upper else (y, dy)


def push_qr(a, da, mode="reduced"):
    """dQ = Q W + (1 - Q Q*) dA R^-1 and dR = Q* dA - W R, W the turn of Q in itself.

    W is what makes dR a triangle: W = -W*, and below the diagonal it is Q* dA R^-1.
    """
    size = min(np.shape(a)[-2:])
    if mode not in ("reduced", "r"):
        return NotImplemented
    y = q, r = np.linalg.qr(a)
    left = np.swapaxes(r[..., :size], -1, -2)
    slope = np.swapaxes(
        np.linalg.solve(left, np.swapaxes(da[..., :size], -1, -2)), -1, -2
    )
    inner = adjoint(q) @ slope
    below = np.tril(inner, -1)
    turn = below - adjoint(below)
    if np.iscomplexobj(a):
        turn = turn + 1j * np.imag(inner) * np.eye(size)
    dr = np.triu(adjoint(q) @ da - turn @ r)
    if mode == "r":
        return r, dr
    return y, (q @ turn + slope - q @ inner, dr)


def push_eigh(a, da, UPLO="L"):
    """First-order perturbation; vectors have no slope where values coincide."""
    y = values, vectors = np.linalg.eigh(a, UPLO=UPLO)
    inner = adjoint(vectors) @ hermitian(da, UPLO) @ vectors
    slopes = np.real(np.diagonal(inner, axis1=-2, axis2=-1))
    return y, (slopes, vectors @ (inner * inverse_gaps(values)))


def inverse_gaps(values):
    """1 / (values[j] - values[i]), 0 on the diagonal, nan where values coincide."""
    same = np.eye(np.shape(values)[-1], dtype=bool)
    gaps = values[..., None, :] - values[..., :, None]
    gaps = np.where(same, 1.0, np.where(gaps == 0, np.nan, gaps))
    return np.where(same, 0.0, 1.0 / gaps)


def push_svd(a, da, full_matrices=True, compute_uv=True, hermitian=False):
    """First-order perturbation of distinct singular values, and vectors if real."""
    rows, columns = np.shape(a)[-2:]
    if compute_uv and (np.iscomplexobj(a) or (full_matrices and rows != columns)):
        return NotImplemented
    y = u, s, vh = np.linalg.svd(a, full_matrices=False)
    inner = adjoint(u) @ da @ adjoint(vh)
    ds = np.real(np.diagonal(inner, axis1=-2, axis2=-1))
    if not compute_uv:
        return s, ds
    scale, gaps = s[..., None, :], inverse_gaps(s * s)
    mirror = adjoint(inner)
    du = u @ (gaps * (inner * scale + adjoint(scale) * mirror))
    dv = adjoint(vh) @ (gaps * (adjoint(scale) * inner + mirror * scale))
    if rows > columns:
        du = du + (da @ adjoint(vh) - u @ inner) / scale
    if columns > rows:
        dv = dv + (adjoint(da) @ u - adjoint(vh) @ mirror) / scale
    return type(y)(u, s, vh), (du, ds, adjoint(dv))


def push_pinv(a, da):
    """Golub and Pereyra (1973), while the rank stays the same."""
    y = np.linalg.pinv(a)
    yh, dah = adjoint(y), adjoint(da)
    rows, columns = np.eye(np.shape(a)[-2]), np.eye(np.shape(a)[-1])
    dy = -y @ da @ y + y @ yh @ dah @ (rows - a @ y) + (columns - y @ a) @ dah @ yh @ y
    return y, dy


def applied(*operands, rule, named=()):
    """Call a function that brings its own rule, as `custom_rule` makes them."""
    return rule.in_numbers(operands, named)


def push_applied(*operands, rule, named=()):
    half = len(operands) // 2
    return rule.push(operands[:half], operands[half:], named)


PUSHFORWARDS: dict[Callable, Callable] = {
    applied: push_applied,
    np.where: push_where,
    np.absolute: push_absolute,
    np.sign: push_sign,
    np.max: push_extremum(np.max),
    np.min: push_extremum(np.min),
    np.prod: push_prod,
    np.cumprod: push_cumprod,
    np.linalg.norm: push_norm,
    np.linalg.inv: push_inv,
    np.linalg.solve: push_solve,
    np.linalg.det: push_det,
    np.linalg.slogdet: push_slogdet,
    np.linalg.cholesky: push_cholesky,
    np.linalg.qr: push_qr,
    np.linalg.eigh: push_eigh,
    np.linalg.svd: push_svd,
    np.linalg.pinv: push_pinv,
}
PUSHFORWARDS = {f: knowing_its_arguments(push) for f, push in PUSHFORWARDS.items()}
# How many arguments are operands; of the others it is the first.
OPERANDS = {np.where: 3, np.linalg.solve: 2, applied: sys.maxsize}


def partials(function: Callable, y: Any = None) -> tuple[Callable, ...] | None:
    """The partial derivatives of an elementwise function, SciPy's included."""
    if function in COMPLEX_PARTIALS and np.iscomplexobj(y):
        return COMPLEX_PARTIALS[function]
    rule = PARTIALS.get(function)
    if (
        rule is None
        and "scipy.special" in sys.modules
        and isinstance(function, np.ufunc)
    ):
        from diffmethods import special

        rule = special.PARTIALS.get(function)
        if function in special.COMPLEX_PARTIALS and np.iscomplexobj(y):
            return special.COMPLEX_PARTIALS[function]
    return rule


def known(function: Callable) -> bool:
    """Whether some table has a rule for the function."""
    tables = (DEFINITIONS, CONSTANT, PUSHFORWARDS, LINEAR, MULTILINEAR)
    return partials(function) is not None or any(function in table for table in tables)
