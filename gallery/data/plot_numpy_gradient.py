r"""
Samples: numpy.gradient
=======================

One line for the slope of samples: two neighbours make a difference. At the two ends
there is one neighbour, and one order less.
"""

# %%
# In one line
# -----------
# Give the places of the samples as well as their values.

import numpy as np

x = np.linspace(-2, 2, 9)
np.gradient(np.tanh(x), x)

# %%
# Without the places the spacing is taken to be 1, and the slope is per sample. Here it
# is half of what it should be, without a word.

per_sample, slope = np.gradient(np.tanh(x)), np.gradient(np.tanh(x), x)
assert np.allclose(per_sample, 0.5 * slope)
per_sample[4], slope[4]

# %%
# The ends
# --------
# Inside, :func:`numpy.gradient` is the two-sided difference, whose error falls with
# :math:`h^2`. The ends have one neighbour, and the error of a one-sided difference
# falls with h. ``edge_order=2`` takes a third sample there.

from diffmethods.plotting import plot_errors

spacings = 4 / 2.0 ** np.arange(3, 14)
errors = {"first and last sample": [], "the same, edge_order=2": [], "all others": []}
for h in spacings:
    x = np.arange(-2, 2 + h / 2, h)
    true = 1 / np.cosh(x) ** 2
    for name, order in zip(list(errors), (1, 2, 1), strict=True):
        error = np.abs(np.gradient(np.tanh(x), x, edge_order=order) - true)
        errors[name].append(
            np.max(error[1:-1] if name == "all others" else error[[0, -1]])
        )
ax = plot_errors(
    spacings,
    errors,
    title="The two ends lose an order, unless you ask for edge_order=2",
    xlabel="spacing h",
    ylabel="largest error of the slope",
    log_x=True,
)

# %%
# The powers of h, from the last two spacings:

for name, error in errors.items():
    power = np.log2(error[-2] / error[-1])
    print(f"{name:22s} h^{power:.2f}")
    assert abs(power - (1 if name.startswith("first") else 2)) < 0.1

# %%
# Second derivatives
# ------------------
# Calling it twice makes that worse. The first call leaves errors of the size h at the
# ends, the second divides them by h: the second derivative there stays wrong by half,
# however close the samples are. With ``edge_order=2`` it converges, with an error of
# the size h.


def second(n, edge_order):
    x = np.linspace(-2, 2, n)
    once = np.gradient(np.tanh(x), x, edge_order=edge_order)
    twice = np.gradient(once, x, edge_order=edge_order)
    return twice[0] / (2 * np.tanh(2) / np.cosh(2) ** 2) - 1


for n in (101, 1001, 10001):
    print(f"{n:6d} samples: {second(n, 1):+.4f}, edge_order=2: {second(n, 2):+.2e}")
assert abs(second(10001, 1) + 0.5) < 1e-3
assert abs(second(1001, 2) / second(10001, 2) - 10) < 0.2

# %%
# Take one stencil for the second derivative instead, as
# :ref:`sphx_glr_auto_examples_data_plot_finite_difference_stencils.py` does.
#
# Uneven spacing
# --------------
# With unequal distances the weights differ, too, so that parabolas stay exact. The
# ratio of differences on both sides, ``(y[2:] - y[:-2]) / (x[2:] - x[:-2])``, does not
# have that: it is of order 1 as soon as the distances differ.

x = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.03, 200))
y = x**2
naive = (y[2:] - y[:-2]) / (x[2:] - x[:-2])
proper = np.gradient(y, x)[1:-1]
assert np.max(np.abs(proper - 2 * x[1:-1])) < 1e-12
np.max(np.abs(naive - 2 * x[1:-1])), np.max(np.abs(proper - 2 * x[1:-1]))

# %%
# Several axes
# ------------
# One array for each axis, in the order of the axes: rows first. With
# ``z[i, j]`` at ``y[i]`` and ``x[j]`` that is the slope along y, then the one along x.

y, x = np.linspace(0, 1, 5), np.linspace(0, 3, 7)
z = 10 * y[:, None] + x[None, :]
along_y, along_x = np.gradient(z, y, x)
assert np.allclose(along_y, 10)
assert np.allclose(along_x, 1)
along_y[0, 0], along_x[0, 0]

# %%
# Use it for smooth samples without noise, with ``edge_order=2``. If you have the
# function that made the samples, differentiate that: :func:`diffmethods.derivative`
# is exact at every one of them.

import diffmethods as dm

x = np.linspace(-2, 2, 9)
np.max(np.abs(dm.derivative(np.tanh)(x) - 1 / np.cosh(x) ** 2))

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_numerical_plot_central_difference.py`, the same formula
#   where the step is yours to choose.
# - :ref:`sphx_glr_auto_examples_data_plot_noisy_samples.py`, for samples with noise.
