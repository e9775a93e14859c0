r"""
Newton's method
===============

Follow the tangent to where it crosses zero, and start again from there. With a true
slope the number of right digits doubles in every step.
"""

# %%
# In one line
# -----------

import numpy as np

import diffmethods as dm


def f(x):
    return x**3 + 2 * x**2 - 3 * x + 1


slope = dm.derivative(f)
x = -4.0
for _ in range(6):
    x = x - f(x) / slope(x)
    print(f"{x:.15f}   f = {f(x):+.0e}")

# %%
# How fast
# --------
# Taylor's theorem around the root r gives the error of a step:
#
# .. math:: x_{k+1} - r \approx \frac{f''(r)}{2 f'(r)} \, (x_k - r)^2.
#
# Derivatives of :func:`~diffmethods.derivative` have any order, so Halley's method
# costs one more line, and triples the digits. Without derivatives there is the secant
# through the last two points, with 1.6 times the digits.

root = np.roots([1, 2, -3, 1]).real.min()
root = root - f(root) / slope(root)
curve = dm.derivative(f, order=2)


def newton(x, _):
    return x - f(x) / slope(x)


def halley(x, _):
    y, dy, ddy = f(x), slope(x), curve(x)
    return x - 2 * y * dy / (2 * dy**2 - y * ddy)


def secant(x, before):
    return x - f(x) * (x - before) / (f(x) - f(before))


def constant_slope(x, _):
    return x - f(x) / slope(-4.0)


def errors(step, start=-4.0, before=-4.5):
    found = [before, start]
    while abs(found[-1] - root) > 1e-12 and len(found) < 12:
        found.append(step(*found[:-3:-1]))
    return np.abs(np.array(found[1:]) - root)


# %%
# A line of steepness p in this figure is a method of order p: the next error is like
# the p-th power of the last one.

import matplotlib.pyplot as plt

from diffmethods.plotting import STYLES

fig, ax = plt.subplots()
steps = {
    "Halley": halley,
    "Newton": newton,
    "secant": secant,
    "slope of the start": constant_slope,
}
for (name, step), style in zip(steps.items(), STYLES, strict=False):
    error = np.maximum(errors(step), 1e-16)
    ax.loglog(error[:-1], error[1:], label=name, **style)
known = errors(newton)[:-1]
theory = abs(curve(root) / (2 * slope(root)))
ax.loglog(known, theory * known**2, color="black", linewidth=1, label="theory, Newton")
ax.set(xlabel="error before the step", ylabel="error after the step", ylim=(1e-16, 10))
ax.legend()
title = ax.set_title("Newton doubles the digits with each step, Halley triples them")

# %%
# The order of each, from two steps in a row:


def order(error):
    error = error[error > 1e-12]
    return np.log(error[-1] / error[-2]) / np.log(error[-2] / error[-3])


for name, step in steps.items():
    print(
        f"{name:18s} {len(errors(step)) - 1:2d} steps, order {order(errors(step)):.1f}"
    )
assert abs(order(errors(newton)) - 2) < 0.2
assert abs(order(errors(halley)) - 3) < 0.4
assert abs(order(errors(constant_slope)) - 1) < 0.1

# %%
# Where it fails
# --------------
# At a double root the slope is 0 together with f. Every step halves the error, and no
# more. Where there is no root at all, the steps wander.


def double(x):
    return (x - 1) ** 2 * (x + 2)


x, dd = 2.0, dm.derivative(double)
for _ in range(20):
    before, x = x, x - double(x) / dd(x)
assert abs((x - 1) / (before - 1) - 0.5) < 1e-3
x - 1, (x - 1) / (before - 1)

# %%
# Several variables
# -----------------
# The slope becomes the Jacobian, the division a linear system.


def circle_and_wave(z):
    return np.stack([z[0] ** 2 + z[1] ** 2 - 4, z[1] - np.sin(3 * z[0])])


jac = dm.jacobian(circle_and_wave)
z = np.array([1.8, -0.8])
for _ in range(6):
    z = z - np.linalg.solve(jac(z), circle_and_wave(z))
assert np.max(np.abs(circle_and_wave(z))) < 1e-14
z, circle_and_wave(z)

# %%
# Give the solvers of SciPy such a Jacobian as ``jac=``, and use a slope that is exact
# near the root: a rough one leaves Newton's method with one digit or two a step.
#
# See also
# --------
# - :ref:`sphx_glr_auto_examples_applications_plot_newton_cg.py`, for a minimum in many
#   variables.
# - :ref:`sphx_glr_auto_examples_applications_plot_implicit_differentiation.py`
#   differentiates a root, whichever method found it.
# - :ref:`sphx_glr_auto_examples_forward_plot_taylor_series.py` gives all orders in one
#   run.
