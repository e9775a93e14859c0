r"""
A sparse matrix costs a product a colour
========================================

A Hessian of a hundred thousand rows, nearly all of it zeros, takes three products with
it. Which three, colours tell: two columns of one colour never meet in a row.
"""

# %%
# Columns that do not meet
# ------------------------
# Rosenbrock's function couples each variable with the next one, so that its Hessian has
# three diagonals. Columns 0, 3, 6, ... have no row in common. One product of the
# Hessian with the sum of their unit vectors therefore holds all their items, side by
# side, and so for 1, 4, 7, ... and 2, 5, 8, ... :cite:p:`curtis1974`.

import time

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse.linalg import spsolve

import diffmethods as dm
from diffmethods.colouring import star_colours
from diffmethods.dependence import hessian_pattern


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


x = np.linspace(-1, 1, 9)
three = np.stack([np.arange(9) % 3 == colour for colour in range(3)]).astype(float)
product = dm.hvp(rosenbrock, method="reverse_tape")
compressed = np.stack([product(x, seed) for seed in three])
compressed.round(1)

# %%
# Row 4 of the Hessian, read from its neighbours' colours:

whole = dm.hessian(rosenbrock, method="reverse_tape")(x)
assert np.array_equal(compressed[[0, 1, 2], 4], whole[4, [3, 4, 5]])
compressed[[0, 1, 2], 4], whole[4, 3:6]

# %%
# In one line
# -----------
# The operators do all of this when they are asked for the pattern. ``sparse_hessian``
# and ``sparse_jacobian`` give a sparse array of SciPy; ``hessian`` and ``jacobian``
# give the array that they always give, in less time.

hessian = dm.sparse_hessian(rosenbrock, method="numpy_source")
hessian(np.linspace(-1, 1, 100_000))

# %%

dense = dm.hessian(rosenbrock, method="numpy_source", sparsity="detect")(x)
assert np.allclose(dense, whole, rtol=1e-14)
dense.shape

# %%
# Where the pattern comes from
# ----------------------------
# ``sparsity="detect"`` runs f on stand-ins that carry, for each item, the set of
# variables behind it :cite:p:`hill2025`. For a Hessian it runs the reading of the tape:
# the gradient is a program, too. Three functions, and what the sets say of their
# Hessians, each item with its column's colour:


def hub(x):
    return x[0] * np.sum(x[1:] ** 2)


def membrane(x):
    height = np.pad(np.reshape(x, (4, 4)), 1)
    across, down = np.diff(height, axis=0), np.diff(height, axis=1)
    return np.sum(across**4) + np.sum(down**4)


functions = {"chain": rosenbrock, "hub": hub, "membrane": membrane}
inks = ("#0072B2", "#D55E00", "#008F68", "#BE6A98", "#7A7A7A", "#000000")
counts = {}
fig, axes = plt.subplots(1, 3, figsize=(9, 3.6), layout="constrained")
for ax, (name, f) in zip(axes, functions.items(), strict=True):
    pattern = hessian_pattern(f, np.linspace(0.1, 1.6, 16))
    colours = star_colours(pattern)
    counts[name] = colours.max() + 1
    rows, columns = pattern.nonzero()
    for colour in range(counts[name]):
        own = colours[columns] == colour
        marker = {"marker": f"${colour + 1}$", "markersize": 6, "linestyle": "none"}
        ax.plot(columns[own], rows[own], color=inks[colour % 6], **marker)
    ax.set(xticks=(0, 5, 10, 15), yticks=(0, 5, 10, 15))
    ax.set(xlabel="column", ylabel="row", xlim=(-1, 16), ylim=(16, -1), aspect="equal")
    ax.set_title(f"{name}: {counts[name]} colours")
title = fig.suptitle("Sixteen variables, and far fewer colours than columns")

# %%
# The hub meets every column in its row, so that columns which must not meet would need
# a colour each. A Hessian is symmetric, and each item may be read in its own row or in
# its mirror's. That is enough if no path of four vertices of the matrix's graph has two
# colours only: a *star colouring* :cite:p:`coleman1984,gebremedhin2005`. Two colours
# then do for the hub.

