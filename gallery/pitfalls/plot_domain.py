r"""
A step out of the domain
========================

Near the edge of where a function is defined, one of the points of a difference falls
over it. NaN is the lucky case.
"""

# %%
# What you would write
# --------------------
# Two-sided differences with a step of 0.01, of two functions, at 0.001:

import numdifftools
import numpy as np


def central(f, x, h=0.01):
    return (f(x + h) - f(x - h)) / (2 * h)


def reciprocal(x):
    return 1 / x


x = 0.001
with np.errstate(invalid="ignore"):
    of_log, of_reciprocal = central(np.log, x), central(reciprocal, x)

# %%
# What comes out
# --------------
# NaN for the logarithm, whose slope is 1000. For the reciprocal a number with the wrong
# sign: the slope is -1,000,000.

assert np.isnan(of_log)
assert of_reciprocal > 10_000
of_log, of_reciprocal

# %%
# The points lie on two branches. The line through them goes up.

from matplotlib import pyplot as plt

_, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for side in (-1, 1):
    t = side * np.geomspace(0.0008, 0.02, 200)
    ax.plot(t, reciprocal(t), color="#0072B2", label="1/x" if side > 0 else None)
ends = np.array([x - 0.01, x + 0.01])
ax.plot(ends, reciprocal(ends), "o--", color="#D55E00", label="the difference")
ax.plot(x, reciprocal(x), "D", color="black", label="where the slope is wanted")
ax.set(
    title="Two points on two branches: the slope changes its sign",
    xlabel="x",
    ylabel="1/x",
    ylim=(-1300, 1300),
)
ax.legend(loc="lower right")
plt.show()

# %%
# A library that chooses its steps has the same trouble. Its estimate of the error does
# not cover the error:

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    by_library = {
        f.__name__: numdifftools.Derivative(f, full_output=True)(x)
        for f in (np.log, reciprocal)
    }
assert np.isnan(by_library["log"].estimate)
pole = by_library["reciprocal"]
assert pole.estimate > 0
assert pole.estimate + 1e6 > 1000 * pole.error_estimate
for name, found in by_library.items():
    print(f"{name}: {found.estimate:.3g} ± {found.error_estimate:.1e}")

# %%
# Why
# ---
# A step is chosen by the size of x, at best. The distance to the edge is another
# length, and no program can see it in the value at x. If the function is NaN outside,
# the difference is NaN. If it is finite there, as beyond a pole or where a program
# clips its argument, nothing looks wrong.

# %%
# What to do instead
# ------------------
# Say where the edge is. ``richardson`` and ``chebyshev`` take ``bounds=`` and stay
# inside.

import diffmethods as dm

inside = {"method": "richardson", "bounds": (0.0, np.inf)}
mended = dm.derivative(np.log, **inside)(x), dm.derivative(reciprocal, **inside)(x)
assert np.allclose(mended, [1e3, -1e6], rtol=1e-12)
mended

# %%
# Or step to one side only.

one_sided = float(numdifftools.Derivative(np.log, method="forward", base_step=1e-4)(x))
assert abs(one_sided / 1000 - 1) < 1e-6
one_sided

# %%
# Without bounds, our differences refuse what is NaN, but they do not see a pole either:
# this is wrong.

too_near = dm.derivative(reciprocal, method="central_difference")(1e-6)
assert too_near > 0
try:
    dm.derivative(np.log, method="central_difference")(1e-6)
except dm.errors.NotDifferentiableError as error:
    print(error)
too_near, -1e12

# %%
# A method without a step has no such trouble.

exact = dm.derivative(np.log)(1e-6), dm.derivative(reciprocal)(1e-6)
assert np.allclose(exact, [1e6, -1e12], rtol=1e-14)
exact

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_numerical_plot_forward_difference.py`, to one side.
# - :ref:`sphx_glr_auto_examples_numerical_plot_richardson.py`.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_step_size.py`.
