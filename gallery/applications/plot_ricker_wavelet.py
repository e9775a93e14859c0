r"""
A seismic wavelet
=================

The pulse that seismologists send through their models of the Earth, the Ricker wavelet,
is a second derivative: that of a Gaussian.
"""

# %%
# The wavelet
# -----------
# Norman Ricker derived it in 1953 :cite:p:`ricker1953`. With its peak frequency f, in
# hertz:
#
# .. math:: r(t) = (1 - 2 \pi^2 f^2 t^2)\, e^{-\pi^2 f^2 t^2}
#
# Matt Hall, whose notebook this site grew from :cite:p:`hall2024`, is a geoscientist.
# This page is for him.

import numpy as np

import diffmethods as dm

peak = 25.0  # hertz


def bell(t):
    return np.exp(-((np.pi * peak * t) ** 2))


t = np.linspace(-0.06, 0.06, 241)  # seconds
curvature = dm.derivative(bell, order=2)(t)
ricker = -curvature / (2 * (np.pi * peak) ** 2)

a = (np.pi * peak * t) ** 2
formula = (1 - 2 * a) * np.exp(-a)
assert np.max(np.abs(ricker - formula)) < 1e-14
np.max(np.abs(ricker - formula))

# %%
# :func:`~diffmethods.derivative` ran the bell on a :term:`Taylor series` of three terms
# at each time, and the second derivative is exact to rounding. Differences of the same
# samples are not:

differences = np.gradient(np.gradient(bell(t), t), t)
np.max(np.abs(-differences / (2 * (np.pi * peak) ** 2) - formula))

# %%
# All its relatives
# -----------------
# One run of :func:`diffmethods.taylor` gives every order. The n-th derivative of a bell
# is a wavelet with n zeros.

import math

import matplotlib.pyplot as plt

from diffmethods.plotting import STYLES

coefficients = dm.taylor(bell, t, 8)
wavelets = {}
for order in (1, 2, 4, 8):
    wavelet = math.factorial(order) * coefficients[order]
    wavelets[order] = wavelet / np.max(np.abs(wavelet))
    signs = np.sign(wavelet[np.abs(wavelets[order]) > 1e-9])
    assert np.count_nonzero(np.diff(signs)) >= order

# %%
# In frequency
# ------------
# A derivative multiplies the spectrum by the frequency, as the page on :ref:`samples
# and waves <sphx_glr_auto_examples_data_plot_spectral.py>` uses. The bell's spectrum
# falls as a bell, so the product has a peak, at :math:`f \sqrt{n/2}`. For the second
# derivative that is f itself, whence the name.

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
dt = t[1] - t[0]
frequency = np.fft.rfftfreq(8192, dt)
for (order, wavelet), style in zip(wavelets.items(), STYLES, strict=False):
    look = {"color": style["color"], "linestyle": style["linestyle"]}
    spectrum = np.abs(np.fft.rfft(wavelet, 8192))
    name = "2 (Ricker)" if order == 2 else str(order)
    left.plot(1000 * t, wavelet, **look, label=name)
    right.plot(frequency, spectrum / spectrum.max(), **look)
    top = frequency[np.argmax(spectrum)]
    right.plot(top, 1, style["marker"], color=style["color"])
    print(
        f"order {order}: peak at {top:.1f} Hz, {peak * np.sqrt(order / 2):.1f} expected"
    )
    assert abs(top / (peak * np.sqrt(order / 2)) - 1) < 0.01
left.set(xlabel="time / ms", ylabel="amplitude, scaled", xlim=(-50, 50))
right.set(xlabel="frequency / Hz", ylabel="spectrum, scaled", xlim=(0, 120))
left.legend(title="order")
title = fig.suptitle("Each derivative of a bell is a wavelet of higher frequency")

# %%
# How it depends on its frequency
# -------------------------------
# To fit a wavelet to a recorded one, you need its slope by f. Mixed derivatives nest:
# twice by the time, once by the frequency.


def wavelet_at(time):
    def of_frequency(f):
        def bell(t):
            return np.exp(-((np.pi * f * t) ** 2))

        return -dm.derivative(bell, order=2)(time) / (2 * (np.pi * f) ** 2)

    return of_frequency


slope = dm.derivative(wavelet_at(0.01))(peak)
b = np.pi**2 * peak * 0.01**2
by_hand = (-6 * b + 4 * b * peak * b) * np.exp(-b * peak)
assert abs(slope / by_hand - 1) < 1e-13
slope, by_hand

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_forward_plot_taylor_series.py`, which computed all of
#   this.
# - `bruges <https://code.agilescientific.com/bruges/>`_, a library of geophysical
#   equations, has many wavelets.
# - :ref:`sphx_glr_auto_examples_applications_plot_gauss_newton.py`, to fit them.
