r"""
Noisy samples: Savitzky and Golay
=================================

Fit a parabola to a window of samples, take its slope in the middle, and slide on. The
window is the only choice, and it is a real one.
"""

# %%
# In one line
# -----------
# Say the spacing, too: the default ``delta=1`` gives the slope per sample.

import numpy as np
from scipy.signal import savgol_coeffs, savgol_filter

x = np.linspace(-3, 3, 601)
noise = 0.01 * np.random.default_rng(0).normal(size=x.size)
h = x[1] - x[0]
slope = savgol_filter(np.tanh(x) + noise, 61, 2, deriv=1, delta=h)
np.max(np.abs(slope - 1 / np.cosh(x) ** 2))

# %%
# How it works
# ------------
# The least-squares fit is linear in the samples, so the slope is a weighted sum once
# more :cite:p:`savitzky1964`. A window of as many samples as the polynomial has
# coefficients is fitted exactly: then the weights are those of a finite difference.

from diffmethods.stencils import weights

print(savgol_coeffs(5, 4, deriv=1, use="dot"))
exact = [float(w) for w in weights(range(-2, 3), order=1)]
assert np.allclose(savgol_coeffs(5, 4, deriv=1, use="dot"), exact)

# A longer window averages; its weights are small and all alike.
print(savgol_coeffs(9, 2, deriv=1, use="dot"))

# %%
# Two errors
# ----------
# A short window passes the noise on: its standard deviation times the norm of the
# weights, which falls with the window's length m as :math:`m^{-3/2}`. A long one bends
# the signal: what the polynomial cannot follow grows as :math:`m^2` for parabolas and
# :math:`m^4` for degree 4. This is the V of
# :ref:`sphx_glr_auto_examples_comparisons_plot_step_against_error.py` once more, with
# the window in place of the step.

import matplotlib.pyplot as plt

windows = np.unique(np.logspace(0.85, 2.6, 20).astype(int) | 1)
inside = slice(200, -200)
true = 1 / np.cosh(x) ** 2


def rms(samples, window, degree):
    found = savgol_filter(samples, window, degree, deriv=1, delta=h)
    return np.sqrt(np.mean((found - true)[inside] ** 2))


def theory(window, degree, sigma):
    passed_on = sigma * np.linalg.norm(savgol_coeffs(window, degree, deriv=1, delta=h))
    return np.hypot(passed_on, rms(np.tanh(x), window, degree))


# %%
# Points are measured, lines computed from noise and bend.

fig, ax = plt.subplots()
styles = ("o-#0072B2", "s--#D55E00", "^:#008F68")
best = {}
for (degree, sigma), style in zip(
    ((2, 0.01), (4, 0.01), (2, 1e-4)), styles, strict=True
):
    samples = np.tanh(x) + sigma * noise / 0.01
    measured = [rms(samples, m, degree) for m in windows]
    best[degree, sigma] = windows[np.argmin(measured)], min(measured)
    look = {"color": style[-7:], "linestyle": style[1:-7]}
    ax.plot(windows, [theory(m, degree, sigma) for m in windows], **look)
    label = f"degree {degree}, noise {sigma:g}"
    ax.plot(windows, measured, style[0], color=style[-7:], label=label)
ax.set(xscale="log", yscale="log")
ax.set(xlabel="samples in the window", ylabel="error of the slope (rms)")
ax.legend()
title = ax.set_title(
    "Every noise has a best window; a higher degree wants a longer one"
)

# %%
# The best windows, and their errors:

for (degree, sigma), (window, error) in best.items():
    print(f"degree {degree}, noise {sigma:g}: {window} samples, error {error:.1e}")
assert best[2, 1e-4][0] < best[2, 0.01][0] < best[4, 0.01][0]

# %%
# Choose the window without the truth
# -----------------------------------
# What the filter leaves over of the samples tells the noise, and no more: the slope
# bends long before the values do. A higher degree tells, as it follows where a parabola
# cannot. The difference of both slopes is the bend and some noise, and the noise is
# known.


def estimated_error(samples, m):
    left = samples - savgol_filter(samples, 11, 2)
    sigma = np.sqrt(np.mean(left**2) / (1 - savgol_coeffs(11, 2)[5]))
    low, high = (savgol_coeffs(m, degree, deriv=1, delta=h) for degree in (2, 4))
    bend = np.convolve(samples, high - low, mode="valid")
    bend = np.mean(bend**2) - sigma**2 * np.sum((high - low) ** 2)
    return np.sqrt(max(bend, 0) + sigma**2 * np.sum(low**2))


samples = np.tanh(x) + noise
chosen = min(windows, key=lambda m: estimated_error(samples, m))
assert rms(samples, chosen, 2) < 1.5 * best[2, 0.01][1]
print(f"chosen {chosen}, error {rms(samples, chosen, 2):.1e}")

# %%
# Ends: ``mode="interp"``, the default, fits the first and last window once and takes
# the slopes along it. They are right to the same order, with more noise. The samples
# must be even; for uneven ones take a :ref:`smoothing spline
# <sphx_glr_auto_examples_data_plot_splines.py>`.
#
# See also
# --------
# - :func:`scipy.signal.savgol_filter`; :cite:t:`schafer2011` explains what the filter
#   does to frequencies.
# - :ref:`sphx_glr_auto_examples_data_plot_noisy_samples.py` compares it with others.
