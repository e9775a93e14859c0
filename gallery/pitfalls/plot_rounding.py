r"""
Rounded, floored, cast to integers
==================================

A function that rounds is flat between its jumps. Its slope is 0, which is true and of
no use; and some zeros are false.
"""

# %%
# What you would write
# --------------------
# A price, rounded down to cents, after a growth of x percent. By how much does it grow
# with x?

import jax
import jax.numpy as jnp
import torch


def price(x, floor):
    return floor(100 * 250.0 * (1 + x / 100)) / 100


x = torch.tensor(3.3, dtype=torch.float64, requires_grad=True)
slopes = {
    "JAX": float(jax.grad(price)(3.3, jnp.floor)),
    "PyTorch": float(torch.autograd.grad(price(x, torch.floor), x)[0]),
}

# %%
# What comes out
# --------------
# 0, where the answer is 2.5 for a percent.

assert slopes == {"JAX": 0.0, "PyTorch": 0.0}
slopes

# %%
# The cast to an integer does the same, and so does ``//`` in JAX. PyTorch has no rule
# for ``//`` and says so.

casts = {
    "round": float(jax.grad(lambda x: price(x, jnp.round))(3.3)),
    "astype(int)": float(jax.grad(lambda x: price(x, lambda y: y.astype(int)))(3.3)),
    "// 1": float(jax.grad(lambda x: price(x, lambda y: y // 1))(3.3)),
}
assert set(casts.values()) == {0.0}
try:
    torch.autograd.grad(price(x, lambda y: y // 1), x)
except RuntimeError as error:
    print(error)
casts

# %%
# An array of integers is the trap of differences by hand. The step of a millionth is
# added, and cut off when it is stored:

import numpy as np


def numerical_gradient(f, x, h=1e-6):
    slopes = []
    for i in range(len(x)):
        moved = x.copy()
        moved[i] += h
        slopes.append(float((f(moved) - f(x)) / h))
    return slopes


def length(x):
    return np.sqrt(np.sum(x**2))


cut_off = numerical_gradient(length, np.array([3, 4]))
assert cut_off == [0, 0]
cut_off

# %%
# Why
# ---
# Seen closely the price is a staircase. Between two jumps it does not change, and
# across one it has no slope. The trend is in the jumps, which no derivative sees.

from matplotlib import pyplot as plt

t = np.linspace(3.28, 3.32, 801)
_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.plot(t, 250 * (1 + t / 100), "--", color="#0072B2", label="not rounded: slope 2.5")
ax.plot(t, price(t, np.floor), color="#D55E00", label="rounded down: slope 0")
ax.set(
    title="Every step of the staircase is flat",
    xlabel="growth x, percent",
    ylabel="price",
)
ax.ticklabel_format(useOffset=False)
ax.legend()
plt.show()

# %%
# For the integers, ``moved[i] += h`` writes 3.000001 into an array that has room for
# 3.

# %%
# What to do instead
# ------------------
# Differentiate before you round: leave the floor out of the function, and apply it to
# the result that you show.

mended = float(jax.grad(lambda x: price(x, lambda y: y))(3.3))
assert abs(mended - 2.5) < 1e-6
mended

# %%
# If the rounded value has to be used within, say what its slope shall be. *Straight
# through* takes that of the value before rounding:


def floor_straight_through(y):
    return y + jax.lax.stop_gradient(jnp.floor(y) - y)


through = float(jax.grad(price)(3.3, floor_straight_through))
assert abs(through - 2.5) < 1e-6
through

# %%
# Convert integers at the door. ``diffmethods`` does; JAX, PyTorch and autograd refuse
# them.

import diffmethods as dm

converted = numerical_gradient(length, np.array([3.0, 4.0]))
ours = dm.gradient(length)(np.array([3, 4]))
assert np.allclose(converted, [0.6, 0.8], atol=1e-6)
assert np.allclose(ours, [0.6, 0.8], rtol=1e-15)
try:
    jax.grad(lambda x: x**2)(3)
except TypeError as error:
    print(str(error).split(",")[0])
ours

# %%
# ``diffmethods`` also gives 0 for ``np.floor``, as :doc:`/explanation/conventions`
# explains, and refuses the cast to integers.

assert dm.derivative(lambda x: price(x, np.floor))(3.3) == 0
try:
    dm.derivative(lambda x: price(x, int))(3.3)
except dm.errors.TracedValueError as error:
    print(error)

# %%
# See also
# --------
# - :doc:`/explanation/conventions`, on jumps and steps.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_plain_numbers.py`: where the cast is not
#   seen.
