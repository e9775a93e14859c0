r"""
Dual numbers
============

Carry the slope beside the value, and the chain rule happens by itself.
"""

# %%
# In one line
# -----------
# Make a number of two parts that multiplies by
# :math:`(a + b\varepsilon)(c + d\varepsilon) = ac + (ad + bc)\,\varepsilon`, as if
# :math:`\varepsilon^2` were 0.

from dataclasses import dataclass


@dataclass
class Dual:
    a: float
    b: float = 0.0

    def __add__(self, other):
        other = lifted(other)
        return Dual(self.a + other.a, self.b + other.b)

    def __mul__(self, other):
        other = lifted(other)
        return Dual(self.a * other.a, self.a * other.b + self.b * other.a)

    def __sub__(self, other):
        return self + -1 * lifted(other)

    def __rsub__(self, other):
        return lifted(other) - self

    __radd__, __rmul__ = __add__, __mul__


def lifted(x):
    return x if isinstance(x, Dual) else Dual(x)


# %%
# Then the one line calls the function at :math:`2 + \varepsilon`. The answer is
# :math:`11 + 17\,\varepsilon`, the value and the slope.


def polynomial(x):
    return x * x * x + 2 * x * x - 3 * x + 1


polynomial(Dual(2, 1))

# %%
# ``diffmethods`` has such numbers for all of NumPy.

import numpy as np

import diffmethods as dm

dm.value_and_derivative(polynomial, method="dual_numbers")(2.0)

# %%
# How it works
# ------------
# Expand a polynomial at :math:`a + b\varepsilon`. Every power of :math:`\varepsilon`
# from the second on is 0, and Taylor's series ends after two terms:
#
# .. math::
#
#     P(a + b\varepsilon) = P(a) + b\,P'(a)\,\varepsilon
#
# So a dual number is a point with an arrow, and the function moves both.

from diffmethods.plotting import plot_curves

x = np.linspace(-3.3, 1.8, 201)
title = "P takes each point with its arrow to the curve and its tangent"
ax = plot_curves(x, {"P(x)": polynomial(x)}, title=title, ylabel="P(x)")
arrow = {"arrowstyle": "->", "color": "#D55E00", "linewidth": 2}
for a in (-3, -2, -1, 0, 1):
    image = polynomial(Dual(a, 0.4))
    ax.annotate("", (a + 0.4, image.a + image.b), (a, image.a), arrowprops=arrow)

# %%
# A function that is no polynomial needs one line that says :math:`f(a + b\varepsilon) =
# f(a) + b f'(a)\,\varepsilon`:


def tanh(x):
    y = np.tanh(x.a)
    return Dual(y, (1 - y * y) * x.b)


tanh(Dual(2.0, 1.0))

# %%
# Higher derivatives
# ------------------
# Put dual numbers into a dual number: the slope of the slope is :math:`6x + 4`, and 16
# at 2.

polynomial(Dual(Dual(2, 1), Dual(1, 0))).b.b

# %%
# ``diffmethods`` nests them to any order; these are the second to fourth derivatives.

[dm.derivative(polynomial, method="dual_numbers", order=n)(2.0) for n in (2, 3, 4)]

# %%
# On arrays
# ---------
# The parts may be arrays: NumPy's arithmetic carries all slopes at once.

x = np.array([0.0, 1.0, 2.0])
slopes = polynomial(Dual(x, 1.0)).b
assert np.array_equal(slopes, dm.derivative(polynomial, method="dual_numbers")(x))
slopes

# %%
# Several variables
# -----------------
# A run follows one direction. Start it along each axis in turn, and the slopes make the
# gradient.


def g(x, y):
    return tanh(x) * polynomial(y)


[g(Dual(2.0, 1.0), Dual(2.0, 0.0)).b, g(Dual(2.0, 0.0), Dual(2.0, 1.0)).b]

# %%
# With ``diffmethods`` the arguments make one array.


def h(z):
    return np.tanh(z[0]) * polynomial(z[1])


z = np.array([2.0, 2.0])
dm.gradient(h, method="dual_numbers")(z), dm.hessian(h, method="dual_numbers")(z)

# %%
# Where it fails
# --------------
# Where two derivatives nest, each needs an :math:`\varepsilon` of its own. The class
# above has one for all, and counts the outer slope as part of the inner one:
# *perturbation confusion*, as :cite:t:`siskind2008` call it. The inner slope, of
# :math:`x + y` by :math:`y`, is 1, and so is the outer one, of :math:`x \cdot 1`.
# ``diffmethods`` numbers its derivatives.


def slope(f):
    return lambda x: lifted(f(Dual(x, 1))).b


def nested(d):
    return d(lambda x: x * d(lambda y: x + y)(1))(1)


assert nested(slope) == 2
nested(slope), nested(dm.derivative)

# %%
# The rule :math:`1 - y^2` for tanh has lost all digits at 20. ``diffmethods`` has one
# that keeps them; the true slope is :math:`1.6993417021166355 \cdot 10^{-17}`.

assert tanh(Dual(20.0, 1.0)).b == 0
tanh(Dual(20.0, 1.0)).b, dm.derivative(np.tanh, method="dual_numbers")(20.0)

# %%
# What does not go through NumPy is out of sight, and refused.

import math

try:
    dm.derivative(math.tanh, method="dual_numbers")(2.0)
except dm.errors.TracedValueError as error:
    print(error)

# %%
# Cost
# ----
# One run for each variable, whatever the number of results. A run is the work of the
# function and of its rules, done once; on a single number Python's own time prevails.

dm.compare(np.tanh, 2.0, methods=["dual_numbers", "central_difference"])

# %%
# See also
# --------
# - :cite:t:`clifford1871` invented dual numbers; :cite:t:`wengert1964` let a computer
#   carry slopes along; :cite:t:`siskind2008` nest them rightly.
# - NumPy's `protocol <https://numpy.org/doc/stable/reference/arrays.classes.html>`_
#   hands each call on such a number to the number itself.
