r"""
Rows against columns
====================

A Jacobian of m rows and n columns: forward mode pays for the columns, reverse mode for
the rows, and differences pay for the columns twice.
"""

# %%
# The same work, other shapes
# ---------------------------
# A network of layers of 32 units takes n numbers to m. Its cost hardly depends on m and
# n, so that any difference in the cost of the Jacobian is due to its shape. There are
# always 1,024 items in it.

import time

import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import plot_methods

rng = np.random.default_rng(0)
inner = [rng.normal(size=(32, 32)) / 6 for _ in range(3)]
shapes = [(4**k, 4 ** (5 - k)) for k in range(6)]


def network(m, n):
    first, last = rng.normal(size=(32, n)) / np.sqrt(n), rng.normal(size=(m, 32)) / 6

    def f(x):
        y = first @ x
        for layer in inner:
            y = layer @ np.tanh(y)
        return last @ np.tanh(y)

    return f


# %%
# The shortest processor time of a few calls, as a multiple of that of f. A method whose
# Jacobian takes more than a twentieth of a second is not asked for another shape.

ENOUGH = 0.05


def seconds(run, x):
    times = []
    while len(times) < 2 or (len(times) < 20 and sum(times) < ENOUGH / 4):
        start = time.process_time()
        run(x)
        times.append(time.process_time() - start)
        if times[0] > 2 * ENOUGH:
            break
    return min(times)


def cost(method, order):
    """By the number of columns over that of rows."""
    found = {}
    for m, n in order:
        f, x = network(m, n), np.linspace(-1, 1, n)
        base = seconds(f, x)
        try:
            took = seconds(dm.jacobian(f, method=method), x)
        except dm.errors.DiffmethodsError as error:
            print(f"{method} gives none: {str(error)[:60]} ...")
            break
        found[n / m] = took / base
        if took > ENOUGH:
            break
    return found


# %%
# Each method starts with the square shape and goes to both sides for as long as it can.
# Symbolic ones are left out: this network is a formula of many thousands of terms.

methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
costs = {}
for name in methods:
    if methods[name].family == "symbolic":
        continue
    upwards, downwards = cost(name, shapes[2::-1]), cost(name, shapes[3:])
    costs[name] = dict(sorted((upwards | downwards).items()))
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")

# %%

ax = plot_methods(
    {name: (list(each), list(each.values())) for name, each in costs.items() if each},
    title="Wide Jacobians are cheap by rows, tall ones by columns",
    xlabel="columns n / rows m  (m n = 1,024)",
    ylabel="time of the Jacobian / time of f",
)

# %%
# The tall Jacobian of 1,024 rows and the wide one of 1,024 columns, in units of f:

tall, wide = 1 / 1024, 1024.0
for name, each in costs.items():
    if tall in each and wide in each:
        print(f"{name:20s} tall {each[tall]:8.1f}   wide {each[wide]:8.1f}")

forward, reverse = costs["dual_numbers"], costs["reverse_tape"]
ratio = (forward[wide] / forward[tall]) / (reverse[wide] / reverse[tall])
assert ratio > 1
print(f"from tall to wide, forward mode loses {ratio:.0f} times against reverse mode")

# %%
# Count rows and columns before you choose: ``method="dual_numbers"`` if there are more
# rows than columns, ``method="reverse_tape"`` if there are more columns. Where both are
# many and most items are 0, colours need neither: see
# :ref:`sphx_glr_auto_examples_comparisons_plot_sparsity_by_colouring.py`.
