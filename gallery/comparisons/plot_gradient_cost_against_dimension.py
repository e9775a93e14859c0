r"""
Gradient cost against dimension
===============================

A gradient has as many items as f has variables. What does it cost when there are ten of
them, a thousand, a million?
"""

# %%
# One function, any number of variables
# -------------------------------------
# Rosenbrock's function costs time in proportion to n. Each method computes its gradient
# at 2, 10, 100, ... variables, until a gradient takes more than 15 ms, or the next one
# would take more than 150 ms and no little memory.

import time

import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import plot_methods
from diffmethods.problems import rosenbrock, rosenbrock_gradient

SIZES = (2, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
ENOUGH = 0.015  # seconds


def seconds(run, x):
    """The shortest time of a few calls, of one where it takes long; and the result.

    It is the processor's time, which other programs do not lengthen.
    """
    times = []
    while len(times) < 3 or (len(times) < 20 and sum(times) < ENOUGH / 2):
        start = time.process_time()
        result = run(x)
        times.append(time.process_time() - start)
        if times[0] > 10 * ENOUGH or (len(times) == 2 and times[1] > ENOUGH):
            break
    return min(times), result


# %%
# The first call is not counted: some methods compile there, and all fill caches.

points = {n: np.random.default_rng(n).uniform(-1, 1, n) for n in SIZES}
f_seconds = {n: seconds(rosenbrock, x)[0] for n, x in points.items()}
methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")


def climb(method):
    """Cost of the gradient in units of that of f, for as many sizes as it can do."""
    cost, before = {}, ENOUGH
    for n, x in points.items():
        gradient = dm.gradient(rosenbrock, method=method)
        try:
            took, found = seconds(gradient, x)
        except dm.errors.DiffmethodsError as error:
            print(f"{method} stops at {n} variables: {str(error)[:50]} ...")
            break
        wrong = np.max(np.abs(found - rosenbrock_gradient(x)))
        noise = 1e-9 if methods[method].exact else 1e-7 * rosenbrock(x)
        assert wrong < noise, f"{method} is off by {wrong:.0e} at {n} variables"
        cost[n] = took / f_seconds[n]
        foretold = took * took / before  # if it goes on to grow as it did
        if took > ENOUGH or foretold > 10 * ENOUGH:
            break
        before = took
    return cost


cost = {name: climb(name) for name in methods}

# %%
# Two lines are theory. A method that moves one variable at a time evaluates f about n
# times: slope 1. Reverse mode needs a constant times f, whatever n; Griewank's bound
# for that constant is about 4, and dotted here :cite:p:`griewank2008`.

ax = plot_methods(
    {name: (list(each), list(each.values())) for name, each in cost.items() if each},
    title="A reverse gradient costs a few f at any size, a difference one f a variable",
    xlabel="number of variables n",
    ylabel="time of the gradient / time of f",
)
sizes = np.array(SIZES)
ax.plot(sizes[:4], sizes[:4], ":", color="black", linewidth=1)
ax.plot(sizes, np.full(7, 4.0), ":", color="black", linewidth=1)
above = ax.text(sizes[3], sizes[3], "  n times f", va="center", fontsize=9)
below = ax.text(sizes[6], 4.4, "4 times f", ha="right", va="bottom", fontsize=9)

# %%
# The slopes on this figure, from the last decade or two of each method:

for name, each in cost.items():
    n, c = np.array(list(each)), np.array(list(each.values()))
    late = n >= 100
    if late.sum() >= 2:
        slope = np.polyfit(np.log(n[late]), np.log(c[late]), 1)[0]
        print(f"{name:20s} slope {slope:+.2f}, up to {n[-1]:9,d} variables")

# %%
# For small n overhead rules: a call of NumPy on ten items costs as much as one on a
# hundred, and so reverse methods look worse there than they are.

tape, differences = cost["reverse_tape"], cost["central_difference"]
n = max(differences)
assert differences[n] > 3 * tape[n]
print(f"{n} variables: tape {tape[n]:.1f}, central differences {differences[n]:.0f}")

# %%
# From a few variables on, take a reverse method for the gradient of a scalar. At a
# thousand variables anything else costs a thousand times f, and a million is out of
# reach.
