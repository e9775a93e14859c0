r"""
The tail that rounds to zero
============================

The slope of tanh at 20 is :math:`1.699\dots \cdot 10^{-17}`. Two libraries say 0, in
float64.
"""

# %%
# What you would write
# --------------------
# The gradient of the library's own tanh:

import jax
import jax.numpy as jnp
import torch

x = torch.tensor(20.0, dtype=torch.float64, requires_grad=True)
slopes = {"PyTorch": float(torch.autograd.grad(torch.tanh(x), x)[0])}
with jax.enable_x64(True):
    slopes["JAX"] = float(jax.grad(jnp.tanh)(20.0))

# %%
# What comes out
# --------------
# Zero from both, where mpmath finds a number that float64 holds to all its digits.

import mpmath

true = float(mpmath.sech(20) ** 2)
assert slopes == {"PyTorch": 0.0, "JAX": 0.0}
slopes, true

# %%
# Zero is not what a small number rounds to: a logarithm of this slope, a division by
# it, or a Newton step is lost. The digits go one by one on the way there.

import numpy as np
from matplotlib import pyplot as plt

points = np.linspace(10, 25, 301)
exact = np.array([float(mpmath.sech(point) ** 2) for point in points])
with jax.enable_x64(True):
    by_jax = np.asarray(jax.jit(jax.vmap(jax.grad(jnp.tanh)))(points))
x = torch.tensor(points, requires_grad=True)
by_torch = torch.autograd.grad(torch.tanh(x).sum(), x)[0].numpy()
gone = points[(by_jax == 0) & (by_torch == 0)][0]

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.semilogy(points, exact, color="#7A7A7A", linewidth=5, alpha=0.6, label="true slope")
for name, y, style in [("JAX", by_jax, "-"), ("PyTorch", by_torch, "--")]:
    color = "#0072B2" if name == "JAX" else "#D55E00"
    ax.semilogy(points, np.where(y > 0, y, np.nan), style, color=color, label=name)
ax.axvline(gone, color="#7A7A7A", linestyle=":")
ax.annotate("both 0 from here on", (gone, 1e-9), (5, 0), textcoords="offset points")
ax.set(
    title=f"The slopes leave the curve one after the other; both are 0 by {gone:.0f}",
    xlabel="x",
    ylabel="slope of tanh",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# Both take the slope from the value, as it is there already: PyTorch as
# :math:`1 - \tanh^2 x`, JAX as :math:`(1 + \tanh x)(1 - \tanh x)`. Below 1 the numbers
# of float64 lie :math:`2^{-53} \approx 1.1 \cdot 10^{-16}` apart, so a difference from
# 1 is a multiple of that, or nothing. JAX's tanh also stays at one number below 1 for a
# while, and its slope with it. From 20 on, all agree that :math:`\tanh x` is 1.

float(np.tanh(20.0)), 1 - float(np.tanh(20.0)) ** 2

# %%
# What to do instead
# ------------------
# Use a form without the subtraction, :math:`\tanh' x = 1 / \cosh^2 x`. In JAX, give
# tanh a rule of its own:


@jax.custom_jvp
def stable_tanh(x):
    return jnp.tanh(x)


stable_tanh.defjvps(lambda tangent, y, x: tangent / jnp.cosh(x) ** 2)
with jax.enable_x64(True):
    mended = float(jax.grad(stable_tanh)(20.0))
assert abs(mended / true - 1) < 1e-14
mended

# %%
# ``diffmethods`` has that form in its table of rules, and every method that uses the
# table keeps the tail.

import diffmethods as dm

slope = dm.derivative(np.tanh)(20.0)
assert abs(slope / true - 1) < 1e-15
slope

# %%
# The same happens wherever a rule subtracts from 1: the logistic function,
# :math:`s' = s (1 - s)`, loses its slope on the right. ``-x`` in place of ``1 - s``
# keeps it: :math:`s'(x) = s(x)\, s(-x)`.

with jax.enable_x64(True):
    lost = float(jax.grad(jax.nn.sigmoid)(40.0))
    kept = float(jax.nn.sigmoid(40.0) * jax.nn.sigmoid(-40.0))
logistic = float(1 / (mpmath.exp(20) + mpmath.exp(-20)) ** 2)
assert lost == 0
assert abs(kept / logistic - 1) < 1e-14
lost, kept

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_libraries_plot_jax.py`, where the digits are counted.
# - :ref:`sphx_glr_auto_examples_libraries_plot_tensorflow.py`, which loses them, too.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_default_precision.py`, the same
#   cancellation with fewer digits and higher orders.
# - JAX on `custom derivative rules
#   <https://docs.jax.dev/en/latest/notebooks/Custom_derivative_rules_for_Python_code.html>`_.
