r"""
Kinks: one function, three slopes
=================================

At a kink there is no derivative, and every library returns something. Sometimes there
is one, and libraries return NaN.
"""

# %%
# What you would write
# --------------------
# Slopes at 0 of :math:`|x|`, of :math:`\max(x, 0)`, which has several names, and of
# :math:`\sqrt{x^4}`. The last is :math:`x^2`, smooth with slope 0.

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import torch


def by_torch(f):
    x = torch.tensor(0.0, requires_grad=True)
    return float(torch.autograd.grad(f(x), x)[0])


def by_jax(f):
    return float(jax.grad(f)(0.0))


def by_autograd(f):
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(autograd.grad(f)(0.0))


def show(slopes):
    for name, slope in slopes.items():
        print(f"{name:14} {slope}")


# %%
# What comes out
# --------------
# JAX:

slopes = {
    "JAX": {
        "abs(x)": by_jax(jnp.abs),
        "maximum(x, 0)": by_jax(lambda x: jnp.maximum(x, 0.0)),
        "relu(x)": by_jax(jax.nn.relu),
        "clip(x, 0, 1)": by_jax(lambda x: jnp.clip(x, 0.0, 1.0)),
        "sqrt(x**4)": by_jax(lambda x: jnp.sqrt(x**4)),
    }
}
assert list(slopes["JAX"].values())[:4] == [1, 0.5, 0, 0.5]
show(slopes["JAX"])

# %%
# PyTorch:

slopes["PyTorch"] = {
    "abs(x)": by_torch(torch.abs),
    "maximum(x, 0)": by_torch(lambda x: torch.maximum(x, torch.tensor(0.0))),
    "relu(x)": by_torch(torch.relu),
    "clip(x, 0, 1)": by_torch(lambda x: torch.clip(x, 0.0, 1.0)),
    "sqrt(x**4)": by_torch(lambda x: torch.sqrt(x**4)),
}
assert list(slopes["PyTorch"].values())[:4] == [0, 0.5, 0, 1]
show(slopes["PyTorch"])

# %%
# Autograd, which has no relu:

slopes["autograd"] = {
    "abs(x)": by_autograd(anp.abs),
    "maximum(x, 0)": by_autograd(lambda x: anp.maximum(x, 0.0)),
    "relu(x)": by_autograd(lambda x: anp.where(x > 0, x, 0.0)),
    "clip(x, 0, 1)": by_autograd(lambda x: anp.clip(x, 0.0, 1.0)),
    "sqrt(x**4)": by_autograd(lambda x: anp.sqrt(x**4)),
}
assert list(slopes["autograd"].values())[:4] == [0, 0.5, 0, 0]
assert all(np.isnan(found["sqrt(x**4)"]) for found in slopes.values())
show(slopes["autograd"])

# %%
# Side by side; a cross is NaN.

from matplotlib import pyplot as plt

_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
marks = [
    ("JAX", "o", "#0072B2"),
    ("PyTorch", "s", "#D55E00"),
    ("autograd", "^", "#008F68"),
]
for row, (library, marker, color) in enumerate(marks):
    heights = np.arange(5) + 0.22 * (row - 1)
    found = np.array(list(slopes[library].values()))
    ax.plot(found, heights, marker, color=color, markersize=8, label=library)
    missing = np.isnan(found)
    ax.plot(
        np.full(missing.sum(), 1.4), heights[missing], "x", color=color, markersize=8
    )
ax.set(
    title="max(x, 0) has the slope 0, 0.5 or 1; a smooth root has none",
    xlabel="slope at 0",
    yticks=range(5),
    yticklabels=slopes["JAX"],
    xticks=[0, 0.5, 1, 1.4],
    xticklabels=["0", "0.5", "1", "NaN"],
)
ax.invert_yaxis()
ax.legend(loc="upper left", bbox_to_anchor=(0, -0.2), ncols=3)
plt.show()

# %%
# Why
# ---
# At a kink any slope between those of the two sides can be defended, and each rule
# takes the one that is handy: 1 where the rule reads ``x >= 0``, 0 where it reads
# ``sign(x)``, 0.5 where ties are shared.
#
# The NaN is another matter. The chain rule at 0 multiplies the slope of the root, which
# is infinite, by that of :math:`x^4`, which is 0.
#
# .. math:: \frac{1}{2 \sqrt{x^4}} \cdot 4 x^3 = \infty \cdot 0
#
# The same happens to the length of a vector at 0, and NaN spreads to all that is
# computed from it.

float(jax.grad(lambda x: jnp.linalg.norm(jnp.stack([x, x])))(0.0))

# %%
# What to do instead
# ------------------
# Do not let the result hang on a kink: an algorithm that stops at one exactly needs a
# convention, and has to say which. ``diffmethods`` takes the mean of both sides,
# whatever the function is called, as :doc:`/explanation/conventions` says.

import diffmethods as dm

kinks = (np.abs, lambda x: np.maximum(x, 0.0), lambda x: np.clip(x, 0.0, 1.0))
assert [dm.derivative(f)(0.0) for f in kinks] == [0, 0.5, 0.5]

# %%
# For the NaN, take the root where it is safe, and simplify: :math:`\sqrt{x^4} = x^2`.

mended = by_jax(lambda x: x**2)
assert mended == 0
mended

# %%
# A Taylor series needs no such care. It divides whole series, and sees that the root of
# :math:`x^4` begins with :math:`x^2`. Rules that are applied at the number, such as
# those of dual numbers, cannot: they say NaN, too.

by_series = dm.derivative(lambda x: np.sqrt(x**4), method="taylor_series")(0.0)
with np.errstate(divide="ignore", invalid="ignore"):
    by_rules = dm.derivative(lambda x: np.sqrt(x**4), method="dual_numbers")(0.0)
assert by_series == 0
assert np.isnan(by_rules)
by_series, by_rules

# %%
# See also
# --------
# - :doc:`/explanation/conventions`, what this package returns and why.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_where.py`: the other way to NaN.
# - :ref:`sphx_glr_auto_examples_forward_plot_taylor_series.py`.
