r"""
Forward difference
==================

Move x a little, and divide the change of f by the move. It needs nothing but values of
f, and of all methods the fewest; half of the digits are lost.
"""

# %%
# In one line
# -----------
# The slope of :math:`\tanh x` at 2, which is :math:`0.0706508248\dots`, with a step of
# one millionth:

import numpy as np

h = 1e-6
(np.tanh(2 + h) - np.tanh(2)) / h

# %%
# ``diffmethods`` reproduces it from the same step, and otherwise chooses a better one.

import diffmethods as dm

slope = dm.derivative(np.tanh, method="forward_difference", step=h)(2.0)
assert slope == (np.tanh(2 + h) - np.tanh(2)) / h
dm.derivative(np.tanh, method="forward_difference")(2.0)

# %%
# How it works
# ------------
# A derivative is the limit of such quotients; stop before the limit. By Taylor's series
# the error is in proportion to the step:
#
# .. math:: \frac{f(x + h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + O(h^2)
#
# A shorter step helps until the rounding of the values, about :math:`10^{-16}`, over
# :math:`h` prevails. :doc:`/explanation/finite-differences` derives the best step.

import matplotlib.pyplot as plt

x, at, true = np.linspace(-0.3, 2.1, 97), 0.5, 1 / np.cosh(0.5) ** 2
fig, ax = plt.subplots()
ax.plot(x, np.tanh(x), color="black", label="tanh x")
for h, style, color in ((1.0, "--o", "#D55E00"), (0.25, "-.s", "#0072B2")):
    ends = np.array([at, at + h])
    error = np.diff(np.tanh(ends)) / h / true - 1
    label = f"secant, h = {h}: slope off by {error[0]:.0%}"
    ax.plot(ends, np.tanh(ends), style, color=color, label=label)
ax.plot(x, np.tanh(at) + true * (x - at), ":", color="#008F68", label="tangent")
ax.set(xlabel="x", ylabel="value", ylim=(-0.4, 1.3))
legend = ax.legend(frameon=False)
title = ax.set_title("A quarter of the step leaves about a quarter of the error")

# %%
# Higher derivatives
# ------------------
# Differences of differences. Each order divides by one more :math:`h`, so the step must
# be longer. More nodes, with Fornberg's weights, raise the ``accuracy``: the power of
# :math:`h` in the error. Here :math:`f'' = -0.1362186874\dots` in both ways.

h = 1e-5
print((np.tanh(2 + 2 * h) - 2 * np.tanh(2 + h) + np.tanh(2)) / h**2)
dm.derivative(np.tanh, method="forward_difference", order=2, accuracy=4)(2.0)

# %%
# On arrays
# ---------
# The line works on arrays as it stands, with one step for all. ``diffmethods`` gives
# every item a step that suits its size. The errors for :math:`x^3 + 2x^2 - 3x + 1`:


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


x = np.array([0.0, 2.0, 2e6])
exact = 3 * x**2 + 4 * x - 3
print((polynomial(x + 1e-8) - polynomial(x)) / 1e-8 / exact - 1)
dm.derivative(polynomial, method="forward_difference")(x) / exact - 1

# %%
# Several variables
# -----------------
# Move one variable at a time: n + 1 evaluations of f for the gradient by n variables.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


z, h = np.array([2.0, 2.0]), 1e-8
print(np.array([g(z + h * e) - g(z) for e in np.eye(2)]) / h)
dm.gradient(g, method="forward_difference")(z)

# %%
# Where it fails
# --------------
# At a kink it gives the slope to the right. Noise in f is divided by the step as
# rounding is: of a tanh with eight decimals no slope is left, and the answer is 0. A
# longer step brings it back. Only a node outside the domain is noticed.

noisy = lambda x: np.round(np.tanh(x), 8)
for step in (None, 1e-4):
    print(dm.derivative(noisy, method="forward_difference", step=step)(2.0))
try:
    dm.derivative(np.arcsin, method="forward_difference", step=1e-3)(0.9999)
except dm.errors.NotDifferentiableError as error:
    print(error)

# %%
# Cost
# ----
# One evaluation beside f(x) a variable; central differences take two for three digits.

dm.compare(np.tanh, 2.0, methods=["forward_difference", "central_difference"])

# %%
# See also
# --------
# - :cite:t:`fornberg1988` gives the weights for any nodes.
# - :ref:`sphx_glr_auto_examples_comparisons_plot_step_against_error.py`
# - `scipy.optimize.approx_fprime
#   <https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.approx_fprime.html>`_
#   is this method in SciPy.
