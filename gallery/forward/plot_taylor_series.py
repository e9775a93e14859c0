r"""
Taylor series
=============

Carry a power series instead of a number; all derivatives arrive at once.
"""

# %%
# In one line
# -----------
# The last line of this passage is the one. A series is the list of its coefficients;
# two of them multiply as polynomials do, and what lies beyond the last power is cut
# off.

import math
from dataclasses import dataclass
from operator import mul


@dataclass
class Series:
    c: list[float]

    def __add__(self, other):
        other = lifted(other, self)
        return Series([a + b for a, b in zip(self.c, other.c, strict=True)])

    def __mul__(self, other):
        a, b = self.c, lifted(other, self).c
        return Series([sum(map(mul, a, b[k::-1])) for k in range(len(a))])

    def __sub__(self, other):
        return self + lifted(other, self) * -1

    __radd__, __rmul__ = __add__, __mul__


def lifted(x, like):
    return x if isinstance(x, Series) else Series([x] + [0.0] * (len(like.c) - 1))


# %%
# Call the function with :math:`2 + t`. It answers :math:`11 + 17t + 8t^2 + t^3`, and
# the n-th derivative is n! times the n-th coefficient: 17, 16, 6, 0.


def polynomial(x):
    return x * x * x + 2 * x * x - 3 * x + 1


polynomial(Series([2.0, 1.0, 0.0, 0.0, 0.0])).c

# %%
# ``diffmethods`` has such series for all of NumPy.

import numpy as np

import diffmethods as dm

dm.derivative(polynomial, method="taylor_series", order=3)(2.0)

# %%
# How it works
# ------------
# A product needs :math:`y_k = \sum_j a_j b_{k-j}`. A function that is no polynomial
# needs a recurrence, and its differential equation gives one. From :math:`y = \tanh u`
# follows :math:`y' = w\,u'` with :math:`w = 1 - y^2`; compare the coefficients of
# :math:`t^{k-1}`:
#
# .. math::
#
#     k\,y_k = \sum_{j=1}^{k} j\,u_j\,w_{k-j}, \qquad
#     w_k = -\sum_{j=0}^{k} y_j\,y_{k-j} \quad (k > 0)


def tanh(u):
    y = [math.tanh(u.c[0])]
    w = [1 - y[0] * y[0]]
    for k in range(1, len(u.c)):
        y.append(sum(j * u.c[j] * w[k - j] for j in range(1, k + 1)) / k)
        w.append(-sum(map(mul, y, y[::-1])))
    return Series(y)


tanh(Series([2.0, 1.0, 0.0]))

# %%
# The coefficients are more than derivatives: they are the function near the point, as
# far as the nearest singular point. That of tanh is at :math:`i\pi/2`, so a series at 0
# holds to 1.57, and more terms do not help beyond.

from diffmethods.plotting import plot_curves

x = np.linspace(-2.2, 2.2, 221)
curves = {"tanh x": np.tanh(x)}
for order in (3, 9, 27):
    c = dm.taylor(np.tanh, 0.0, order)
    curves[f"to order {order}"] = np.polynomial.polynomial.polyval(x, c)
title = "More terms help as far as the nearest singularity, and no further"
ax = plot_curves(x, curves, title=title, ylabel="y")
ax.axvspan(-np.pi / 2, np.pi / 2, alpha=0.12, color="#7A7A7A")
ax.set_ylim(-2, 2)

# %%
# Higher derivatives
# ------------------
# They are what series are for: the tenth derivative costs one run.

f10 = dm.derivative(np.tanh, method="taylor_series", order=10)(2.0)
c10 = tanh(Series([2.0, 1.0] + [0.0] * 9)).c[10]
assert math.isclose(f10, c10 * math.factorial(10), rel_tol=1e-11)
f10

# %%
# So does the three-hundredth. That of the exponential function is itself:

dm.derivative(np.exp, method="taylor_series", order=300)(1.0)

# %%
# On arrays
# ---------
# Each coefficient may be an array, and the recurrences run on all points together.

dm.derivative(np.tanh, method="taylor_series", order=4)(np.array([0.0, 1.0, 20.0]))

