r"""
An elementwise derivative of what is not
========================================

Ask for "the derivative" of a running sum, and each tool gives another answer. None
complains.
"""

# %%
# What you would write
# --------------------
# The derivative of ``cumsum`` at every item of an array, by three idioms: the
# elementwise gradient of a library, a library of differences, and a difference by hand.

import autograd
import autograd.numpy as anp
import numdifftools
import numpy as np

x = np.array([1.0, 2.0, 3.0])
by_autograd = autograd.elementwise_grad(anp.cumsum)(x)
by_numdifftools = numdifftools.Derivative(np.cumsum)(x)
by_hand = (np.cumsum(x + 1e-6) - np.cumsum(x - 1e-6)) / 2e-6

# %%
# What comes out
# --------------
# Three answers. How each item of the result depends on the same item of x is
# [1, 1, 1].

assert np.allclose(by_autograd, [3, 2, 1])
assert np.allclose(by_hand, [1, 2, 3])
assert not np.allclose(by_numdifftools, 1, atol=0.1)
by_autograd, by_numdifftools, by_hand

# %%
# The derivative of three results by three arguments has nine numbers. Two of the
# answers are sums of them:

import diffmethods as dm

jacobian = dm.jacobian(np.cumsum)(x)
assert np.array_equal(jacobian.sum(axis=0), by_autograd)
assert np.allclose(jacobian.sum(axis=1), by_hand)
jacobian

# %%
# In a picture:

from matplotlib import pyplot as plt

fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for (i, j), entry in np.ndenumerate(jacobian):
    weight = "bold" if i == j else "normal"
    ax.annotate(f"{entry:.0f}", (j, i), ha="center", va="center", weight=weight)
for k in range(3):
    ax.annotate(
        f"{by_hand[k]:.0f}", (3.3, k), ha="center", va="center", color="#D55E00"
    )
    ax.annotate(
        f"{by_autograd[k]:.0f}", (k, 3.2), ha="center", va="center", color="#0072B2"
    )
ax.annotate("row sums: a difference", (3.6, 1), va="center", color="#D55E00")
ax.annotate("column sums: elementwise_grad", (1, 3.7), ha="center", color="#0072B2")
ax.plot([2.6, 2.6, -0.5], [-0.5, 2.6, 2.6], color="#7A7A7A", linewidth=1)
ax.set(
    title="Neither sum is the diagonal",
    xlabel="item of x",
    ylabel="item of cumsum(x)",
    xlim=(-0.5, 5.4),
    ylim=(3.9, -0.5),
    xticks=range(3),
    yticks=range(3),
)
ax.grid(False)
plt.show()

# %%
# Why
# ---
# An :term:`elementwise` function has a diagonal :term:`Jacobian`, and then all
# shortcuts give the diagonal: to pull back ones sums the columns, to move all items
# together sums the rows. The shortcut is taken, and the assumption not checked.
#
# numdifftools moves all items together as well, but by steps that depend on each
# item's size, so what it returns is a mixture with weights that mean nothing.
#
# The same goes for functions that normalize, such as softmax and
# :math:`x / \sum x`, for matrix products, and for sorting.

# %%
# What to do instead
# ------------------
# Decide which of the nine numbers you want. All of them are the Jacobian, and its
# diagonal is the elementwise part.

assert np.array_equal(np.diag(autograd.jacobian(anp.cumsum)(x)), np.ones(3))
np.diag(jacobian)

# %%
# Sums with weights of yours are one :term:`JVP` or :term:`VJP`, much cheaper than the
# Jacobian.

rows = dm.jvp(np.cumsum)(x, np.ones(3))
columns = dm.vjp(np.cumsum)(x, np.ones(3))
assert np.array_equal(rows, [1, 2, 3])
assert np.array_equal(columns, [3, 2, 1])
rows, columns

# %%
# ``derivative`` is for elementwise functions alone, and checks that yours is one.

try:
    dm.derivative(np.cumsum)(x)
except dm.errors.ShapeError as error:
    print(error)

# %%
# See also
# --------
# - :func:`~diffmethods.derivative`, :func:`~diffmethods.jacobian`,
#   :func:`~diffmethods.jvp`, :func:`~diffmethods.vjp`.
# - :ref:`sphx_glr_auto_examples_comparisons_plot_sparsity_by_colouring.py`: when most
#   of the numbers are 0.
