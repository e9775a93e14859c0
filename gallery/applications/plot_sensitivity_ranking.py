r"""
Which input matters?
====================

A gradient has units, and its items cannot be compared. Percent per percent can: the
elasticity tells which input to measure better, or to change.
"""

# %%
# Water from a well
# -----------------
# How far does the water table sink at some distance from a pumped well? Theis' formula
# has an exponential integral, :math:`E_1(u) = \int_u^\infty e^{-s} / s \, ds`. SciPy
# knows its value, and a rule says its derivative.

import numpy as np
from scipy.special import exp1

import diffmethods as dm

inputs = {
    "pumping rate / (m³/s)": 0.02,
    "transmissivity / (m²/s)": 0.005,
    "storage coefficient": 2e-4,
    "distance / m": 120.0,
    "time / s": 3600.0,
}
integral = dm.custom_rule(exp1, partials=(lambda y, u: -np.exp(-u) / u,))


def drawdown(x):
    rate, transmissivity, storage, distance, time = x
    u = distance**2 * storage / (4 * transmissivity * time)
    return rate / (4 * np.pi * transmissivity) * integral(u)


x = np.array(list(inputs.values()))
value, slopes = dm.value_and_gradient(drawdown)(x)
for name, slope in zip(inputs, slopes, strict=True):
    print(f"{name:24s} {slope:+.3e} m per unit")

# %%
# By these numbers the storage coefficient matters most by far, and the distance hardly.
# But a change of the one by 1 is impossible, and of the other small. Percent per
# percent:
#
# .. math:: E_i = \frac{x_i}{f} \frac{\partial f}{\partial x_i}
#           = \frac{\partial \log f}{\partial \log x_i}

elasticity = x * slopes / value
in_logarithms = dm.gradient(lambda z: np.log(drawdown(np.exp(z))))(np.log(x))
assert np.allclose(elasticity, in_logarithms, rtol=1e-12)
in_logarithms

# %%
# One reverse run gives all of them. Some can be foretold: the drawdown is proportional
# to the pumping rate; distance squared, storage and time enter through u alone.

from diffmethods.plotting import plot_bars

ranked = sorted(zip(inputs, elasticity, strict=True), key=lambda pair: -abs(pair[1]))
ax = plot_bars(
    {f"{name.split(' /')[0]} ({'+' if e > 0 else '-'})": abs(e) for name, e in ranked},
    title="By the percent, pumping rate and distance matter most",
    xlabel="change of the drawdown / % per % (sign beside the name)",
)
assert abs(elasticity[0] - 1) < 1e-14
assert np.allclose(elasticity[3] / elasticity[2], 2)
assert np.allclose(elasticity[4], -elasticity[2])

# %%
# What you can change, and what you know
# --------------------------------------
# An elasticity says what a percent does, not how many percent are in doubt. Storage is
# often known to a factor of two alone. Multiply, and the ranking is upside down: what
# mattered least comes first.

doubt = np.array([2.0, 20.0, 70.0, 1.0, 0.1])  # percent
effect = np.abs(elasticity) * doubt
order = np.argsort(-effect)
for i in order:
    print(f"{list(inputs)[i]:24s} {effect[i]:5.1f} % of the drawdown")
assert list(order[:2]) == [2, 1]

# %%
# Measure the storage coefficient first. A slope is the truth for small changes alone;
# for a factor of two, look how much the elasticity changes on the way.

path = x * np.ones((5, 1))
path[:, 2] *= np.array([0.5, 0.75, 1.0, 1.5, 2.0])
along = dm.gradient(lambda x: np.sum(np.log(drawdown(x.T))))(path) * path
along[:, 2]

# %%
# See also
# --------
# - :func:`diffmethods.value_and_gradient`; the size of an elasticity is a
#   :term:`condition number`.
# - :ref:`sphx_glr_auto_examples_applications_plot_error_propagation.py` adds the doubts
#   up.
# - :ref:`sphx_glr_auto_examples_applications_plot_custom_rule.py`, for rules like the
#   one above.
# - `SALib <https://salib.readthedocs.io>`_, for sensitivities over a whole range of
#   inputs.
