r"""
Central difference
==================

Evaluate f on both sides of x, and the largest error cancels: three more digits than a
forward difference has, for as many evaluations or one more.
"""

# %%
# In one line
# -----------
# The slope of :math:`\tanh x` at 2, which is :math:`0.0706508248531\dots`, with a step
# of one millionth:

import numpy as np

h = 1e-6
(np.tanh(2 + h) - np.tanh(2 - h)) / (2 * h)

# %%
# ``diffmethods`` reproduces it from the same step, and otherwise chooses a better one.

import diffmethods as dm

slope = dm.derivative(np.tanh, method="central_difference", step=h)(2.0)
assert slope == (np.tanh(2 + h) - np.tanh(2 - h)) / (2 * h)
dm.derivative(np.tanh, method="central_difference")(2.0)

# %%
# How it works
# ------------
# In Taylor's series on either side the even terms are the same, and the subtraction
# removes them. What is left falls with the square of the step, or with any even power,
# the ``accuracy``, with more nodes. :doc:`/explanation/finite-differences` says more.
#
# .. math:: \frac{f(x + h) - f(x - h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + O(h^4)

import matplotlib.pyplot as plt

x, at, true = np.linspace(-0.5, 1.8, 93), 0.5, 1 / np.cosh(0.5) ** 2
fig, ax = plt.subplots()
ax.plot(x, np.tanh(x), color="black", label="tanh x")
for sides, style, color in ((1, "--o", "#D55E00"), (2, "-.s", "#0072B2")):
    ends = np.array([at + 0.5 - 0.5 * sides, at + 0.5])
    error = np.diff(np.tanh(ends)) / np.diff(ends) / true - 1
    label = f"{sides}-sided secant: slope off by {error[0]:.0%}"
    ax.plot(ends, np.tanh(ends), style, color=color, label=label)
ax.plot(x, np.tanh(at) + true * (x - at), ":", color="#008F68", label="tangent")
ax.set(xlabel="x", ylabel="value", ylim=(-0.7, 1.4))
legend = ax.legend(frameon=False)
title = ax.set_title("The secant through both sides is all but parallel to the tangent")

# %%
# Higher derivatives
# ------------------
# Fornberg's weights give any order with any even accuracy. Each order loses digits, as
# rounding is divided by a higher power of the step. More nodes allow a longer one.

import mpmath

orders = range(1, 7)
true = [float(mpmath.diff(mpmath.tanh, 2, n)) for n in orders]
fig, ax = plt.subplots()
for p, style in zip((2, 4, 6, 8), ("o-", "s--", "^-.", "D:"), strict=True):
    options = {"method": "central_difference", "accuracy": p}
    found = [dm.derivative(np.tanh, order=n, **options)(2.0) for n in orders]
    ax.semilogy(orders, np.abs(np.divide(found, true) - 1), style, label=p)
ax.set(xlabel="order of the derivative", ylabel="relative error at x = 2")
legend = ax.legend(frameon=False, title="accuracy")
title = ax.set_title("Each order costs digits, and accuracy buys them back")

# %%
# On arrays
# ---------
# The line works on arrays as it stands. ``diffmethods`` calls f once a node for the
# whole array, each item with a step of its own.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


x, h = np.array([0.0, 1.0, 2.0]), 1e-6
print((polynomial(x + h) - polynomial(x - h)) / (2 * h))
dm.derivative(polynomial, method="central_difference")(x)

# %%
# Several variables
# -----------------
# Move one variable at a time: 2n evaluations of f for a gradient. A Hessian takes
# longer steps, along the axes and between every two of them.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


z, h = np.array([2.0, 2.0]), 1e-6
print(np.array([g(z + h * e) - g(z - h * e) for e in np.eye(2)]) / (2 * h))
dm.hessian(g, method="central_difference")(z)

# %%
# Where it fails
# --------------
# The step suits a function that varies over distances of 1 or of x. The logarithm at
# :math:`10^{-5}` varies faster, and the answer is wrong by 5% without a sign of it.
# Give a shorter ``step``. Only a node outside the domain is noticed.

for step in (None, 1e-10):
    print(dm.derivative(np.log, method="central_difference", step=step)(1e-5))
try:
    dm.derivative(np.log, method="central_difference", accuracy=8)(1e-3)
except dm.errors.NotDifferentiableError as error:
    print(error)

# %%
# Cost
# ----
# As many evaluations a variable as the accuracy. The default, 2, keeps within 4e-6 of
# x; accuracy 4 reaches 1e-3 far, and gains two digits where f is smooth over that.

dm.compare(np.tanh, 2.0, methods=["forward_difference", "central_difference"])

# %%
# See also
# --------
# - :cite:t:`fornberg1988` gives the weights for any nodes.
# - :ref:`sphx_glr_auto_examples_comparisons_plot_step_against_error.py`
# - `scipy.differentiate
#   <https://docs.scipy.org/doc/scipy/reference/differentiate.html>`_ adapts the step.
