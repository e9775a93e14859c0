r"""
Noisy samples: regularised, and all compared
============================================

Differencing multiplies noise by one over the spacing. What helps is to say what the
slope is like: smooth, or constant but for some jumps.
"""

# %%
# Closer samples, worse slopes
# ----------------------------
# Samples with noise of 1 %. The closer they are, the less a difference can tell:

import numpy as np


def wave(t):
    return np.exp(-t / 4) * np.sin(2 * t)


def wave_slope(t):
    return np.exp(-t / 4) * (2 * np.cos(2 * t) - np.sin(2 * t) / 4)


rng = np.random.default_rng(3)
for n in (11, 101, 1001, 10001):
    t = np.linspace(0, 4, n)
    samples = wave(t) + 0.01 * rng.normal(size=n)
    error = np.gradient(samples, t, edge_order=2) - wave_slope(t)
    print(f"{n:6d} samples: error of the slope {np.std(error):.2f} (rms)")
assert np.std(error) > 10

# %%
# Integrate in place of differentiating
# -------------------------------------
# Integration is harmless. So look for the slope u whose integral Au fits the samples y,
# and which varies little :cite:p:`chartrand2011`:
#
# .. math:: \min_{u,\,c} \; \|A u + c - y\|^2 + \lambda \int |u'|^p \, dt
#
# With :math:`p = 2` that is Tikhonov's regularisation, a linear system. With
# :math:`p = 1` it is the total variation, which a jump does not cost more than a slope
# over the same height. It is found by the same system, with weights :math:`|u'|^{p-2}`
# from the last round.

t, h = np.linspace(0, 4, 101, retstep=True)
n = t.size
trapezoids = h * (np.tril(np.ones((n, n))) - np.eye(n) / 2)
trapezoids[:, 0] -= h / 2
A = np.column_stack([trapezoids, np.ones(n)])  # of the slopes, and of the constant c
D = np.column_stack([np.diff(np.eye(n), axis=0) / h, np.zeros(n - 1)])
normal = A.T @ A


def regularised(y, strength, power):
    found = np.zeros(n + 1)
    for _ in range(1 if power == 2 else 20):
        weights = ((D @ found) ** 2 + 1e-2) ** (power / 2 - 1)
        found = np.linalg.solve(normal + strength * (D.T * weights) @ D, A.T @ y)
    return found


# %%
# A zigzag, whose slope jumps between 1 and -1, under 2 % of noise:

import matplotlib.pyplot as plt


def zigzag(t):
    return np.abs((t - 0.5) % 2 - 1)


def zigzag_slope(t):
    return np.sign((t - 0.5) % 2 - 1)


noise = rng.normal(size=n)
noisy = zigzag(t) + 0.02 * noise
fig, ax = plt.subplots()
ax.plot(t, np.gradient(noisy, t), ".", color="#7A7A7A", label="numpy.gradient")
ax.plot(t, regularised(noisy, 1e-5, 2)[:-1], "--", color="#0072B2", label="Tikhonov")
ax.plot(t, regularised(noisy, 4e-4, 1)[:-1], color="#D55E00", label="total variation")
ax.set(xlabel="t", ylabel="slope", ylim=(-3, 3))
ax.legend(ncols=3, loc="upper center")
title = ax.set_title("Total variation keeps the jumps of a slope, Tikhonov rounds them")

# %%
# All of them
# -----------
# Each method with a range of its parameter: the window, the weight. Of each the best
# counts, as only somebody who knows the slope could choose it. So this is what a method
# can do, not what it does by itself.

from scipy.interpolate import make_smoothing_spline
from scipy.signal import savgol_filter

strengths = 10.0 ** np.arange(-9, 1.5, 0.5)
methods = {
    "numpy.gradient": (lambda y, _: np.gradient(y, t, edge_order=2), [None]),
    "Savitzky-Golay": (
        lambda y, window: savgol_filter(y, window, 2, deriv=1, delta=h),
        range(3, 52, 4),
    ),
    "smoothing spline": (
        lambda y, lam: make_smoothing_spline(t, y, lam=lam).derivative()(t),
        strengths[::2],
    ),
    "Tikhonov": (lambda y, a: regularised(y, a, 2)[:-1], strengths[::2]),
    "total variation": (lambda y, a: regularised(y, a, 1)[:-1], strengths[8:15:2]),
}
levels = 10.0 ** np.arange(-3.5, -0.5, 0.5)


