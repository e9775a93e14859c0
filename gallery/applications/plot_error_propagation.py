r"""
Error propagation
=================

How uncertain is a result computed from uncertain numbers? The gradient tells, in one
run, as long as the function is nearly straight over the uncertainty.
"""

# %%
# A pendulum
# ----------
# Its length and period give the acceleration of free fall. Both were measured, with
# known standard deviations.

import numpy as np

import diffmethods as dm


def free_fall(x):
    length, period = x
    return 4 * np.pi**2 * length / period**2


measured = np.array([0.9960, 2.0030])  # metres, seconds
deviation = np.array([0.0010, 0.0050])
slopes = dm.gradient(free_fall)(measured)
slopes

# %%
# To first order the result moves by the slope times the error. Independent errors add
# up as squares:
#
# .. math:: \sigma_g^2 \approx \sum_i \left(\frac{\partial g}{\partial x_i}\right)^2
#           \sigma_i^2, \qquad
#           \text{in general } \nabla g^{\mathsf T}\, \Sigma\, \nabla g

parts = slopes * deviation
print(f"g = {free_fall(measured):.3f} +- {np.linalg.norm(parts):.3f} m/s²")
print(f"by the length {abs(parts[0]):.3f}, by the period {abs(parts[1]):.3f}")

# %%
# The period matters five times as much: a better ruler would be of no use. By hand, the
# relative errors of length and period count once and twice.

by_hand = np.hypot(*(deviation / measured * [1, 2])) * free_fall(measured)
assert abs(np.linalg.norm(parts) / by_hand - 1) < 1e-14

# %%
# Correlated errors
# -----------------
# A fit gives its parameters with a covariance, and two results from the same
# measurements are correlated. A Jacobian on both sides carries the matrix through.


def fall_and_frequency(x):
    return np.stack([free_fall(x), 1 / x[1]])


J = dm.jacobian(fall_and_frequency)(measured)
covariance = J @ np.diag(deviation**2) @ J.T
correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
assert correlation > 0.97
correlation

# %%
# Against Monte Carlo
# -------------------
# The other way is to draw samples: no derivative, many runs, and no assumption about
# straightness. Let the uncertainty grow and see when they part. The second derivatives
# know the reason: the curve bends away from its tangent, and the mean moves by half the
# trace of :math:`H \Sigma`.

import matplotlib.pyplot as plt

draws = np.random.default_rng(1).normal(size=(2, 200_000))
draws -= draws.mean(axis=1, keepdims=True)
hess = dm.hessian(free_fall)(measured)
percent = np.array([0.25, 0.5, 1, 2, 4, 8, 12])
spread, shift, linear, second = [], [], [], []
for p in percent / 100:
    sigma = p * measured * [0.2, 1]
    sampled = free_fall(measured[:, None] + sigma[:, None] * draws)
    spread.append(np.std(sampled))
    shift.append(np.mean(sampled) - free_fall(measured))
    linear.append(np.linalg.norm(slopes * sigma))
    second.append(np.trace(hess @ np.diag(sigma**2)) / 2)

# %%
# Lines are from derivatives, points from 200,000 draws.

fig, ax = plt.subplots()
ax.loglog(percent, linear, color="#0072B2", label="deviation, by the gradient")
ax.loglog(percent, spread, "o", color="#0072B2", label="deviation, by Monte Carlo")
ax.loglog(percent, second, "--", color="#D55E00", label="shift, by the Hessian")
ax.loglog(percent, shift, "s", color="#D55E00", label="shift, by Monte Carlo")
ax.set(xlabel="uncertainty of the period / %", ylabel="effect on g / (m/s²)")
ax.legend()
title = ax.set_title("The gradient foretells the deviation up to several percent")

# %%
# The deviation of the draws over the linear one:

for p, a, b in zip(percent, spread, linear, strict=True):
    print(f"{p:5.2f} %: {a / b:.3f}")
ratio = np.array(spread) / linear
assert np.all(np.abs(ratio[:4] - 1) < 0.01)
assert ratio[-1] > 1.05

# %%
# Take the gradient while relative uncertainties are below some percent, and check with
# the Hessian: where the shift is no longer small beside the deviation, draw samples.
#
# See also
# --------
# - `uncertainties <https://uncertainties.readthedocs.io>`_ makes numbers with an
#   uncertainty, which do this to first order and keep track of correlations.
# - :func:`diffmethods.gradient`, :func:`diffmethods.jacobian` and
#   :func:`diffmethods.hessian`; the :term:`condition number` is the same for rounding.
# - :ref:`sphx_glr_auto_examples_applications_plot_gauss_newton.py` for where the
#   covariance of parameters comes from.
# - The "Guide to the expression of uncertainty in measurement" :cite:p:`gum2008`.
