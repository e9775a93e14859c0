r"""
Arrays that change under the tape
=================================

Reverse mode needs the arrays of the run again on its way back. Write into one of them
in between, and the slope is that of another function.
"""

# %%
# What you would write
# --------------------
# A buffer that is filled anew for each use. The value is :math:`\sum x_i^2`; the
# buffer is reset when it is no longer needed.

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import torch


def energy(x, sum_of=np.sum):
    weights = np.ones(x.shape, x.dtype)
    weighted = x * weights
    weights[:] = 0.0
    return sum_of(weighted * weighted)


x = np.ones(3)
slopes = {
    "autograd": autograd.grad(energy)(x, anp.sum),
    "JAX": np.asarray(jax.grad(energy)(jnp.array(x), jnp.sum)),
}

# %%
# PyTorch shares the memory of a NumPy array when asked to:


def shared_energy(x):
    weights = np.ones(3)
    weighted = x * torch.from_numpy(weights)
    weights[:] = 0.0
    return torch.sum(weighted * weighted)


tensor = torch.tensor(x, requires_grad=True)
slopes["PyTorch, shared"] = torch.autograd.grad(shared_energy(tensor), tensor)[
    0
].numpy()

# %%
# What comes out
# --------------
# Zeros, without a word. The gradient of :math:`\sum x_i^2` at ones is 2, 2, 2.

assert all(np.all(slope == 0) for slope in slopes.values())
slopes

# %%
# Why
# ---
# The pullback of ``x * weights`` multiplies by ``weights``, and it does so at the end,
# when the weights are 0. A :term:`tape` keeps a reference to the array, not a copy.
#
# Who notices? PyTorch counts the changes of each tensor of its own:


def tensor_energy(x):
    weights = torch.ones(3, dtype=x.dtype)
    weighted = x * weights
    weights[:] = 0.0
    return torch.sum(weighted * weighted)


try:
    torch.autograd.grad(tensor_energy(tensor), tensor)
except RuntimeError as error:
    print(str(error).split(":")[0])
    slopes["PyTorch"] = None

# %%
# JAX's arrays cannot be changed, but NumPy's can, and JAX may keep one of the right
# precision as it is (`issue 37830 <https://github.com/jax-ml/jax/issues/37830>`_).
# ``jnp.array`` makes a copy.


def copied_energy(x):
    weights = np.ones(x.shape, x.dtype)
    weighted = x * jnp.array(weights)
    weights[:] = 0.0
    return jnp.sum(weighted * weighted)


slopes["JAX, copied"] = np.asarray(jax.grad(copied_energy)(jnp.array(x)))
assert np.all(slopes["JAX, copied"] == 2)
slopes["JAX, copied"]

# %%
# Our tape compares the arrays with what they were.

import diffmethods as dm

try:
    dm.gradient(energy, method="reverse_tape")(x)
except dm.errors.TracedValueError as error:
    print(error)
    slopes["reverse tape"] = None

# %%
# Forward mode has used the array before it changes, so it is right.

slopes["dual numbers"] = dm.gradient(energy, method="dual_numbers")(x)
assert np.all(slopes["dual numbers"] == 2)

from matplotlib import pyplot as plt

_, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
for row, slope in enumerate(slopes.values()):
    if slope is None:
        ax.annotate("refused, with an error", (0, row), va="center")
    else:
        color = "#0072B2" if slope[0] == 2 else "#D55E00"
        marker = "o" if slope[0] == 2 else "X"
        ax.plot(slope[0], row, marker, color=color, markersize=9)
ax.axvline(2, color="#7A7A7A", linewidth=1)
ax.annotate("true", (2, -0.6), ha="center", color="#7A7A7A")
ax.set(
    title="Three are wrong without a word, two refuse, two are right",
    xlabel="slope by each item",
    yticks=range(len(slopes)),
    yticklabels=slopes,
    xlim=(-0.2, 2.4),
    ylim=(len(slopes) - 0.5, -0.9),
)
plt.show()

# %%
# What to do instead
# ------------------
# Make a new array instead of changing one that was used.


def tidy_energy(x, sum_of=np.sum):
    weights = np.ones(x.shape, x.dtype)
    weighted = x * weights
    weights = np.zeros(x.shape, x.dtype)  # the old one stays as it was
    return sum_of(weighted * weighted)


mended = autograd.grad(tidy_energy)(x, anp.sum)
assert np.all(mended == 2)
assert np.all(jax.grad(tidy_energy)(jnp.array(x), jnp.sum) == 2)
mended

# %%
# The other direction, a result that is filled item by item, is refused by most. JAX
# says what to write: ``at[...].set`` makes a new array.


def filled(x):
    out = jnp.zeros(2)
    return jnp.sum(out.at[0].set(x * x).at[1].set(x))


slope = float(jax.grad(filled)(2.0))
assert slope == 5
slope

# %%
# In plain NumPy, collect the items and join them.

slope = dm.derivative(lambda x: np.sum(np.stack([x * x, x])), method="reverse_tape")(
    2.0
)
assert slope == 5
slope

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_reverse_plot_reverse_tape.py`,
#   :ref:`sphx_glr_auto_examples_reverse_plot_autograd.py`.
# - JAX on `in-place updates
#   <https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html>`_.
# - PyTorch on `in-place operations
#   <https://docs.pytorch.org/docs/stable/notes/autograd.html>`_.
