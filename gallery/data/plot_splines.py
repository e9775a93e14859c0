r"""
Samples: splines
================

A spline bends as little as it can on its way through the samples. It is a function
again, with a derivative everywhere, and it can keep a distance to noise.
"""

# %%
# In one line
# -----------

import numpy as np
from scipy.interpolate import CubicSpline

x = np.linspace(-2, 2, 17)
slope = CubicSpline(x, np.tanh(x)).derivative()
slope(0.1)

# %%
# Between two samples the spline is a cubic, and where the cubics meet, the first and
# second derivatives agree. So its slope is smooth, wherever you ask for it.
#
# The ends
# --------
# Two conditions are free. SciPy's default ("not-a-knot") makes one cubic of the first
# two pieces, and one of the last two. ``bc_type="natural"`` sets the second derivative
# at the ends to 0, which is wrong unless it is 0. A spline of degree 5 gains two
# orders.

from scipy.interpolate import make_interp_spline

from diffmethods.plotting import plot_errors

methods = {
    "numpy.gradient": lambda x, y: (
        lambda at: np.interp(at, x, np.gradient(y, x, edge_order=2))
    ),
    "cubic, natural": lambda x, y: CubicSpline(x, y, bc_type="natural").derivative(),
    "cubic": lambda x, y: CubicSpline(x, y).derivative(),
    "degree 5": lambda x, y: make_interp_spline(x, y, k=5).derivative(),
}
at = np.linspace(-2, 2, 1001)
true = 1 / np.cosh(at) ** 2
counts = 10 * 2 ** np.arange(7)
errors = {name: [] for name in methods}
for n in counts:
    x = np.linspace(-2, 2, n + 1)
    for name, method in methods.items():
        errors[name].append(np.max(np.abs(method(x, np.tanh(x))(at) - true)))
ax = plot_errors(
    4 / counts,
    errors,
    title="A cubic spline gains an order, and wrong ends lose two",
    xlabel="spacing h",
    ylabel="largest error of the slope, anywhere",
    log_x=True,
)

# %%
# The power of the spacing that each error falls with, before rounding takes over:

powers = {name: np.log2(error[-3] / error[-2]) for name, error in errors.items()}
for name, power in powers.items():
    print(f"{name:15s} h^{power:.1f}")
assert abs(powers["cubic"] - 3) < 0.2
assert abs(powers["cubic, natural"] - 1) < 0.2
assert abs(powers["degree 5"] - 5) < 0.5

# %%
# Noise
# -----
# A spline through noisy samples takes each of their errors for a bend. A smoothing
# spline weighs its distance to the samples against its own curvature:
#
# .. math:: \min_s \; \sum_i \bigl(y_i - s(x_i)\bigr)^2 + \lambda \int s''(x)^2\, dx
#
# :func:`scipy.interpolate.make_smoothing_spline` chooses the weight :math:`\lambda` by
# generalised cross-validation: with it, each sample is foretold best by all others.

import matplotlib.pyplot as plt
from scipy.interpolate import make_smoothing_spline

x = np.linspace(-2, 2, 101)
y = np.tanh(x) + 0.02 * np.random.default_rng(0).normal(size=x.size)
through, past = CubicSpline(x, y).derivative(), make_smoothing_spline(x, y).derivative()

fig, ax = plt.subplots()
ax.plot(at, through(at), color="#7A7A7A", linewidth=1, label="through the samples")
ax.plot(at, past(at), color="#D55E00", label="smoothing spline")
ax.plot(at, true, "--", color="#0072B2", label="true slope")
ax.set(xlabel="x", ylabel="slope", ylim=(-2, 4))
ax.legend(loc="upper right")
title = ax.set_title("2 % of noise hide the slope; a smoothing spline finds it again")

# %%
# How far each is from the truth, as the root of the mean square:

rms = [np.sqrt(np.mean((slope(at) - true) ** 2)) for slope in (through, past)]
assert rms[1] < rms[0] / 10
rms

# %%
# Take the cubic spline for smooth samples at uneven places, or if you need the slope
# between them; take the smoothing spline as soon as there is noise.
#
# See also
# --------
# - :class:`scipy.interpolate.CubicSpline` and
#   :func:`scipy.interpolate.make_interp_spline`; :cite:t:`deboor2001` wrote the book.
# - :ref:`sphx_glr_auto_examples_data_plot_noisy_samples.py` compares what smooths.
# - :ref:`sphx_glr_auto_examples_applications_plot_custom_rule.py`: a spline within a
#   larger function needs its derivative as a rule.
