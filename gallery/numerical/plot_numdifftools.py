r"""
numdifftools
============

Differences with many steps, extrapolated to the step 0; of all results, the one that
its neighbours agree with best.
"""

# %%
# In one line
# -----------
# ``Derivative`` turns a function into its derivative.

import numdifftools as nd
import numpy as np

nd.Derivative(np.tanh)(2.0)

# %%
# ``diffmethods`` lets it start with shorter steps and look twice, and raises an error
# where the two results differ.

import diffmethods as dm

dm.derivative(np.tanh, method="numdifftools")(2.0)

# %%
# How it works
# ------------
# The default takes 15 central differences, each with half the step of the one before:
# at 2 from 3.1 to 0.0002.
# The error of a difference is a series in powers of the step. Out of three differences
# Richardson's extrapolation removes two powers. It does so for all neighbours, and
# keeps the result with the least estimate of its error.

from diffmethods.plotting import plot_errors

true = 1 / np.cosh(2.0) ** 2
steps = 2.0 ** -np.arange(1, 16)
differences = (np.tanh(2 + steps) - np.tanh(2 - steps)) / (2 * steps)
once = (4 * differences[1:] - differences[:-1]) / 3
twice = (16 * once[1:] - once[:-1]) / 15
errors = {
    "central difference": differences[2:] / true - 1,
    "extrapolated once": once[1:] / true - 1,
    "extrapolated twice": twice / true - 1,
}
title = "Extrapolation reaches the floor with longer steps, where it is lower"
ax = plot_errors(steps[2:], errors, title=title, xlabel="step", log_x=True)

# %%
# ``full_output`` tells the estimate of the error, and the step.

found = nd.Derivative(np.tanh, full_output=True)(2.0)
float(found.error_estimate), float(found.final_step)

# %%
# Higher derivatives
# ------------------
# ``n`` is the order. Each loses about two digits.

import mpmath

for n in range(1, 6):
    found = nd.Derivative(np.tanh, n=n)(2.0)
    print(
        f"{n}: {found:+.12f}, off by {abs(found / mpmath.diff(mpmath.tanh, 2, n) - 1)}"
    )

# %%
# On arrays
# ---------
# f is called once a step with the whole array.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


nd.Derivative(polynomial)(np.array([0.0, 1.0, 2.0]))

# %%
# Several variables
# -----------------
# ``Gradient``, ``Jacobian`` and ``Hessian`` take a vector.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


z = np.array([2.0, 2.0])
print(nd.Gradient(g)(z))
nd.Hessian(g)(z)

# %%
# Where it fails
# --------------
# Where f varies faster than the steps, the numbers are arbitrary, and two of them may
# happen to agree. The slope of :math:`\sin 1000 x` at 1 is :math:`562.379076\dots`:

fast = lambda x: np.sin(1000 * x)
found = nd.Derivative(fast, full_output=True)(1.0)
assert abs(found.estimate - 562.379) > 100 * found.error_estimate
float(found.estimate), float(found.error_estimate)

# %%
# ``diffmethods`` starts with a step four times shorter, which does here, and asks again
# with much shorter ones. At 100 times the rate it gets two answers, and says so. A
# ``step`` of your own is taken as it is.

print(dm.derivative(fast, method="numdifftools")(1.0))
faster = lambda x: np.sin(1e5 * x)
try:
    dm.derivative(faster, method="numdifftools")(1.0)
    raise AssertionError("it can by now")
except dm.errors.NotDifferentiableError as error:
    print(error)
dm.derivative(faster, method="numdifftools", step=1e-9)(1.0) / 1e5 / np.cos(1e5)

# %%
# A kink right at x is not seen: both sides cancel. The slope of an absolute value at 0
# comes out as 0, with an estimated error of 0, at every step.

kink = nd.Derivative(np.abs, full_output=True)(0.0)
assert kink.estimate == kink.error_estimate == 0
float(kink.estimate), float(kink.error_estimate)

# %%
# Cost
# ----
# 31 evaluations for each variable, and twice as many with the second look.

dm.compare(np.tanh, 2.0, methods=["numdifftools", "richardson", "chebyshev"])

# %%
# See also
# --------
# - `numdifftools' documentation <https://numdifftools.readthedocs.io>`_.
# - :ref:`sphx_glr_auto_examples_numerical_plot_richardson.py` extrapolates, too, and
#   finds its first step; :cite:t:`ridders1982` is the classical way.
