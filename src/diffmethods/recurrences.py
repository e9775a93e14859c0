"""Taylor coefficients of elementary functions, each by a recurrence said once.

An elementary function satisfies a differential equation ``y' = w(y, u) u'``.
Comparing coefficients of t^(k-1) gives y_k from those before it (Griewank and Walther
2008, chapter 13).  `RECURRENCES[f]` takes a `Truncation` and the coefficients of the
operands, and gives those of the result; leading coefficients keep their digits in the
tails.
"""

import functools
import math
from collections.abc import Callable
from operator import mul
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.traced import Traced, qualified_name
from diffmethods.truncated import (
    Coefficients,
    Function,
    Truncation,
    added,
    begun,
    binomial,
    chosen,
    composed,
    convolution,
    convolution_with_itself,
    integral,
    is_array_plus_t,
    negated,
    power,
    product,
    quotient,
    raised,
    scaled,
    shifted,
    sign_beside,
    slopes,
    square,
    value,
)

Recurrence = Callable[..., Coefficients]  # (truncation, *coefficients)

LARGE = 2.0**500  # squares of larger numbers are out of range

# Exponentials and logarithms.


def exponential(y0: Any, u: Coefficients, order: int) -> Coefficients:
    """y' = y u', whatever multiple of exp(u) it is that begins with y0."""
    if is_array_plus_t(u):
        return y0 * inverse_factorials(order, u.ndim, 1.0)
    y = begun(y0, order)
    known = convolution(slopes(u), y, order)
    for k in range(1, order + 1):
        y[k] = known(k - 1) / k
    return y


