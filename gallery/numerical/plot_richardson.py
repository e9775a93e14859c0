r"""
Richardson extrapolation
========================

Take differences at a few steps, none of them small, and extrapolate to a step of 0.
"""

# %%
# In one line
# -----------
# Two central differences of :math:`\tanh x` at 2, where the slope is
# :math:`0.0706508248531\dots`, one with twice the step of the other. Their errors are
# as 4 to 1, so this combination has none of that size:

import numpy as np


def central(h):
    return (np.tanh(2 + h) - np.tanh(2 - h)) / (2 * h)


(4 * central(0.01) - central(0.02)) / 3

# %%
# ``diffmethods`` goes on in the same way until rounding stops it.

import diffmethods as dm

dm.derivative(np.tanh, method="richardson")(2.0)

# %%
# How it works
# ------------
# The error of a central difference D is a series in even powers of the step:
#
# .. math:: D(h) = f'(x) + a_2 h^2 + a_4 h^4 + \dots \quad\Rightarrow\quad
#           \frac{q^2 D(h / q) - D(h)}{q^2 - 1} = f'(x) + b_4 h^4 + \dots
#
# Each pair of entries gives one of the next power: a tableau, with a column for every
# step. :cite:t:`ridders1982` divides the step by 1.4, takes the entry that differs
# least from its two parents, and that difference for the error. The weights are small,
# so the steps stay long and rounding small.

from diffmethods.plotting import plot_errors

q, true = 1.4, 1 / np.cosh(2) ** 2
steps = 0.5 / q ** np.arange(24)
powers = {"h² (central difference)": central(steps)}
for j in range(1, 4):
    last = list(powers.values())[-1]
    gain = q ** (2 * j)
    powers[f"h{'⁴⁶⁸'[j - 1]}"] = np.r_[
        np.nan, (gain * last[1:] - last[:-1]) / (gain - 1)
    ]
errors = {name: entry / true - 1 for name, entry in powers.items()}
ax = plot_errors(
    steps,
    errors,
    title="Every row of the tableau is right at a longer step, and to more digits",
    xlabel="step h",
    log_x=True,
)

# %%
# Higher derivatives
# ------------------
# The same extrapolation of second, third and further central differences, up to order
# 8. Each loses a digit or two.

from diffmethods.methods import richardson

for order in range(1, 6):
    found = richardson.solve(np.tanh, 2.0, order)
    print(
        f"{order}: {found.df:+.12f}, error {found.error:.0e}, {found.nfev} evaluations"
    )

# %%
# On arrays
# ---------
# The line works as it stands. ``diffmethods`` starts each item with a step of a tenth
# of its size, and ends its tableau by itself.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


dm.derivative(polynomial, method="richardson")(np.array([0.0, 1.0, 2.0]))

# %%
# Several variables
# -----------------
# A tableau for each direction.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


dm.gradient(g, method="richardson")(np.array([2.0, 2.0]))

# %%
# Where it fails
# --------------
# The first step must be short beside the distance over which f varies. If not, the
# entries do not settle, and that is an error. A shorter ``step`` helps.

try:
    dm.derivative(lambda x: np.sin(1000 * x), method="richardson")(1.0)
except dm.errors.NotDifferentiableError as error:
    print(error)
slope = dm.derivative(lambda x: np.sin(1000 * x), method="richardson", step=1e-3)(1.0)
slope / (1000 * np.cos(1000)) - 1

# %%
# A central difference cannot see what is the same on both sides: at the kink of
# :math:`|x|` all entries are 0, and the estimated error is rounding alone.

found = richardson.solve(np.abs, 0.0)
assert found.df == 0
found.df, found.error

# %%
# Cost
# ----
# Two evaluations a step and about eight steps. The tableau itself costs more time than
# a cheap f.

dm.compare(np.tanh, 2.0, methods=["central_difference", "richardson", "chebyshev"])

# %%
# See also
# --------
# - :cite:t:`ridders1982` on the tableau and when to stop.
# - :ref:`sphx_glr_auto_examples_numerical_plot_chebyshev.py` chooses the step from what
#   f looks like, and needs fewer evaluations.
# - `numdifftools <https://numdifftools.readthedocs.io>`_ extrapolates, too.
