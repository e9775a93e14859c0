r"""
The overhead of a call
======================

One number in, one slope out, and f takes a microsecond. What is left to time is the
method itself: its first call, and every further one.
"""

# %%
# First call, further calls
# -------------------------
# At the first call a method may trace f, write source or compile. Each method gets a
# function that it has not seen, so that nothing is left over from another page. The
# libraries were imported, and used once, before the clock starts.

import time

import matplotlib.pyplot as plt
import numpy as np

import diffmethods as dm
from diffmethods.comparison import seconds
from diffmethods.method import installed_methods
from diffmethods.plotting import FAMILY_STYLES

methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")


def fresh():
    """A new function every time, and always the same one."""
    return lambda x: np.tanh(x) * x


x = 2.0
true = np.tanh(x) + x / np.cosh(x) ** 2
base = seconds(lambda: fresh()(x))

# %%

first, further = {}, {}
for name, method in methods.items():
    dm.derivative(fresh(), method=name)(x)
    df = dm.derivative(fresh(), method=name)
    start = time.perf_counter()
    slope = df(x)
    first[name] = (time.perf_counter() - start) / base
    assert abs(slope / true - 1) < max(method.rtol, 1e-14) * 100
    further[name] = seconds(lambda df=df: df(x)) / base

# %%
# Each line runs from a further call, a filled marker, to the first one, a hollow
# marker.

order = sorted(further, key=further.get, reverse=True)
fig, ax = plt.subplots(figsize=(7.6, 1.4 + 0.26 * len(order)), layout="constrained")
for row, name in enumerate(order):
    style = FAMILY_STYLES[methods[name].family]
    mark = {"color": style["color"], "marker": style["marker"], "linestyle": "none"}
    ax.plot([further[name], first[name]], [row, row], color="#7A7A7A", linewidth=1)
    ax.plot(further[name], row, **mark)
    ax.plot(first[name], row, markerfacecolor="none", **mark)
    ax.text(further[name] / 1.3, row, f"{further[name]:,.0f}", ha="right", va="center")
ax.set_yticks(range(len(order)), [methods[name].title for name in order])
ax.set(xscale="log", xlabel="time of a call / time of f", xlim=(0.5, None))
title = ax.set_title("One slope costs from a few f to many thousands")

# %%
# The same as numbers, in units of f:

for name in reversed(order):
    print(f"{name:20s} first {first[name]:10,.0f}   further {further[name]:10,.1f}")

# %%
# If you differentiate a cheap function at one number after the other, in a loop of your
# own, take a method from the bottom of the figure. Better, hand over all numbers as one
# array: then the overhead is paid once, for every method.

grid = np.linspace(-2, 2, 1_000)
df = dm.derivative(fresh(), method="dual_numbers")
one_by_one = seconds(lambda: [df(item) for item in grid])
at_once = seconds(lambda: df(grid))
assert at_once < one_by_one
print(f"1,000 numbers at once: {one_by_one / at_once:.0f} times faster")
