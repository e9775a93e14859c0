r"""
Higher orders: nested or by Taylor series
=========================================

Differentiate the derivative of the derivative, and the work multiplies. Carry a series,
and it only adds up.
"""

# %%
# The clock, order by order
# -------------------------
# A derivative of a derivative runs a program that is a few times as long as the one
# before it: the cost grows exponentially with the order. A product of two Taylor series
# with n coefficients takes about :math:`n^2/2` multiplications: the cost grows as the
# square. Every method of the registry differentiates the logistic function at
# one number.

import time

import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import plot_methods
from diffmethods.problems import logistic

ORDERS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 50, 100)
x = 0.5


def seconds(df):
    """The shortest processor time of a few calls, the first one left out."""
    times = []
    while len(times) < 3 or (len(times) < 20 and sum(times) < 0.005):
        start = time.process_time()
        df(x)
        times.append(time.process_time() - start)
        if times[0] > 0.1:
            break
    return min(times)


# %%
# A method stops where it says that it cannot, or where the next order would take more
# than a tenth of a second if the growth goes on.


def climb(method):
    cost = {}
    for order in ORDERS:
        if len(cost) > 1:
            (n, before), (m, last) = list(cost.items())[-2:]
            if last * max(1.0, last / before) ** ((order - m) / (m - n)) > 0.1:
                break
        try:
            cost[order] = seconds(dm.derivative(logistic, method=method, order=order))
        except dm.errors.DiffmethodsError:
            break
        if cost[order] > 0.05:
            break
    return cost


methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")
f_seconds = seconds(logistic)
cost = {name: climb(name) for name in methods}

# %%

ax = plot_methods(
    {
        name: (list(each), [took / f_seconds for took in each.values()])
        for name, each in cost.items()
        if each
    },
    title="Nesting bends upwards; a series reaches order 100 along a straight line",
    xlabel="order of the derivative",
    ylabel="time of the derivative / time of f",
)

# %%
# From one order to the next, nesting multiplies the time by what the second column
# says. The third one is the power of the order with which the time grows at the end.

for name, each in cost.items():
    n, c = np.array(list(each)), np.array(list(each.values()))
    if len(n) > 3:
        factor = (c[-1] / c[1]) ** (1 / (n[-1] - n[1]))
        power = np.polyfit(np.log(n[-3:]), np.log(c[-3:]), 1)[0]
        print(
            f"{name:20s} to order {n[-1]:3d}: {factor:5.2f} an order, power {power:.1f}"
        )

# %%
# At low orders the series has no advantage: it is the overhead that counts. At
# the highest order that nested reverse mode reaches:

series, nested = cost["taylor_series"], cost["reverse_tape"]
assert max(series) == 100
top = max(nested)
assert nested[top] > series[top]
assert series[100] < 400 * series[10]
print(
    f"order {top}: nested reverse mode, {nested[top] / series[top]:.0f} times a series"
)

# %%
# To the second order, use whatever you use for the first. From the third or fourth on,
# use :ref:`sphx_glr_auto_examples_forward_plot_taylor_series.py`, which gives all lower
# orders by the way.
