r"""
Complex step
============

Step along the imaginary axis, and the slope comes back as the imaginary part: a
difference without a subtraction, so without cancellation.
"""

# %%
# In one line
# -----------
# A step of :math:`10^{-200}`, which no difference of real numbers would survive:

import numpy as np

np.tanh(2 + 1e-200j).imag / 1e-200

# %%
# Through ``diffmethods`` the step suits the size of x by itself.

import diffmethods as dm

dm.derivative(np.tanh, method="complex_step")(2.0)

# %%
# How it works
# ------------
# Put an imaginary step into the Taylor series of an analytic function that is real for
# real arguments:
#
# .. math::
#
#     f(x + ih) = f(x) + ihf'(x) - \frac{h^2}{2} f''(x) - \frac{ih^3}{6} f'''(x) + \dots
#
# The imaginary part over :math:`h` is :math:`f'(x)`, up to :math:`h^2 f'''(x) / 6`. A
# real difference subtracts two nearly equal values and loses more digits the smaller
# the step. Here value and slope sit in separate parts of one number, and the step may
# be as small as the exponent allows.

from diffmethods.plotting import plot_errors

true = 0.07065082485316446569  # 1 / cosh(2)**2, from mpmath
h = np.logspace(-20, 0, 81)
errors = {
    "one-sided": (np.tanh(2 + h) - np.tanh(2)) / h / true - 1,
    "two-sided": (np.tanh(2 + h) - np.tanh(2 - h)) / (2 * h) / true - 1,
    "complex": np.tanh(2 + 1j * h).imag / h / true - 1,
}
title = "Shrinking the step ruins a real difference and perfects the complex one"
ax = plot_errors(h, errors, title=title, xlabel="step h", log_x=True)

# %%
# Higher derivatives
# ------------------
# The real part holds :math:`f''`, but behind :math:`f(x)`, so the subtraction is back:
# :math:`f''(x) \approx 2\,(f(x) - \operatorname{Re} f(x + ih)) / h^2`. What is left of
# :math:`-0.136218687427\dots`, by step:

steps = (1e-2, 1e-4, 1e-6, 1e-8)
{h: float(2 * (np.tanh(2) - np.tanh(2 + 1j * h).real) / h**2) for h in steps}

# %%
# ``diffmethods`` refuses instead, and names a method that keeps the digits.

try:
    dm.derivative(np.tanh, method="complex_step", order=2)
except dm.errors.OptionError as error:
    print(error)

# %%
# On arrays
# ---------
# The same line takes every item at once; here for :math:`x^3 + 2x^2 - 3x + 1`.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


polynomial(np.array([0.0, 1.0, 2.0]) + 1e-200j).imag / 1e-200

# %%
# Several variables
# -----------------
# One evaluation for each variable, with the step along its axis.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


z = np.array([2.0, 2.0])
native = np.array([g(z + 1e-200j * axis).imag / 1e-200 for axis in np.eye(2)])
assert np.allclose(native, dm.gradient(g, method="complex_step")(z), rtol=1e-14)
native

# %%
# Where it fails
# --------------
# ``abs`` of a complex number is its length. The imaginary part is gone, and the slope
# is 0 without a word; that of :math:`|x|^3` at 2 is 12. ``diffmethods`` asks the real
# part which way to go, as :cite:t:`martins2003` advise.


def cube(x):
    return abs(x) ** 3


wrong = cube(2 + 1e-200j).imag / 1e-200
assert wrong == 0
wrong, dm.derivative(cube, method="complex_step")(2.0)

# %%
# A function with complex numbers of its own mixes their rounding errors into the slope.
# This one is :math:`x^3 - 1`, as a product over its roots. ``diffmethods`` notices.

roots = np.exp(2j * np.pi * np.arange(3) / 3)
wrong = np.prod(2 + 1e-200j - roots).imag / 1e-200
assert abs(wrong - 12) > 1e100
try:
    dm.derivative(lambda x: np.prod(x - roots).real, method="complex_step")(2.0)
except dm.errors.NotDifferentiableError as error:
    print(f"{wrong:.3g} instead of 12\n{error}")

# %%
# Cost
# ----
# One evaluation for each variable, but of complex numbers, and those are dearer.

dm.compare(np.tanh, 2.0, methods=["complex_step", "central_difference", "dual_numbers"])

# %%
# See also
# --------
# - :cite:t:`lyness1967` differentiate by complex arithmetic, :cite:t:`squire1998`
#   reduce it to one line, :cite:t:`martins2003` carry it through whole programs.
# - NumPy tells in the ``types`` of each of its `universal functions
#   <https://numpy.org/doc/stable/reference/ufuncs.html>`_ whether it takes complex
#   numbers.
