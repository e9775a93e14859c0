r"""
A step of the wrong size
========================

A step that is right near 1 is too short at :math:`10^{10}`. One that grows with x is
too long there.
"""

# %%
# What you would write
# --------------------
# A central difference of the sine, with the usual step of one millionth, and with that
# step in proportion to x:

import numpy as np


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


x = 1e10
absolute = central(np.sin, x, 1e-6)
relative = central(np.sin, x, 1e-6 * x)

# %%
# What comes out
# --------------
# The slope is :math:`\cos x = 0.873`. One is too large by a factor of 2, the other is
# nearly 0.

import mpmath

true = float(mpmath.cos(x))
assert absolute > 1.5 * true
assert abs(relative) < 0.01 * true
absolute, relative, true

# %%
# Even shorter, and both points are x itself.

assert central(np.sin, x, 1e-7) == 0
central(np.sin, x, 1e-7)

# %%
# All steps between :math:`10^{-9}` and :math:`10^5`, here and at 1:

from matplotlib import pyplot as plt

steps = np.geomspace(1e-9, 1e5, 281)
_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for at, style, color in [(1.0, "-", "#0072B2"), (x, "--", "#D55E00")]:
    slopes = central(np.sin, at, steps)
    errors = np.abs(slopes / float(mpmath.cos(at)) - 1)
    ax.loglog(steps, errors, style, color=color, linewidth=1.2, label=f"x = {at:g}")
for h, name in [(1e-6, "$10^{-6}$"), (1e-6 * x, "$10^{-6} x$")]:
    ax.axvline(h, color="#7A7A7A", linestyle=":")
    ax.annotate(name, (h, 60), (4, 0), textcoords="offset points")
best = steps[np.argmin(errors)]
ax.set(
    title=f"At 10¹⁰ the best step is about {best:.1g}: neither rule finds it",
    xlabel="step h",
    ylabel="relative error of the slope",
    ylim=(1e-12, 1e3),
)
ax.legend(loc="lower right")
plt.show()

# %%
# Why
# ---
# Two lengths bound the step, and only one of them is known.
#
# - From below, the spacing of numbers at x: here :math:`2 \cdot 10^{-6}`. The points
#   are rounded to it, so the step that is made is not the step that is divided by.
# - From above, the distance over which f varies. For the sine that is 1, at every x. A
#   relative step of 10,000 goes round the circle more than a thousand times.

assert np.spacing(x) > 1e-6
(x + 1e-6) - x, (x - 1e-6) - x, np.spacing(x)

# %%
# A relative step is right for functions without a scale of their own, such as powers
# and logarithms, and wrong for waves and for what is measured from an origin far away:
# time in seconds since 1970, coordinates of a map.

# %%
# What to do instead
# ------------------
# Give a step from what you know of f, and divide by the step that was made. A power of
# two is made exactly.

h = 2.0**-10
mended = central(np.sin, x, h)
assert abs(mended / true - 1) < 1e-6
mended, mended / true - 1

# %%
# Better still, shift the origin before you differentiate: :math:`g(t) = f(x + t)` at 0,
# if f can be written so that no digits are lost.
#
# Our differences choose a relative step, which is as wrong here as any. ``richardson``
# and ``chebyshev`` estimate the error: one refuses, and the other finds the scale.

import diffmethods as dm

wrong = dm.derivative(np.sin, method="central_difference")(x)
assert abs(wrong) < 0.01
try:
    dm.derivative(np.sin, method="richardson")(x)
except dm.errors.NotDifferentiableError as error:
    print(error)
found = dm.derivative(np.sin, method="chebyshev")(x)
assert abs(found / true - 1) < 1e-12
wrong, found

# %%
# Exact methods have no step.

exact = dm.derivative(np.sin)(x)
assert exact == true
exact

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_comparisons_plot_step_against_error.py`: both errors,
#   with their theory.
# - :doc:`/explanation/finite-differences`.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_aliasing.py`.
