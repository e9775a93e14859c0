r"""
Error against time
==================

The same derivative by every method: how wrong is it, and how long does it take? On one
number, and on ten thousand at once.
"""

# %%
# Two clocks
# ----------
# The function is tanh of the problem set. Times are multiples of the time of f itself,
# at the same point and in the same process, the shortest of many calls. Whatever a
# method does at its first call only, such as compiling, is left out: see
# :ref:`sphx_glr_auto_examples_comparisons_plot_call_overhead.py`.

import functools
import timeit

import matplotlib.pyplot as plt
import numpy as np

import diffmethods as dm
from diffmethods.comparison import seconds
from diffmethods.method import installed_methods
from diffmethods.plotting import FLOOR, plot_methods, unbeaten
from diffmethods.problems import PROBLEMS

tanh = PROBLEMS["tanh"]
methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")


def cost_and_error(method, x):
    """Time in units of that of f, and the largest error in units of the largest f'."""
    df, true = dm.derivative(tanh.f, method=method), tanh.derivatives[0](x)
    error = np.max(np.abs(df(x) - true)) / np.max(np.abs(true))
    return seconds(lambda: df(x)) / seconds(lambda: tanh.f(x)), max(error, FLOOR)


# %%
# On ten thousand points f takes long enough to hide what a call costs by itself; on one
# number there is little else. A method that goes through an array item by item would
# need minutes, and is left out of the second measurement.


def walks(method):
    """Whether ten times the items take about ten times as long, and that is long."""
    df, times = dm.derivative(tanh.f, method=method), []
    for n in (2, 20):
        x = np.linspace(-2.0, 2.0, n)
        df(x)
        times.append(min(timeit.repeat(functools.partial(df, x), number=1, repeat=3)))
    return times[1] > max(2e-3, 4 * times[0])


places = {"one number": np.float64(2.0), "10,000 numbers": np.linspace(-2, 2, 10_000)}
measured = {place: {} for place in places}
for place, x in places.items():
    for name in methods:
        if np.size(x) > 1 and walks(name):
            print(f"{place}: {name} goes through them one by one")
            continue
        try:
            measured[place][name] = cost_and_error(name, x)
        except dm.errors.DiffmethodsError as error:
            print(f"{place}: {name} gives none, {error}")

# %%

fig, axes = plt.subplots(1, 2, figsize=(11, 6), sharey=True, layout="constrained")
for ax, place in zip(axes, places, strict=True):
    words = {"title": place, "xlabel": "time of f'(x) / time of f(x)"}
    plot_methods(measured[place], ylabel="relative error", ax=ax, **words)
axes[0].get_legend().remove()
title = fig.suptitle("On an array, an exact derivative costs no more than a difference")

# %%
# Nobody is both faster and more exact than these:

for place, points in measured.items():
    for name in unbeaten(points):
        cost, error = points[name]
        print(f"{place}: {name}, {cost:.2g} times f, error {error:.0e}")

# %%
# The sixteen digits of the exact methods do not depend on the clock, and none of the
# sampling ones has them.

for points in measured.values():
    errors = {exact: [] for exact in (True, False)}
    for name, (_, error) in points.items():
        errors[methods[name].exact].append(error)
    assert max(errors[True]) < 2e-15

several = measured["10,000 numbers"]
first = {
    kind: min(several[name][0] for name in several if methods[name].exact == kind)
    for kind in (True, False)
}
assert first[True] < 2 * first[False]
print(f"cheapest exact: {first[True]:.1f} times f; sampling: {first[False]:.1f}")

# %%
# If f is plain NumPy, take an exact method, whatever the size of the array. Differences
# are for functions that nobody can look into; among those, more time buys more digits.