# %%
# Several variables
# -----------------
# A run follows one direction v, and expands :math:`f(x + t v)`. Its second coefficient
# is :math:`\tfrac12 v^T H v`, so three directions give a mixed partial derivative.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


z, e = np.array([2.0, 2.0]), np.eye(2)
second = [dm.taylor(g, z, 2, v)[2] for v in (e[0] + e[1], e[0], e[1])]
mixed = second[0] - second[1] - second[2]
assert math.isclose(mixed, 17 / math.cosh(2) ** 2, rel_tol=1e-13)
mixed

# %%
# The same holds for every order: the d-th coefficient is a homogeneous polynomial of
# the direction, and as many directions in whole numbers as it has terms determine it.
# That is the method of :cite:t:`griewank2000`. Say how often to differentiate by each
# variable:

fifth = dm.partial_derivative(g, z, (2, 3))
assert math.isclose(fifth, 6 * -2 * math.tanh(2) / math.cosh(2) ** 2, rel_tol=1e-12)
fifth

# %%
# Or take all partial derivatives of one order; here the third, ``g_xxy`` at
# ``[0, 0, 1]`` and at every turn of these indices. Two variables have four of them, so
# it takes four runs.

tensor = dm.derivative_tensor(g, z, 3)
assert math.isclose(
    tensor[0, 0, 1], 17 * -2 * math.tanh(2) / math.cosh(2) ** 2, rel_tol=1e-13
)
tensor

# %%
# The interpolation costs digits where the other terms are large. ``diffmethods`` nests
# series for a Hessian, which costs none.

dm.hessian(g, method="taylor_series")(z)

# %%
# Where it fails
# --------------
# At a kink there are two series, one for each side. ``diffmethods`` follows both, and
# gives the mean, as a central difference would; a function that only passes through a
# kink loses nothing.

[
    dm.derivative(abs, method="taylor_series")(0.0),
    dm.derivative(lambda x: abs(x) ** 2, method="taylor_series", order=2)(0.0),
    dm.derivative(lambda x: np.sqrt(x**4), method="taylor_series", order=2)(0.0),
]

# %%
# Dividing by a small number magnifies rounding with each order: sin(x) / x has all its
# derivatives near 0, and the quotient of the two series loses them. The function that
# knows its own recurrence keeps them: ``np.sinc``.

near, n = 0.05, 8
quotient = dm.derivative(lambda x: np.sin(x) / x, method="taylor_series", order=n)(near)
sinc = dm.derivative(lambda x: np.sinc(x / np.pi), method="taylor_series", order=n)(
    near
)
assert abs(quotient / sinc - 1) > 1e-9
quotient, sinc

# %%
# A function without a rule is refused by name.

try:
    dm.derivative(lambda x: np.nextafter(x, 2.0), method="taylor_series")(1.0)
except dm.errors.MissingRuleError as error:
    print(error)

# %%
# Cost
# ----
# A series of order n takes the square of n operations. Nested dual numbers multiply
# their work with every order. Measured here, at one point:

from time import perf_counter


def microseconds(method, order):
    df, best = dm.derivative(np.tanh, method=method, order=order), math.inf
    for _ in range(20):
        start = perf_counter()
        df(2.0)
        best = min(best, perf_counter() - start)
    return 1e6 * best


orders = np.arange(1, 7)
times = {
    name: [microseconds(method, int(n)) for n in orders]
    for name, method in (
        ("nested dual numbers", "dual_numbers"),
        ("one Taylor series", "taylor_series"),
    )
}
title = "Each order multiplies the cost of nesting, and adds little to a series"
ax = plot_curves(
    orders, times, title=title, xlabel="order of the derivative", ylabel="time in µs"
)
ax.set_yscale("log")

# %%
# See also
# --------
# - :cite:t:`griewank2008`, chapter 13, derive the recurrences.
# - JAX has the same idea as `jax.experimental.jet
#   <https://docs.jax.dev/en/latest/jax.experimental.jet.html>`_ (Bettencourt, Johnson
#   and Duvenaud, `2019 <https://openreview.net/forum?id=SkxEF3FNPH>`_).