def least_errors(f, slope):
    def rms(found):
        return np.sqrt(np.mean((found - slope(t)) ** 2))

    return {
        name: [
            min(rms(method(f(t) + level * noise, value)) for value in values)
            for level in levels
        ]
        for name, (method, values) in methods.items()
    }


# %%
# The wave with its smooth slope, and the zigzag:

from diffmethods.plotting import STYLES

least = {"wave": least_errors(wave, wave_slope)}
least["zigzag"] = least_errors(zigzag, zigzag_slope)
fig, axes = plt.subplots(1, 2, figsize=(9, 4.4), sharey=True)
for ax, (shape, errors) in zip(axes, least.items(), strict=True):
    for (name, error), style in zip(errors.items(), STYLES, strict=False):
        ax.loglog(levels, error, label=name, markersize=4, **style)
    ax.set(xlabel=f"noise of the {shape} (rms)")
axes[0].set_ylabel("error of the slope (rms)")
axes[0].legend()
title = fig.suptitle(
    "Smooth slopes want splines or Tikhonov, jumps want total variation"
)

# %%
# At 1 % of noise, that is:

at = int(np.argmin(np.abs(levels - 0.01)))
for name in methods:
    wave_error, zigzag_error = (errors[name][at] for errors in least.values())
    print(f"{name:17s} wave {wave_error:.3f}, zigzag {zigzag_error:.3f}")
for name in ("Savitzky-Golay", "smoothing spline", "Tikhonov"):
    assert least["wave"][name][at] < least["wave"]["numpy.gradient"][at] / 4
    assert least["wave"][name][at] < least["wave"]["total variation"][at] / 1.5
    assert least["zigzag"]["total variation"][at] < least["zigzag"][name][at] / 1.5

# %%
# The slope of few samples without noise is best left to differences. Stencils of more
# points and splines through the samples are as bad as ``numpy.gradient`` or worse once
# noise rules, and the Fourier transform needs a period.

from scipy.interpolate import CubicSpline

noisy = wave(t) + 0.01 * noise
through = CubicSpline(t, noisy).derivative()(t)
difference = np.gradient(noisy, t, edge_order=2)
worse = np.std(through - wave_slope(t)) / np.std(difference - wave_slope(t))
assert worse > 1.2
worse

# %%
# Choose the strength without the truth
# -------------------------------------
# If you know the noise, take the largest strength that leaves no more than the noise
# between the samples and the integral of the slope (Morozov's discrepancy principle).


def left_over(y, strength, power):
    return np.sqrt(np.mean((A @ regularised(y, strength, power) - y) ** 2))


chosen = max(a for a in strengths if left_over(noisy, a, 2) < 0.01)
error = np.sqrt(np.mean((regularised(noisy, chosen, 2)[:-1] - wave_slope(t)) ** 2))
assert error < 2 * least["wave"]["Tikhonov"][at]
chosen, error, least["wave"]["Tikhonov"][at]

# %%
# If you do not, a smoothing spline chooses for itself:

spline = make_smoothing_spline(t, noisy).derivative()(t)
error = np.sqrt(np.mean((spline - wave_slope(t)) ** 2))
assert error < 2 * least["wave"]["smoothing spline"][at]
error

# %%
# Start with the smoothing spline, and go to total variation where slopes jump.
#
# See also
# --------
# - `pynumdiff <https://pynumdiff.readthedocs.io>`_ has these methods and more, Kalman
#   smoothers among them, and searches for their parameters :cite:p:`vanbreugel2020`.
# - :ref:`sphx_glr_auto_examples_data_plot_savitzky_golay.py` and
#   :ref:`sphx_glr_auto_examples_data_plot_splines.py`, one at a time.
