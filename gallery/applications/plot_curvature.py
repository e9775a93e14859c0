r"""
Curvature
=========

How sharply does a curve turn? First and second derivatives of its coordinates give the
circle that fits it best at every point.
"""

# %%
# A curve with a parameter
# ------------------------
# An ellipse, twice as wide as high, and its derivatives at an array of parameters.

import numpy as np

import diffmethods as dm


def ellipse(t):
    return 2 * np.cos(t), np.sin(t)


def derivatives(curve, t, order):
    return [dm.derivative(lambda s, i=i: curve(s)[i], order=order)(t) for i in (0, 1)]


# %%
# The curvature is the rate at which the direction turns, by length along the curve:
#
# .. math:: \kappa = \frac{x' y'' - y' x''}{(x'^2 + y'^2)^{3/2}}


def curvature(curve, t):
    (dx, dy), (ddx, ddy) = (derivatives(curve, t, order) for order in (1, 2))
    return (dx * ddy - dy * ddx) / (dx**2 + dy**2) ** 1.5


t = np.linspace(0, 2 * np.pi, 721)
kappa = curvature(ellipse, t)
exact = 2 / (4 * np.sin(t) ** 2 + np.cos(t) ** 2) ** 1.5
assert np.max(np.abs(kappa / exact - 1)) < 1e-13
kappa.min(), kappa.max()

# %%
# Osculating circles
# ------------------
# The circle with radius :math:`1 / \kappa`, on the inner side, has the point, the
# tangent and the curvature in common with the curve. The centres draw a curve of their
# own, the evolute. It has a cusp wherever the curvature is largest or smallest.

import matplotlib.pyplot as plt


def centre(curve, t):
    x, y = curve(t)
    dx, dy = derivatives(curve, t, 1)
    radius, speed = 1 / curvature(curve, t), np.hypot(dx, dy)
    return x - radius * dy / speed, y + radius * dx / speed


fig, ax = plt.subplots(figsize=(7.2, 5.4))
ax.plot(*ellipse(t), color="#0072B2", linewidth=3, label="ellipse")
ax.plot(*centre(ellipse, t), "--", color="#D55E00", label="evolute: centres of circles")
for at in np.pi * np.array([0, 0.08, 0.16, 0.5]):
    middle, radius = centre(ellipse, at), 1 / curvature(ellipse, at)
    ax.add_patch(plt.Circle(middle, radius, fill=False, color="#7A7A7A"))
    ax.plot(*ellipse(at), "o", color="#0072B2")
    ax.plot(*middle, ".", color="#D55E00")
ax.set(xlabel="x", ylabel="y", aspect="equal", xlim=(-3.2, 3.2), ylim=(-3.4, 1.9))
ax.legend(loc="lower right")
title = ax.set_title("The tightest circles lie where the ellipse is narrow")

# %%
# The evolute of an ellipse is known, :math:`(2 X)^{2/3} + Y^{2/3} = 3^{2/3}` here:

X, Y = centre(ellipse, t)
left_side = np.cbrt(2 * X) ** 2 + np.cbrt(Y) ** 2
assert np.max(np.abs(left_side - 3 ** (2 / 3))) < 1e-9
np.max(np.abs(left_side - 3 ** (2 / 3)))

# %%
# Once around
# -----------
# Whatever the shape, a closed curve without crossings turns by :math:`2\pi` in all.
# A blossom with dents, where the curvature is negative, does as well.


def blossom(t):
    radius = 1 + 0.3 * np.cos(5 * t)
    return radius * np.cos(t), radius * np.sin(t)


around = t[:-1]
speed = np.hypot(*derivatives(blossom, around, 1))
turn = np.mean(curvature(blossom, around) * speed) * 2 * np.pi
assert curvature(blossom, around).min() < 0
assert abs(turn / (2 * np.pi) - 1) < 1e-12
turn / (2 * np.pi)

# %%
# From samples
# ------------
# A recorded track has points instead of a formula. Second differences are sensitive to
# their noise: a thousandth of the size is enough to lose the curvature.

rng = np.random.default_rng(0)
for noise in (0, 1e-5, 1e-3):
    points = np.array(ellipse(t)) + noise * rng.normal(size=(2, t.size))
    (dx, dy) = np.gradient(points, t, axis=1, edge_order=2)
    (ddx, ddy) = np.gradient([dx, dy], t, axis=1, edge_order=2)
    found = (dx * ddy - dy * ddx) / np.hypot(dx, dy) ** 3
    print(f"noise {noise:g}: largest error {np.max(np.abs(found - kappa)):.1e}")
assert np.max(np.abs(found - kappa)) > 1

# %%
# Smooth a track before, as :ref:`noisy samples
# <sphx_glr_auto_examples_data_plot_noisy_samples.py>` need it. With a formula, no step
# has to be chosen.
#
# See also
# --------
# - :func:`diffmethods.derivative`, with ``order=2``;
#   :ref:`sphx_glr_auto_examples_forward_plot_taylor_series.py` shows how.
# - :ref:`sphx_glr_auto_examples_data_plot_spectral.py` for closed curves from samples.
