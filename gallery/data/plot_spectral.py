r"""
Periodic samples: the Fourier transform
=======================================

A wave is easy to differentiate: multiply by its frequency. Take samples apart into
waves, multiply, and put them together again.
"""

# %%
# In one line
# -----------
# For n even samples over one period, the last one before the first comes again:

import numpy as np

n, period = 32, 2 * np.pi
x = np.arange(n) * period / n
y = np.exp(np.sin(x))
ik = 2j * np.pi * np.fft.rfftfreq(n, period / n)
slope = np.fft.irfft(ik * np.fft.rfft(y), n)
np.max(np.abs(slope - np.cos(x) * y))

# %%
# Each coefficient belongs to a wave :math:`e^{ikx}`, whose derivative is
# :math:`ik\,e^{ikx}`. The error falls faster than any power of the spacing, since the
# coefficients that were left out do.

from diffmethods.plotting import plot_curves, plot_errors


def spectral(y, period, order=1):
    n = len(y)
    ik = 2j * np.pi * np.fft.rfftfreq(n, period / n)
    waves = ik**order * np.fft.rfft(y)
    if n % 2 == 0 and order % 2:
        waves[-1] = 0  # the fastest wave is seen at its crests, where its slope is 0
    return np.fft.irfft(waves, n)


def central(y, period):
    return (np.roll(y, -1) - np.roll(y, 1)) * len(y) / (2 * period)


counts = np.arange(4, 65, 4)
errors = {"two neighbours": [], "Fourier": []}
for n in counts:
    x = np.arange(n) * 2 * np.pi / n
    y = np.exp(np.sin(x))
    for name, method in zip(errors, (central, spectral), strict=True):
        errors[name].append(np.max(np.abs(method(y, 2 * np.pi) - np.cos(x) * y)))
ax = plot_errors(
    counts,
    errors,
    title="Thirty samples of a smooth period hold every digit of its slope",
    xlabel="samples in one period",
    ylabel="largest error of the slope",
)
assert errors["Fourier"][counts.tolist().index(32)] < 1e-13
assert errors["two neighbours"][-1] > 1e-3

# %%
# Higher derivatives
# ------------------
# The power of the frequency is the order. Rounding grows with the same power of the
# highest frequency: 32 samples are enough here, and more would lose digits.

import diffmethods as dm

for n in (32, 256):
    x = np.arange(n) * 2 * np.pi / n
    y = np.exp(np.sin(x))
    for order in (2, 4):
        true = dm.derivative(lambda x: np.exp(np.sin(x)), order=order)(x)
        error = np.max(np.abs(spectral(y, 2 * np.pi, order) - true))
        print(f"{n:3d} samples, order {order}: largest error {error:.0e}")
assert error > 1e-9

# %%
# Where it fails
# --------------
# What is not periodic is taken for a period all the same, with a jump where its end
# meets its beginning. No sum of waves has a jump: it overshoots, and its slope rings
# (Gibbs' phenomenon).

n = 64
x = np.linspace(-3, 3, n, endpoint=False)
true = 1 / np.cosh(x) ** 2
ax = plot_curves(
    x,
    {"by Fourier": spectral(np.tanh(x), 6.0), "true slope of tanh": true},
    title="Without a period, the jump between the ends rings throughout",
    ylabel="slope",
)
limits = ax.set_ylim(-2, 3)

# %%
# More samples do not help. Half of them are wrong by more than half, with any number:

for n in (64, 256, 1024):
    x = np.linspace(-3, 3, n, endpoint=False)
    error = np.abs(spectral(np.tanh(x), 6.0) - 1 / np.cosh(x) ** 2)
    print(
        f"{n:4d} samples: median error {np.median(error):.3f}, at x = -3 {error[0]:.0f}"
    )
    assert np.median(error) > 0.5

# %%
# If you may choose where to sample, take Chebyshev points: they are the periodic
# samples of :math:`f(\cos\theta)`, and the same precision comes without a period.

from numpy.polynomial import Chebyshev

series = Chebyshev.interpolate(np.tanh, 63, domain=[-3, 3])
error = np.max(np.abs(series.deriv()(x) - 1 / np.cosh(x) ** 2))
assert error < 1e-9
error

# %%
# Otherwise :ref:`splines <sphx_glr_auto_examples_data_plot_splines.py>` and
# :ref:`stencils <sphx_glr_auto_examples_data_plot_finite_difference_stencils.py>` keep
# an error at the ends where it is. Use the Fourier transform for whole periods alone.
#
# See also
# --------
# - :cite:t:`trefethen2000` on spectral methods and what they can solve.
# - :ref:`sphx_glr_auto_examples_numerical_plot_chebyshev.py` and
#   :ref:`sphx_glr_auto_examples_numerical_plot_cauchy_integral.py` do this for
#   functions.
