r"""
Analytic derivatives
====================

Look the rule up, write the derivative down, and keep it as a second function. Every
other method is measured against this one, and only here do you do the work.
"""

# %%
# In one line
# -----------
# The derivative of :math:`\tanh x` is :math:`1 - \tanh^2 x`. The value and the slope at
# 2:

import math

math.tanh(2.0), 1 - math.tanh(2.0) ** 2

# %%
# In ``diffmethods`` the analytic derivative is the judge rather than a method: hand it
# to ``compare`` as ``exact``. Here it is :math:`1 / \cosh^2 x`, the same derivative in
# a form that keeps its digits.

import numpy as np

import diffmethods as dm

some = ["central_difference", "dual_numbers"]
dm.compare(np.tanh, 2.0, exact=lambda x: 1 / np.cosh(x) ** 2, methods=some)

# %%
# How it works
# ------------
# A few elementary derivatives and four rules of combination reach every formula:
#
# =======================================  =============================================
# elementary functions                     combinations
# =======================================  =============================================
# :math:`(x^n)' = n x^{n-1}`               :math:`(u + v)' = u' + v'`
# :math:`(e^x)' = e^x`                     :math:`(u v)' = u' v + u v'`
# :math:`(\sinh x)' = \cosh x`             :math:`(u / v)' = (u' v - u v') / v^2`
# :math:`(\cosh x)' = \sinh x`             :math:`(u(v))' = u'(v)\, v'`
# =======================================  =============================================
#
# The quotient rule turns :math:`\tanh x = \sinh x / \cosh x` into
# :math:`(\cosh^2 x - \sinh^2 x) / \cosh^2 x = 1 - \tanh^2 x`.

from diffmethods.plotting import plot_curves, plot_errors


def slope(x):
    return 1 - np.tanh(x) ** 2


x = np.linspace(-4, 4, 401)
curves = {"f(x) = tanh x": np.tanh(x), "f '(x) = 1 - tanh² x": slope(x)}
title = "tanh x climbs with slope 1 at 0 and is all but flat beyond 3"
ax = plot_curves(x, curves, title=title, ylabel="value")

# %%
# Higher derivatives
# ------------------
# Apply the rules again. :math:`p(x) = x^3 + 2x^2 - 3x + 1` loses a power each time,
# down to 6 and 0. Here are it and its first two derivatives, at 2.

p = [lambda x: x**3 + 2 * x**2 - 3 * x + 1]
p += [lambda x: 3 * x**2 + 4 * x - 3, lambda x: 6 * x + 4]
[f(2) for f in p]

# %%
# On arrays
# ---------
# A derivative written in NumPy is an elementwise function like any other.

slope(np.array([[0.0, 0.5], [1.0, 2.0]]))

# %%
# Several variables
# -----------------
# One formula for each variable: here for :math:`g(x, y) = \tanh(x)\, p(y)`. Check work
# by hand against something that cannot make the same slip.


def gradient(z):
    return np.array([slope(z[0]) * p[0](z[1]), np.tanh(z[0]) * p[1](z[1])])


z = np.array([2.0, 2.0])
assert np.allclose(gradient(z), dm.gradient(lambda z: np.tanh(z[0]) * p[0](z[1]))(z))
gradient(z)

# %%
# Where it fails
# --------------
# A right formula can make a wrong program. At 2 the subtraction :math:`1 - \tanh^2 x`
# has lost its last digit, and by 20 all of them: the slope there is
# :math:`1.6993417021166355 \cdot 10^{-17}`, not 0. Another form of the same derivative
# subtracts nothing: :math:`4e / (1 + e)^2` with :math:`e = \exp(-2|x|)`.


def careful(x):
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2


assert slope(20.0) == 0
assert abs(careful(20.0) / 1.6993417021166355e-17 - 1) < 1e-15
slope(20.0), careful(20.0)

# %%
# Thirty digits of mpmath tell how far off each form is.

import mpmath

x = np.arange(0.25, 25, 0.25)
with mpmath.workdps(30):
    true = np.array([float(mpmath.sech(point) ** 2) for point in x])
errors = {"1 - tanh² x": slope(x) / true - 1, "4e / (1 + e)²": careful(x) / true - 1}
title = "1 - tanh² x has lost every digit by x = 19"
ax = plot_errors(x, errors, title=title, xlabel="x")

# %%
# Cost
# ----
# No evaluation of the function and one of the derivative, once a person has found it.
# The time that the derivative takes over the time that tanh takes:

from timeit import repeat

x = np.linspace(-3, 3, 1000)
times = [min(repeat(lambda f=f: f(x), number=200)) for f in (np.tanh, slope)]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - The Digital Library of Mathematical Functions tabulates derivatives; section 4.34
#   has `those of the hyperbolic functions <https://dlmf.nist.gov/4.34>`_.
# - Automatic differentiation is built on such a table: see :cite:t:`griewank2008`.
