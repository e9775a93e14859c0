r"""
Chebyshev interpolation
=======================

Interpolate f around x by a polynomial. How fast its coefficients fall tells which
interval is best, how noisy f is, and how wrong the derivative may be.
"""

# %%
# In one line
# -----------
# NumPy interpolates in Chebyshev's points, here from 1 to 3, and differentiates the
# polynomial. The slope of :math:`\tanh x` at 2 is :math:`0.0706508248531\dots`:

import numpy as np
from numpy.polynomial import Chebyshev

Chebyshev.interpolate(np.tanh, deg=24, domain=[1, 3]).deriv()(2.0)

# %%
# ``diffmethods`` needs 10 evaluations, as it chooses the interval.

import diffmethods as dm

dm.derivative(np.tanh, method="chebyshev")(2.0)

# %%
# How it works
# ------------
# On an interval :math:`[x - h, x + h]` write f as a sum of Chebyshev polynomials,
#
# .. math:: f(x + ht) \approx \sum_k c_k T_k(t), \qquad
#           f'(x) \approx \frac{1}{h} \sum_k c_k T_k'(0)
#           = \frac{c_1 - 3c_3 + 5c_5 - \dots}{h}.
#
# The coefficients of an analytic function fall like a geometric series, faster for a
# shorter interval, until only the noise of f is left: its rounding, or more. The best h
# is the longest for which the last coefficient has fallen as far. So one look at 10
# coefficients tells the next h. With h a power of two and nodes of 20 bits,
# :math:`x + ht` carries no rounding. :cite:t:`aurentz2017` find the end of a series in
# the same way.

from diffmethods.plotting import plot_errors

k = np.arange(16)


def coefficients(f, h):
    return np.abs(Chebyshev.interpolate(f, deg=15, domain=[2 - h, 2 + h]).coef)


spectra = {
    "h = 1": coefficients(np.tanh, 1),
    "h = 1/8": coefficients(np.tanh, 1 / 8),
    "h = 1/8, f rounded to 8 digits": coefficients(
        lambda x: np.round(np.tanh(x), 8), 1 / 8
    ),
}
ax = plot_errors(
    k,
    spectra,
    title="Coefficients fall to the noise of f, and stay there",
    xlabel="degree k",
    ylabel="size of the coefficient",
)

# %%
# ``solve`` tells what was found, in the manner of SciPy's result objects.

from diffmethods.methods import chebyshev

found = chebyshev.solve(lambda x: np.round(np.tanh(x), 8), 2.0)
print(f"slope {found.df:.9f}, off by {found.df - 1 / np.cosh(2) ** 2:.0e}")
print(f"estimated error {found.error:.0e}, noise of f {found.noise:.0e}")

# %%
# A ``step`` is a hint where the size of x says nothing of f, and ``max_evaluations`` is
# a budget. Here the first interval holds a hundred thousand waves, and the search takes
# a while:

fast = lambda x: np.sin(1e7 * x)
for options in ({}, {"max_evaluations": 22}, {"step": 1e-8}):
    found = chebyshev.solve(fast, 1.0, **options)
    print(f"{options}: {found.nfev} evaluations, success {found.success}")

# %%
# Higher derivatives
# ------------------
# They come from the same coefficients and more nodes, up to order 12. Each loses about
# a digit, as real samples can tell no more of a smooth function. The estimate says how
# much is left.

for order in range(1, 6):
    found = chebyshev.solve(np.tanh, 2.0, order)
    print(
        f"{order}: {found.df:+.13f}, error {found.error:.0e}, {found.nfev} evaluations"
    )

# %%
# On arrays
# ---------
# Each item has an interval of its own, all are evaluated in the same calls of f, and
# only those that are not finished go on. The second item of this array waves 1000 times
# faster:

rate, x = np.array([1.0, 1000.0, 2.0]), np.array([1.0, 1.0, 3.0])
found = chebyshev.solve(lambda x: np.sin(rate * x), x)
print(found.df / (rate * np.cos(rate * x)) - 1)
found.nfev

# %%
# Several variables
# -----------------
# One interval for each direction: the gradient of n variables takes 10 n calls of f. A
# Hessian comes from second derivatives along the axes and between them.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


dm.gradient(g, method="chebyshev")(np.array([2.0, 2.0]))

# %%
# Between bounds f is never evaluated outside, and at one of them the interval lies on
# one side. So :math:`\sin \sqrt x / \sqrt x`, which needs x from 0 on, has a slope at
# 0. It is :math:`-1/6`.


def wave(x):
    root = np.sqrt(x)
    return np.sinc(root / np.pi)


dm.derivative(wave, method="chebyshev", bounds=(0, np.inf))(0.0)

# %%
# Where it fails
# --------------
# At a kink, where no interval is short enough. It says so instead of giving a number,
# and likewise when the noise of f leaves too few digits.

for f in (np.abs, lambda x: np.round(np.exp(x), 1)):
    try:
        dm.derivative(f, method="chebyshev")(0.0)
    except dm.errors.NotDifferentiableError as error:
        print(error)

# %%
# What lies between the nodes is not seen. A spike of width 0.0001 is missed:


def spike(x):
    return x + np.exp(-((1e4 * (x - 1)) ** 2))


seen = chebyshev.solve(spike, 1.0001).df
true = 1 - 2e4 * np.exp(-1)
assert abs(seen - 1) < 1e-9
seen, true

# %%
# Cost
# ----
# Mostly 10 evaluations in three calls, and 12 more where the first interval does not
# fit: 11 on average over 280 problems. SciPy's adaptive differences take as many. The
# outermost nodes are evaluated alone. So a function that mixes what it gets in one
# call, such as ``x / np.max(x)``, is found out, and evaluated at one number at a time.

dm.compare(np.tanh, 2.0, methods=["central_difference", "chebyshev", "richardson"])

# %%
# See also
# --------
# - :cite:t:`trefethen2013` on interpolation in Chebyshev's points, and why coefficients
#   fall as they do.
# - :ref:`sphx_glr_auto_examples_numerical_plot_cauchy_integral.py` for high orders,
#   where f takes complex numbers.
# - `scipy.differentiate
#   <https://docs.scipy.org/doc/scipy/reference/differentiate.html>`_ fits polynomials,
#   too, with steps that shrink by a constant.
