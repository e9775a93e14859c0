r"""
Steps that miss every wave
==========================

A difference with a long step sees a few values of a fast wave, and takes them for a
slow one. The estimate of the error is fooled, too.
"""

# %%
# What you would write
# --------------------
# :math:`\sin(1000 x)` has the slope :math:`1000 \cos 1000 = 562.38` at 1. numdifftools
# gives a derivative and an estimate of its error.

import numdifftools
import numpy as np


def wave(x):
    asked.append(float(x))
    return np.sin(1000 * x)


asked = []
found = numdifftools.Derivative(wave, full_output=True)(1.0)

# %%
# What comes out
# --------------
# Not even the sign is right, and the error is said to be a thousandth.

true = float(1000 * np.cos(1000))
slope, error = float(found.estimate), float(found.error_estimate)
assert abs(slope + 2.99) < 0.01
assert error < 0.01
slope, error, true

# %%
# These are the values that it asked for. The wave itself is drawn on the right, where
# the points are closest.

from matplotlib import pyplot as plt

_, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharey=True)
near = np.linspace(0.98, 1.02, 800)
axes[1].plot(near, np.sin(1000 * near), color="#7A7A7A", linewidth=1, label="the wave")
for ax, limits, xlabel in [
    (axes[0], (-1.1, 3.1), "x, all points"),
    (axes[1], (0.98, 1.02), "x, the closest"),
]:
    ax.plot(asked, np.sin(1000 * np.array(asked)), "o", color="#D55E00", markersize=4)
    ax.set(xlim=limits, xlabel=xlabel)
axes[0].axline((1.0, float(np.sin(1000))), slope=slope, color="#D55E00", linestyle="--")
axes[0].set(ylabel="sin(1000 x)", ylim=(-1.3, 1.3))
plt.suptitle("The tangent found belongs to the points, not to the wave")
plt.show()

# %%
# Why
# ---
# The default steps start at 2 and are halved to 1/8192. The long ones span hundreds of
# waves, and what they return is arbitrary. Extrapolation runs over all of them, and
# the estimate is the one whose neighbours agree best. Two arbitrary numbers that agree
# by chance win. Steps must be short beside the wave, :math:`h \ll 1 / 1000`, and no
# program can know that from values alone.

waves = (max(asked) - min(asked)) * 1000 / (2 * np.pi)
assert waves > 600
waves

# %%
# What to do instead
# ------------------
# Say how fast the function varies: start with a step below the length of a wave.

mended = float(numdifftools.Derivative(wave, base_step=1e-4)(1.0))
assert abs(mended / true - 1) < 1e-8
mended, mended / true - 1

# %%
# If you do not know it, look. An estimate that depends on the first step is none:

for base_step in (2.0, 0.5, 0.1, 0.01, 1e-3, 1e-4):
    found = numdifftools.Derivative(wave, base_step=base_step, full_output=True)(1.0)
    print(f"{base_step:8}: {found.estimate:9.3f} ± {found.error_estimate:.0e}")

# %%
# Methods that read the program have no step. For a black box, ``chebyshev`` chooses an
# interval on which a polynomial fits the function, and shrinks it until it does.

import diffmethods as dm

fitted = dm.derivative(lambda x: np.sin(1000 * x), method="chebyshev")(1.0)
exact = dm.derivative(lambda x: np.sin(1000 * x))(1.0)
assert abs(fitted / true - 1) < 1e-12
assert abs(exact / true - 1) < 1e-14
fitted, exact

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_numerical_plot_chebyshev.py`.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_step_size.py`: other wrong steps.
# - `numdifftools <https://numdifftools.readthedocs.io>`_, on ``base_step``.