@functools.cache
def inverse_factorials(order: int, ndim: int, sign: float) -> Any:
    """sign^(k // 2) / k! along the first of so many axes."""
    k = np.arange(order + 1.0)
    factors = np.cumprod(1.0 / np.maximum(k, 1.0)) * sign ** (k // 2)
    return factors.reshape(-1, *(1,) * (ndim - 1))


def expm1(truncation: Truncation, u: Coefficients) -> Coefficients:
    """exp(u) but for the first coefficient."""
    y = exponential(value(np.exp, u[0]), u, truncation.order)
    y[0] = value(np.expm1, u[0])
    return y


def logarithm(
    y0: Any, u: Coefficients, order: int, log_of_base: float = 1.0
) -> Coefficients:
    """y' = u' / u."""
    du = slopes(u) if log_of_base == 1.0 else scaled(slopes(u), 1.0 / log_of_base)
    return integral(y0, quotient(du, u, order - 1))


def real_power(
    truncation: Truncation, u: Coefficients, r: Coefficients
) -> Coefficients:
    """u^r, as exp(r log(u)) where the exponent varies."""
    if len(r) == 1:
        return power(truncation, u, r[0])
    order, y0 = truncation.order, value(np.power, u[0], r[0])
    if np.any(u[0] == 0):
        return NotImplemented  # no equation holds there; the rule knows the limit
    log0 = value(np.log, u[0])
    log = logarithm(log0, u, order) if len(u) > 1 else begun(log0, 0)
    return exponential(y0, product(r, log, order), order)


# Circular and hyperbolic functions.


def oscillation(
    f0: Any, g0: Any, sign: float, u: Coefficients, order: int
) -> Coefficients:
    """The f of f' = g u' and g' = sign f u', as sine and cosine are."""
    f, g = begun(f0, order), begun(g0, order)
    if is_array_plus_t(u):
        factors = inverse_factorials(order, u.ndim, sign)
        np.multiply(f0, factors[::2], out=f[::2])
        np.multiply(g0, factors[1::2], out=f[1::2])
        return f
    du = slopes(u)
    df, dg = convolution(du, g, order), convolution(du, f, order)
    for k in range(1, order + 1):
        f[k] = df(k - 1) / k
        g[k] = dg(k - 1) * (sign / k)
    return f


def sine(truncation: Truncation, u: Coefficients) -> Coefficients:
    """sin' = cos u', cos' = -sin u'."""
    s0, c0 = value(np.sin, u[0]), value(np.cos, u[0])
    return oscillation(s0, c0, -1.0, u, truncation.order)


def cosine(truncation: Truncation, u: Coefficients) -> Coefficients:
    """The same from a quarter turn on."""
    s0, c0 = value(np.sin, u[0]), value(np.cos, u[0])
    return oscillation(c0, -s0, -1.0, u, truncation.order)


def sinh(truncation: Truncation, u: Coefficients) -> Coefficients:
    """sinh' = cosh u', cosh' = sinh u'."""
    s0, c0 = value(np.sinh, u[0]), value(np.cosh, u[0])
    return oscillation(s0, c0, 1.0, u, truncation.order)


def cosh(truncation: Truncation, u: Coefficients) -> Coefficients:
    """The same the other way round."""
    s0, c0 = value(np.sinh, u[0]), value(np.cosh, u[0])
    return oscillation(c0, s0, 1.0, u, truncation.order)


def by_square(
    y0: Any, w0: Any, u: Coefficients, order: int, linear: float, sign: float
) -> Any:
    """y' = w u', w a constant plus `linear` y plus `sign` y^2, which begins with w0."""
    y, w = begun(y0, order), begun(w0, order)
    slope, squared = (
        convolution(slopes(u), w, order),
        convolution_with_itself(y, order + 1),
    )
    squared(0)
    for k in range(1, order + 1):
        y[k] = slope(k - 1) / k
        w[k] = sign * squared(k)
        if linear:
            w[k] += linear * y[k]
    return y


# Functions with an addition theorem, f(x + t) = f(x) + w T / (1 - r T), where T is the
# same series at every x: on a line x + s t its coefficients are known beforehand.


@functools.cache
def outer_series(name: str, order: int) -> Any:
    """T without its first coefficient, 0, and turned round."""
    if name == "tan":
        t = by_square(0.0, 1.0, [0.0, 1.0], order, 0.0, 1.0)
    else:  # 1 - exp(-rate t)
        rate = 2.0 if name == "tanh" else 1.0
        t = [0.0, rate]
        for k in range(2, order + 1):
            t.append(-t[-1] * (rate / k))
    return t[:0:-1], np.array(t[:0:-1])


def is_real_line(u: Coefficients) -> bool:
    """Whether u is x + s t for real numbers or arrays x and s."""
    x = u[0]
    return len(u) == 2 and (
        x.__class__ is float or (u.__class__ is np.ndarray and u.dtype == float)
    )


def by_addition(
    name: str, y0: Any, w: Any, r: Any, u: Coefficients, order: int
) -> Coefficients:
    """Coefficients of y = y0 + w T / (1 - r T): y - y0 is T z, with z = w + r T z."""
    numbers, row = outer_series(name, order)
    if u.__class__ is np.ndarray:
        y = matrix_by_addition(y0.ravel(), w.ravel(), r.ravel(), row)
        y = y.reshape(order + 1, *y0.shape)
        if not is_array_plus_t(u):
            y[1:] *= np.cumprod(np.broadcast_to(u[1], y[1:].shape), axis=0)
        return y
    ys, z, power = [y0], [w], 1.0
    for k in range(1, order + 1):
        fresh = sum(map(mul, z, numbers[order - k :]))
        z.append(r * fresh)
        power *= u[1]
        ys.append(fresh * power)
    return ys


def matrix_by_addition(y0: Any, w: Any, r: Any, row: Any) -> Any:
    """The same of all points together: a row of T by the matrix of the z so far."""
    order = len(row)
    y, z = np.empty((order + 1, y0.size)), np.empty((order, y0.size))
    y[0], z[0] = y0, w
    for k in range(1, order):
        np.dot(row[order - k :], z[:k], out=y[k])
        np.multiply(y[k], r, out=z[k])
    np.dot(row, z, out=y[order])
    return y


def logistic(
    name: str, y0: Any, e: Any, size: float, u: Coefficients, order: int
) -> Coefficients:
    """What tanh and expit share: with e = exp(-rate abs(x)), r is e / (1 + e).

    To the left of 0 the odd derivatives are those to its right, and the even ones
    change their sign.
    """
    above = 1.0 + e
    r = e / above
    y = by_addition(name, y0, size * (r / above), r, u, order)
    if u.__class__ is np.ndarray:
        sign = np.copysign(1.0, u[0])
        for row in y[2::2]:
            np.multiply(row, sign, out=row)
    elif u[0] < 0.0:
        y[2::2] = [-c for c in y[2::2]]
    return y


def decay(x: Any, rate: float) -> Any:
    """exp(-rate abs(x)) of real numbers; where it is 0, the product may overflow."""
    if x.__class__ is float:
        return math.exp(-rate * min(abs(x), 1e3))
    e = np.minimum(np.absolute(x), 1e3)
    e *= -rate
    return np.exp(e, out=e)


def tan(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = (1 + y^2) u'; tan(x + t) = (y + tan t) / (1 - y tan t)."""
    y0 = value(np.tan, u[0])
    if is_real_line(u):
        return by_addition("tan", y0, 1.0 + y0 * y0, y0, u, truncation.order)
    w0 = (rules.partials(np.tan, y0) or ())[0](y0, u[0])
    return by_square(y0, w0, u, truncation.order, 0.0, 1.0)


def tanh(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = (1 - y^2) u', with sech^2 in a form that does not cancel."""
    x, y0 = u[0], value(np.tanh, u[0])
    if is_real_line(u):
        return logistic("tanh", y0, decay(x, 2.0), 2.0, u, truncation.order)
    w0 = (rules.partials(np.tanh, x) or ())[0](y0, x)
    w0 = float(w0) if x.__class__ is float else w0
    return by_square(y0, w0, u, truncation.order, 0.0, -1.0)


def expit(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = (y - y^2) u', the logistic function."""
    e = value(np.exp, -abs(u[0]))
    y0 = np.where(u[0] < 0, e, 1.0) / (1.0 + e)
    y0 = float(y0) if u[0].__class__ is float else y0
    if is_real_line(u):
        return logistic("expit", y0, e, 1.0, u, truncation.order)
    w0 = e / ((1.0 + e) * (1.0 + e))
    return by_square(y0, w0, u, truncation.order, 1.0, -1.0)


# Inverse functions: the slope is a root or a quotient of polynomials in u.


def one_minus_square(u: Coefficients, order: int) -> Coefficients:
    """(1 - u)(1 + u), which keeps its digits near 1."""
    return product(shifted(negated(u), 1.0), shifted(u, 1.0), order)


def shrink(*xs: Any) -> Any:
    """A power of two that brings the largest operand where squares are in range."""
    large = abs(xs[0]) if len(xs) == 1 else np.maximum(abs(xs[0]), abs(xs[1]))
    if large.__class__ is float or np.ndim(large) == 0:
        return 1.0 if not large > LARGE else 2.0**-600
    return np.where(large > LARGE, 2.0**-600, 1.0)


def one_plus_square(u: Coefficients, order: int) -> tuple[Any, Coefficients]:
    """s and s^2 (1 + u^2), s a power of two that keeps them in range."""
    s = shrink(u[0])
    return s, shifted(square(scaled(u, s), order), s * s)


def inverse_sine(lead: Function, sign: float) -> Recurrence:
    """y' = u' / sqrt(1 - u^2)."""

    def recurrence(truncation: Truncation, u: Coefficients) -> Coefficients:
        order = truncation.order
        v = one_minus_square(u, order)
        w = binomial(value(np.power, v[0], -0.5) * sign, v, -0.5, order)
        return integral(value(lead, u[0]), product(slopes(u), w, order - 1))

    return recurrence


def arctan(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = u' / (1 + u^2)."""
    order = truncation.order
    s, v = one_plus_square(u, order)
    w = scaled(quotient(scaled(slopes(u), s), v, order - 1), s)
    return integral(value(np.arctan, u[0]), w)


def arcsinh(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = u' / sqrt(1 + u^2)."""
    order = truncation.order
    s, v = one_plus_square(u, order)
    w = binomial(value(np.power, v[0], -0.5) * s, v, -0.5, order)
    return integral(value(np.arcsinh, u[0]), product(slopes(u), w, order - 1))


def arccosh(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = u' / (sqrt(u - 1) sqrt(u + 1)), two roots because of complex branches."""
    order, w = truncation.order, slopes(u)
    for v in (shifted(u, -1.0), shifted(u, 1.0)):
        root = value(np.power, v[0], -0.5)
        w = product(w, binomial(root, v, -0.5, order), order - 1)
    return integral(value(np.arccosh, u[0]), w)


def arctanh(truncation: Truncation, u: Coefficients) -> Coefficients:
    """y' = u' / (1 - u^2)."""
    order = truncation.order
    w = quotient(slopes(u), one_minus_square(u, order), order - 1)
    return integral(value(np.arctanh, u[0]), w)


def arctan2(truncation: Truncation, a: Coefficients, b: Coefficients) -> Coefficients:
    """y' = (b a' - a b') / (a^2 + b^2)."""
    order, y0 = truncation.order, value(np.arctan2, a[0], b[0])
    s = inverse_size(value(np.hypot, a[0], b[0]))
    near_a, near_b = scaled(a, s), scaled(b, s)
    turns = []
    if len(a) > 1:
        turns.append(product(near_b, slopes(a), order - 1))
    if len(b) > 1:
        turns.append(negated(product(near_a, slopes(b), order - 1)))
    turn = turns[0] if len(turns) == 1 else added(*turns)
    radius = added(square(near_a, order - 1), square(near_b, order - 1))
    return integral(y0, scaled(quotient(turn, radius, order - 1), s))


def inverse_size(x: Any) -> Any:
    """A power of two that brings x near 1."""
    if isinstance(x, Traced):
        return 1.0
    _, exponent = np.frexp(x)
    s = np.ldexp(1.0, -np.clip(exponent, -1000, 1000))
    return float(s) if np.ndim(s) == 0 else s


def hypot(truncation: Truncation, a: Coefficients, b: Coefficients) -> Coefficients:
    """The root of a^2 + b^2, near 1; the slope a / y a' + b / y b' by itself.

    The squares of small operands beside large ones vanish, and their slopes do not.
    """
    y0 = value(np.hypot, a[0], b[0])
    s = inverse_size(y0)
    near_a, near_b = scaled(a, s), scaled(b, s)
    radius = added(square(near_a, truncation.order), square(near_b, truncation.order))
    y = scaled(raised(truncation, radius, 0.5, y0 * s), 1.0 / s)
    zero = y0 == 0
    slope = sum(c[0] / (y0 + zero) * c[1] for c in (a, b) if len(c) > 1)
    if truncation.order and zero is not True:
        y[1] = np.where(zero, y[1], slope) if np.any(zero) else slope
    return y


# Choices.


def absolute(truncation: Truncation, u: Coefficients) -> Coefficients:
    """u or -u; the length of a complex u."""
    if np.iscomplexobj(u[0]):
        if not isinstance(u, np.ndarray):
            u = np.reshape(u, (-1, 1))
            return absolute(truncation, u)[:, 0].tolist()
        y = hypot(truncation, u.real, u.imag)
        y[0] = np.absolute(u[0])
        return y
    return scaled(u, sign_beside(truncation, u))


def larger(function: Function, sign: float, at_nan: float) -> Recurrence:
    """The series that is ahead just beside the point."""

    def recurrence(
        truncation: Truncation, a: Coefficients, b: Coefficients
    ) -> Coefficients:
        if np.iscomplexobj(a[0]) or np.iscomplexobj(b[0]):
            return NotImplemented  # no order beside a point; the rule knows NumPy's
        ahead = sign_beside(truncation, added(a, negated(b))) * sign
        lost = (a[0] != a[0]) * at_nan - (b[0] != b[0]) * at_nan
        y = chosen((ahead + 2.0 * lost) >= 0, a, b)
        y0 = value(function, a[0], b[0])
        if isinstance(y, np.ndarray):
            y = y.copy()
            y[0] = y0
            return y
        return [y0, *y[1:]]

    return recurrence


# Functions whose own coefficients are known in closed form.


def sinc_coefficients(x: Any, order: int) -> list[Any]:
    """Taylor coefficients of sin(pi x) / (pi x).

    With s those of sin(pi x) / pi, ``x c_k + c_(k-1) = s_k``: upwards it is stable
    while k < pi abs(x), downwards beyond.
    """
    turns, x = np.pi * abs(x), np.asarray(x)
    top = order + 20 + int(9 * math.sqrt(order + 1))
    near = x - 2.0 * np.rint(0.5 * x)
    waves = [np.sin(np.pi * near), np.cos(np.pi * near)]
    s = [
        waves[k % 2]
        * (-1) ** (k // 2)
        * math.exp((k - 1) * math.log(np.pi) - math.lgamma(k + 1))
        for k in range(top + 2)
    ]
    inside = np.where(turns < order + 1, x, 0.0)
    downwards = [0.0 * x] * (top + 2)
    for k in range(top + 1, 0, -1):
        downwards[k - 1] = s[k] - inside * downwards[k]
    outside = np.where(turns < 1.0, 1.0, x)
    upwards = [s[0] / outside]
    for k in range(1, order + 1):
        upwards.append((s[k] - upwards[-1]) / outside)
    return [np.where(turns > k + 1, upwards[k], downwards[k]) for k in range(order + 1)]


def sinc(truncation: Truncation, u: Coefficients) -> Coefficients:
    """The closed form, composed with u."""
    if isinstance(u[0], Traced) or np.iscomplexobj(u[0]):
        return NotImplemented
    c = sinc_coefficients(u[0], truncation.order)
    if u[0].__class__ is float:
        c = [float(x) for x in c]
    c[0] = value(np.sinc, u[0])
    return composed(c, u, truncation.order)


RECURRENCES: dict[Function, Recurrence] = {
    # arithmetic
    np.add: lambda n, a, b: added(a, b),
    np.subtract: lambda n, a, b: added(a, negated(b)),
    np.multiply: lambda n, a, b: product(a, b, n.order),
    np.divide: lambda n, a, b: quotient(a, b, n.order),
    np.negative: lambda n, u: negated(u),
    np.positive: lambda n, u: u,
    np.square: lambda n, u: square(u, n.order),
    np.reciprocal: lambda n, u: binomial(1.0 / u[0], u, -1.0, n.order),
    np.power: real_power,
    np.float_power: real_power,
    np.sqrt: lambda n, u: raised(n, u, 0.5, value(np.sqrt, u[0])),
    np.cbrt: lambda n, u: raised(n, u, 1 / 3, value(np.cbrt, u[0]), odd=True),
    # exponentials and logarithms
    np.exp: lambda n, u: exponential(value(np.exp, u[0]), u, n.order),
    np.exp2: lambda n, u: exponential(
        value(np.exp2, u[0]), scaled(u, rules.LN2), n.order
    ),
    np.expm1: expm1,
    np.log: lambda n, u: logarithm(value(np.log, u[0]), u, n.order),
    np.log2: lambda n, u: logarithm(value(np.log2, u[0]), u, n.order, rules.LN2),
    np.log10: lambda n, u: logarithm(value(np.log10, u[0]), u, n.order, rules.LN10),
    np.log1p: lambda n, u: logarithm(value(np.log1p, u[0]), shifted(u, 1.0), n.order),
    # circular and hyperbolic functions, and their inverses
    np.sin: sine,
    np.cos: cosine,
    np.tan: tan,
    np.sinh: sinh,
    np.cosh: cosh,
    np.tanh: tanh,
    np.arcsin: inverse_sine(np.arcsin, 1.0),
    np.arccos: inverse_sine(np.arccos, -1.0),
    np.arctan: arctan,
    np.arcsinh: arcsinh,
    np.arccosh: arccosh,
    np.arctanh: arctanh,
    np.arctan2: arctan2,
    np.hypot: hypot,
    np.sinc: sinc,
    # choices
    np.absolute: absolute,
    np.fabs: absolute,
    np.maximum: larger(np.maximum, 1.0, 1.0),
    np.minimum: larger(np.minimum, -1.0, 1.0),
    np.fmax: larger(np.fmax, 1.0, -1.0),
    np.fmin: larger(np.fmin, -1.0, -1.0),
}

# SciPy's special functions, by name: SciPy is loaded by whoever calls one.


def gaussian(x: Any, rate: float) -> Any:
    """exp(-rate x^2), with the square split, since its rounding would magnify."""
    near = np.rint(16.0 * x) / 16.0
    y = np.exp(-rate * near * near) * np.exp(-rate * (x - near) * (x + near))
    return float(y) if x.__class__ is float else y


def error_function(name: str, factor: float, rate: float) -> Recurrence:
    """y' = factor exp(-rate u^2) u'."""

    def recurrence(truncation: Truncation, u: Coefficients) -> Coefficients:
        from scipy import special

        order, lead = truncation.order, gaussian(u[0], rate) * factor
        bell = exponential(lead, scaled(square(u, order), -rate), order)
        return integral(
            value(getattr(special, name), u[0]), product(slopes(u), bell, order - 1)
        )

    return recurrence


def bessel(family: str, sign: float, nu: float | None = None) -> Recurrence:
    """2^k y_nu^(k) is the sum of binomial(k, i) (+-1)^i y_(nu - k + 2 i)."""

    def recurrence(truncation: Truncation, *operands: Coefficients) -> Coefficients:
        *orders, u = operands
        if isinstance(u[0], Traced) or any(len(v) > 1 for v in orders):
            return NotImplemented
        n, first = truncation.order, orders[0][0] if orders else float(nu or 0)
        y = {i: cylinder(family, sign, first + i, u[0]) for i in range(-n, n + 1)}
        c = []
        for k in range(n + 1):
            terms = [
                sign**i * float(math.comb(k, i)) * y[2 * i - k] for i in range(k + 1)
            ]
            outer = (
                sum(terms)
                * (-1.0) ** (k * (family == "kv"))
                / 2.0**k
                / math.factorial(k)
            )
            c.append(float(outer) if u[0].__class__ is float else outer)
        return composed(c, u, n)

    return recurrence


def cylinder(family: str, sign: float, nu: Any, x: Any) -> Any:
    """Orders 0 and 1 have functions of their own, which reach farther out."""
    from scipy import special

    if isinstance(nu, float) and abs(nu) in (0.0, 1.0):
        y = getattr(special, f"{family[0]}{abs(nu):.0f}")(x)
        return sign * y if nu < 0 else y
    return getattr(special, family)(nu, x)


SPECIAL: dict[str, Recurrence] = {
    "erf": error_function("erf", 2.0 / math.sqrt(math.pi), 1.0),
    "erfc": error_function("erfc", -2.0 / math.sqrt(math.pi), 1.0),
    "ndtr": error_function("ndtr", 1.0 / math.sqrt(2.0 * math.pi), 0.5),
    "expit": expit,
    "j0": bessel("jv", -1.0, 0),
    "j1": bessel("jv", -1.0, 1),
    "jv": bessel("jv", -1.0),
    "y0": bessel("yv", -1.0, 0),
    "y1": bessel("yv", -1.0, 1),
    "yv": bessel("yv", -1.0),
    "i0": bessel("iv", 1.0, 0),
    "i1": bessel("iv", 1.0, 1),
    "iv": bessel("iv", 1.0),
    "k0": bessel("kv", 1.0, 0),
    "k1": bessel("kv", 1.0, 1),
    "kv": bessel("kv", 1.0),
}


@functools.cache
def recurrence_of(function: Function) -> Recurrence | None:
    """The recurrence of an elementwise function, SciPy's special ones included."""
    if function in RECURRENCES or not isinstance(function, np.ufunc):
        return RECURRENCES.get(function)
    home, _, name = qualified_name(function).rpartition(".")
    return SPECIAL.get(name) if home == "scipy.special" else None
