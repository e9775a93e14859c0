r"""
A branch on one point
=====================

A branch that mends the value at one point has a slope of its own there, and most often
the wrong one.
"""

# %%
# What you would write
# --------------------
# :math:`x^2`, with the value at 1 put in by hand. As a function nothing has changed.

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp


def square(x, np):
    return np.where(x == 1, 1.0, x * x)


slopes = {
    "JAX": float(jax.grad(square)(1.0, jnp)),
    "autograd": float(autograd.grad(square)(1.0, anp)),
}

# %%
# What comes out
# --------------
# 0, where the slope of :math:`x^2` is 2. At every other point it is right.

import numpy as np
from matplotlib import pyplot as plt

assert slopes == {"JAX": 0.0, "autograd": 0.0}
points = np.linspace(0.5, 1.5, 21)
found = jax.vmap(jax.grad(lambda x: square(x, jnp)))(jnp.array(points))
_, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ax.plot(points, 2 * points, color="#7A7A7A", linewidth=1, label="true slope")
ax.plot(points, found, "o", color="#D55E00", markersize=5, label="JAX")
ax.set(
    title="One point in the program, one point off the curve",
    xlabel="x",
    ylabel="slope of where(x == 1, 1, x * x)",
)
ax.legend()
plt.show()
slopes

# %%
# Nobody writes that; but everybody writes this, to keep 0/0 away:


def sinc(x):
    return jnp.where(x == 0, 1.0, jnp.sin(x) / jnp.where(x == 0, 1.0, x))


# %%
# The first derivative at 0 is right, by luck, since 0 is also the slope of a constant.
# The second is not: it is :math:`-1/3`.

second = float(jax.grad(jax.grad(sinc))(0.0))
assert second == 0
second

# %%
# Why
# ---
# A program is differentiated along the branch that it takes, as if the point lay in the
# middle of it. On the branch ``x == 1`` the result is a constant. What the function is
# on both sides of that point is in the other branch, where nobody looks.
#
# The same holds for ``if x == 0: return 1.0``, and for tables that are looked up where
# they fit exactly. Our rules do no better, as they follow the branch, too:

import diffmethods as dm

ours = dm.derivative(lambda x: square(x, np))(1.0)
assert ours == 0
ours

# %%
# What to do instead
# ------------------
# Put the branch on an interval, and on it a formula with the right derivatives: the
# first terms of the series.


def smooth_sinc(x):
    near = jnp.abs(x) < 0.1
    safe = jnp.where(near, 1.0, x)
    series = 1 - x**2 / 6 * (1 - x**2 / 20 * (1 - x**2 / 42 * (1 - x**2 / 72)))
    return jnp.where(near, series, jnp.sin(safe) / safe)


with jax.enable_x64(True):
    mended = float(jax.grad(jax.grad(smooth_sinc))(0.0))
assert abs(mended + 1 / 3) < 1e-15
mended

# %%
# Or take a function that has a rule for its gap: ``np.sinc`` is
# :math:`\sin(\pi x) / (\pi x)`, with the second derivative :math:`-\pi^2 / 3`.

found = dm.derivative(np.sinc, order=2)(0.0)
assert abs(found / (-(np.pi**2) / 3) - 1) < 1e-14
found

# %%
# Differences look at both sides, so they notice.

try:
    dm.check_gradient(lambda x: square(x, np), 1.0, name="square")
except dm.errors.WrongDerivativeError as error:
    print(error)

# %%
# See also
# --------
# - :func:`~diffmethods.check_gradient`.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_where.py`, why ``where`` stands there
#   twice.
# - :doc:`/explanation/conventions`, on branches and limits.
