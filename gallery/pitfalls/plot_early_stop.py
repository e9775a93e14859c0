r"""
The slope of an iteration that stopped
======================================

A solver with a tolerance is a program with a branch. Its slope is that of the last
iterate: late at best, and 0 when the first guess is good.
"""

# %%
# What you would write
# --------------------
# Kepler's equation :math:`E - e \sin E = M`, solved by iterating
# :math:`E \leftarrow M + e \sin E` from a first guess until it changes by less than a
# hundredth:

import autograd
import autograd.numpy as anp

e = 0.9


def solve(M, guess=2.0):
    E = guess
    while abs(M + e * anp.sin(E) - E) > 0.01:
        E = M + e * anp.sin(E)
    return E


slope = autograd.grad(solve)

# %%
# What comes out
# --------------
# At M = 1.18 the guess already satisfies the equation, to the tolerance. No step is
# made, and the slope is 0. It should be :math:`1 / (1 - e \cos E)`.

import warnings

import numpy as np
from scipy.optimize import brentq


def root(M):
    return brentq(lambda E: E - e * np.sin(E) - M, M - 1, M + 1, xtol=1e-15)


with warnings.catch_warnings(record=True) as notes:
    warnings.simplefilter("always")
    stopped = float(slope(1.18))
true = 1 / (1 - e * np.cos(root(1.18)))
assert stopped == 0 < true
stopped, true

# %%
# The one hint is a warning: ``Output seems independent of input``. It is gone as soon
# as one step is made, and the slope is still wrong.

print(*(note.message for note in notes))
one_step = float(slope(1.2))
assert abs(one_step * (1 - e * np.cos(root(1.2))) - 1) > 0.1
one_step, 1 / (1 - e * np.cos(root(1.2)))

# %%
# Over all M, the value is right to the tolerance and its slope jumps with the number of
# steps:

from matplotlib import pyplot as plt

M = np.linspace(0.3, 2.5, 221)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    found = np.array([slope(m) for m in M])
exact = np.array([1 / (1 - e * np.cos(root(m))) for m in M])
worst = np.max(np.abs(found / exact - 1))
_, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
ax.plot(M, exact, color="#0072B2", label="slope of the root")
ax.plot(M, found, ".", color="#D55E00", markersize=4, label="slope of the last iterate")
ax.set(
    title=f"A tolerance of 0.01 in the value leaves slopes that are {worst:.0%} off",
    xlabel="M",
    ylabel="slope of E",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# What is differentiated is the program that ran: so many steps from a constant guess.
# The guess does not depend on M, so the slope starts at 0 and is improved by each step,
# :math:`E' \leftarrow 1 + e \cos E \cdot E'`. It has its own convergence, which the
# stopping rule does not watch.
#
# Differences cannot help: they differentiate the same iterate, and where the number of
# steps changes between their points, they see a jump.

jumps = M[1:][np.abs(np.diff(found)) > 0.05]
assert len(jumps) > 5
len(jumps)

# %%
# What to do instead
# ------------------
# Do not differentiate the steps. State the equation that the solution obeys, and take
# its slope from the :term:`implicit function theorem <implicit differentiation>`.

import diffmethods as dm


def residual(E, M):
    return E - e * np.sin(E) - M


mended = dm.derivative(dm.custom_root(residual, root))(1.18)
assert abs(mended / true - 1) < 1e-12
mended

# %%
# With the lazy solver the theorem refuses, since there is no root yet:

try:
    dm.derivative(dm.custom_root(residual, lambda M: solve(M)))(1.18)
except dm.errors.NotDifferentiableError as error:
    print(error)

# %%
# If you must go through the steps, let the stopping rule watch the slope, too, or make
# a few more steps than the value needs.


def solve_longer(M, guess=2.0):
    E = solve(M, guess)
    for _ in range(40):
        E = M + e * anp.sin(E)
    return E


longer = float(autograd.grad(solve_longer)(1.18))
assert abs(longer / true - 1) < 1e-6
longer

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_applications_plot_implicit_differentiation.py`.
# - :ref:`sphx_glr_auto_examples_reverse_plot_autograd.py`.
# - :cite:t:`christianson1994`, on the slopes of iterations;
#   :cite:t:`griewank2008`, chapter 15.
# - :func:`~diffmethods.custom_root`, :func:`~diffmethods.custom_fixed_point`.