assert counts == {"chain": 3, "hub": 2, "membrane": counts["membrane"]}
assert counts["membrane"] < 10

# %%
# Cost
# ----
# The time of f, of its gradient and of its Hessian, whole and by colours. Finding
# pattern and colours happens at the first point alone; the dotted line is that first
# call.

sizes = (100, 1_000, 10_000, 100_000)
makers = {
    "f": lambda: rosenbrock,
    "gradient": lambda: dm.gradient(rosenbrock, method="numpy_source"),
    "sparse Hessian": lambda: dm.sparse_hessian(rosenbrock, method="numpy_source"),
    "whole Hessian": lambda: dm.hessian(rosenbrock, method="numpy_source"),
}


def seconds(run, x, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(x)
        times.append(time.perf_counter() - start)
    return min(times)


cost = {name: [] for name in ("f", "gradient", "sparse Hessian", "whole Hessian")}
first = []
for n in sizes:
    point = np.random.default_rng(n).uniform(-1, 1.5, n)
    for name, make in makers.items():
        if name == "whole Hessian" and n > 1_000:
            continue
        run = make()
        start = seconds(run, point, 1)
        if name == "sparse Hessian":
            first.append(start)
        cost[name].append(seconds(run, point, 3 if n > 10_000 else 10))

# %%

fig, ax = plt.subplots(figsize=(7.2, 4.8))
styles = ("o- #7A7A7A", "v-. #008F68", "s- #0072B2", "D-- #D55E00")
for (name, times), style in zip(cost.items(), styles, strict=True):
    line, color = style.split()
    ax.loglog(sizes[: len(times)], times, line, color=color, label=name)
ax.loglog(sizes, first, "s:", color="#0072B2", fillstyle="none", label="the first call")
ax.set(xlabel="number of variables", ylabel="time of one call (s)")
legend = ax.legend(frameon=False)
title = ax.set_title(
    "Three products and a check: the cost grows as n, not as n squared"
)

# %%
# The sparse Hessian as a multiple of f, for each number of variables:

for n, own, base in zip(sizes, cost["sparse Hessian"], cost["f"], strict=True):
    print(f"{n:7,d} variables: {own / base:4.0f} times f")

# %%
# Never wrong without a word
# --------------------------
# A pattern is a promise, and promises break: you may have forgotten an item, or f may
# branch. So every evaluation makes one product more, along a direction at random, and
# compares it with what the items say. A given pattern that misses an item is an error:

try:
    dm.sparse_hessian(hub, sparsity=np.eye(16))(np.linspace(0.1, 1.6, 16))
except dm.errors.SparsityError as error:
    print(error)
else:
    raise AssertionError("a wrong pattern went unseen")

# %%
# A detected pattern holds for the branches that f took when it was traced. Where it
# stops to hold, it is detected anew:


def folded(x):
    return x * np.roll(x, 1) if x[0] > 0 else x * np.roll(x, 2)


jacobian = dm.sparse_jacobian(folded)
for x in (np.arange(1.0, 9.0), -np.arange(1.0, 9.0)):
    assert np.array_equal(jacobian(x).toarray(), dm.jacobian(folded)(x))

# %%
# Newton's method in ten thousand variables
# -----------------------------------------
# A sparse Hessian is worth as much again where it is used: the system of each Newton
# step is solved in linear time. ``scipy.optimize`` takes ``hess=dm.sparse_hessian(f)``
# and ``jac=dm.sparse_jacobian(f)`` where its methods take sparse matrices.

gradient = dm.gradient(rosenbrock, method="numpy_source")
x = np.full(10_000, 1.2)
steps = 0
while np.abs(gradient(x)).max() > 1e-10:
    x = x - spsolve(hessian(x).tocsc(), gradient(x))
    steps += 1
assert np.allclose(x, 1)
steps

# %%
# See also
# --------
# - :cite:t:`gebremedhin2005` survey what to colour for which matrix, and how.
# - :cite:t:`hill2025` on the detection by sets of indices; their Julia packages are the
#   most complete that there are, and `asdex <https://pypi.org/project/asdex/>`__ does
#   the same for JAX.
# - :cite:t:`coleman1983` showed that finding the fewest colours is as hard as colouring
#   any graph, and that taking the next free one is close.
