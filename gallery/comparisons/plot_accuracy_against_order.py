r"""
Accuracy against order
======================

The first derivative is easy. What is left of sixteen digits at the third, the tenth,
the fiftieth?
"""

# %%
# A function that knows its derivatives
# -------------------------------------
# The damped wave :math:`e^{-x/4} \sin 2x` is the imaginary part of :math:`e^{cx}` with
# :math:`c = -\tfrac14 + 2i`, so that its derivative of order n is that of
# :math:`c^n e^{cx}`. mpmath evaluates it to 50 digits.

import time

import mpmath
import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import plot_table
from diffmethods.problems import damped_wave

x, orders = 1.0, (1, 2, 3, 4, 6, 8, 10, 20, 50)


def true_derivative(order):
    with mpmath.workdps(50):
        c = mpmath.mpc(-0.25, 2)
        return mpmath.im(c**order * mpmath.exp(c * mpmath.mpf(x)))


# %%
# Each method goes up the orders for as long as it can. It stops where the next order
# would take over a second, if the time goes on to grow as it did between the last two:
# nesting doubles the work with every order, or worse.


def digits(found, order):
    """Correct digits, up to those of float64; 0 where not even the first is right."""
    error = float(abs(mpmath.mpf(float(found)) / true_derivative(order) - 1))
    return max(0.0, -np.log10(max(error, 2.0**-53)))


def climb(method):
    """Digits at each order, or a word why there are none."""
    cells = {str(order): ("slow", np.nan) for order in orders}
    times = {}
    for order in orders:
        if len(times) > 1 and extrapolated(times, order) > 1:
            break
        start = time.process_time()
        try:
            found = dm.derivative(damped_wave, method=method, order=order)(x)
        except dm.errors.DiffmethodsError:
            cells[str(order)] = ("–", np.nan)
        else:
            good = digits(found, order)
            cells[str(order)] = (f"{good:.0f}", good)
            times[order] = time.process_time() - start
    return cells


# %%


def extrapolated(times, order):
    """What an order would take after the last two, the growth being exponential."""
    (n, before), (m, last) = list(times.items())[-2:]
    return last * max(1.0, last / before) ** ((order - m) / (m - n))


# %%
# The number of correct digits, the lightest the best:


def kept(cells):
    """How many of the orders have at least 8 digits."""
    return sum(good > 8 for _, good in cells.values())


methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
table = {method.title: climb(name) for name, method in methods.items()}
table = dict(sorted(table.items(), key=lambda row: -kept(row[1])))
ax = plot_table(
    table,
    title="Correct digits: series keep them at any order",
    xlabel="order of the derivative",
    limits=(0, 16),
)

# %%
# A dash is a method that gives no derivative of that order, and says so. "Slow" would
# take more than a second. Not one of the exact methods is wrong at any order
# that it reaches:

exact = [methods[name].title for name in methods if methods[name].exact]
reached = [cell[1] for title in exact for cell in table[title].values()]
assert np.nanmin(reached) > 12
print(f"exact methods: at least {np.nanmin(reached):.1f} digits")
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")

# %%
# The highest order to which each keeps 8 digits:

for title, cells in table.items():
    print(f"{title:28s} {max((int(n) for n in cells if cells[n][1] > 8), default=0)}")

# %%
# For the second or third derivative nearly everything will do. Beyond, use
# :ref:`the Taylor series <sphx_glr_auto_examples_forward_plot_taylor_series.py>`, or,
# for a black box that takes complex numbers,
# :ref:`the Cauchy integral <sphx_glr_auto_examples_numerical_plot_cauchy_integral.py>`.

assert table["Taylor series"]["50"][1] > 12
assert table["Cauchy integral"]["50"][1] > 8
