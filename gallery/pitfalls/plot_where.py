r"""
The branch that was not taken
=============================

``where(x > 0, sqrt(x), 0)`` is 0 for negative x, and so is its slope. Libraries say
NaN.
"""

# %%
# What you would write
# --------------------
# A root that is 0 on the left, with a guard against negative numbers:

import jax
import jax.numpy as jnp
import torch


def guarded(x, where, sqrt):
    return where(x > 0, sqrt(x), 0.0)


by_jax = float(jax.grad(guarded)(-1.0, jnp.where, jnp.sqrt))
x = torch.tensor(-1.0, requires_grad=True)
by_torch = float(torch.autograd.grad(guarded(x, torch.where, torch.sqrt), x)[0])

# %%
# What comes out
# --------------
# The guard keeps NaN out of the value, and not out of the slope.

import math

assert math.isnan(by_jax)
assert math.isnan(by_torch)
by_jax, by_torch

# %%
# In a sum over many items one such slope is enough to spoil a whole step of an
# optimizer.

import numpy as np
from matplotlib import pyplot as plt

points = np.linspace(-1, 1, 41)
slopes = np.asarray(
    jax.vmap(jax.grad(lambda x: guarded(x, jnp.where, jnp.sqrt)))(jnp.array(points))
)
_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
lost = np.isnan(slopes)
assert list(lost) == list(points <= 0)
ax.plot(points, slopes, "o", color="#0072B2", markersize=4, label="slope")
ax.plot(points[lost], 0 * points[lost], "x", color="#D55E00", label="NaN; 0 is right")
ax.set(
    title="The slope is NaN exactly where the guard is at work",
    xlabel="x",
    ylabel="slope of where(x > 0, sqrt(x), 0)",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# ``where`` computes both branches, and its pullback feeds both: the branch that was not
# taken gets the :term:`cotangent` 0. The rule of the root then multiplies it by
# :math:`1 / (2 \sqrt{x})`, which at -1 is NaN and at 0 infinite, and 0 times either is
# NaN.

with np.errstate(invalid="ignore", divide="ignore"):
    print(0.0 * (0.5 / np.sqrt(np.array([-1.0, 0.0]))))

# %%
# What to do instead
# ------------------
# Guard the argument as well, so that the root never sees a negative number: the
# *double where*.


def twice_guarded(x, where, sqrt):
    positive = x > 0
    return where(positive, sqrt(where(positive, x, 1.0)), 0.0)


mended = (
    float(jax.grad(twice_guarded)(-1.0, jnp.where, jnp.sqrt)),
    float(torch.autograd.grad(twice_guarded(x, torch.where, torch.sqrt), x)[0]),
)
assert mended == (0.0, 0.0)
mended

# %%
# On the other side it is still the root:

right = float(jax.grad(twice_guarded)(4.0, jnp.where, jnp.sqrt))
assert right == 0.25
right

# %%
# In ``diffmethods`` a weight of 0 wins over NaN, through JAX as well. NumPy still warns
# about the root of a negative number, which is a warning about the value.

import diffmethods as dm


def plain(x):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(x > 0, np.sqrt(x), 0.0)


found = [
    dm.derivative(plain, method=m)(-1.0)
    for m in ("dual_numbers", "reverse_tape", "jax")
]
assert found == [0, 0, 0]
found

# %%
# To find where a NaN comes from, ask JAX to stop at the first one.

with jax.debug_nans(True):
    try:
        jax.grad(guarded)(-1.0, jnp.where, jnp.sqrt)
    except FloatingPointError as error:
        print(str(error).splitlines()[0])

# %%
# See also
# --------
# - JAX on `gradients that contain where
#   <https://docs.jax.dev/en/latest/faq.html>`_.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_equality.py`: a branch that is right for
#   the value and wrong for the slope.
# - :doc:`/explanation/conventions`, on branches.
