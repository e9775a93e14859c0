r"""
CasADi
======

Build the graph of the function once; let a library made for optimal control
differentiate it, know its zeros and run it.
"""

# %%
# In one line
# -----------
# ``gradient`` differentiates an expression, and ``Function`` makes a program of it.

import casadi

x = casadi.MX.sym("x")
slope = casadi.Function("slope", [x], [casadi.gradient(casadi.tanh(x), x)])
float(slope(2.0))

# %%
# ``diffmethods`` takes plain NumPy, in arrays of any shape.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="casadi")(2.0)

# %%
# How it works
# ------------
# A symbol goes through the function and leaves a graph of operations behind. Each has
# a rule that writes its slope down as more graph. ``jtimes`` does so along a direction,
# forward or, with True, in reverse.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


y = polynomial(x)
by_both = [casadi.jtimes(y, x, 1), casadi.jtimes(y, x, 1, True)]
run = casadi.Function("run", [x], [y, *by_both])
assert [float(value) for value in run(2.0)] == [11, 17, 17]
y

# %%
# ``diffmethods`` keeps such a program for each function and shape, and makes a new one
# when something that the function reads has changed.

a = np.array([1.0, 2.0])
df = dm.gradient(lambda x: np.sum(a * x), method="casadi")
before = df(np.zeros(2))
a[0] = 5.0
before, df(np.zeros(2))

# %%
# Higher derivatives
# ------------------
# Differentiate the expression again: the polynomial comes down to zero.

towers = [y]
for _ in range(4):
    towers.append(casadi.gradient(towers[-1], x))
run = casadi.Function("run", [x], towers[1:])
[float(value) for value in run(1.0)]

# %%
# On arrays
# ---------
# One direction of ones pushes the slope of every item through.

points = casadi.MX.sym("points", 3)
slopes = casadi.jtimes(polynomial(points), points, casadi.DM.ones(3))
casadi.Function("slopes", [points], [slopes])([0.0, 1.0, 2.0])

# %%
# Several variables
# -----------------
# A Hessian comes with the gradient.

z = casadi.MX.sym("z", 2)
g = casadi.tanh(z[0]) * polynomial(z[1])
hessian, gradient = casadi.hessian(g, z)
casadi.Function("both", [z], [gradient, hessian])([2.0, 2.0])

# %%
# CasADi knows from the graph which entries are zero, and one direction serves several
# columns that share no row. So the Hessian of a chain, where each item meets its
# neighbours alone, is cheap, however long the chain is.

import matplotlib.pyplot as plt

z = casadi.MX.sym("z", 24)
rosenbrock = casadi.sumsqr(1 - z[:-1]) + 100 * casadi.sumsqr(z[1:] - z[:-1] ** 2)
hessian = casadi.hessian(rosenbrock, z)[0]
share = hessian.sparsity().nnz() / hessian.numel()
rows, columns = hessian.sparsity().get_triplet()
fig, ax = plt.subplots(figsize=(4.5, 4.5))
ax.plot(columns, rows, "s", color="#0072B2", markersize=6)
ax.set(xlabel="column", ylabel="row", aspect="equal", xlim=(-1, 24), ylim=(24, -1))
title = ax.set_title(f"CasADi computes {share:.0%} of a chain's Hessian")

# %%
# Where it fails
# --------------
# A symbol has no value, so it cannot take a branch. ``casadi.if_else`` and
# ``np.where`` keep both.


def size(x):
    return x if x > 0 else -x


for attempt in (lambda: size(x), lambda: dm.derivative(size, method="casadi")(-2.0)):
    try:
        attempt()
        raise AssertionError("it can by now")
    except Exception as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0]}")

# %%
# Its matrices are counted by columns, NumPy's by rows. Code moved from one to the other
# gives other numbers, without a word. ``diffmethods`` keeps to NumPy's order.

m = casadi.DM([[1, 2], [3, 4]])
theirs = casadi.reshape(m, 4, 1).full().ravel()
ours = np.reshape(m.full(), 4)
assert theirs.tolist() != ours.tolist()
theirs, ours

# %%
# The rule for tanh is :math:`1 - \tanh^2 x`, which has lost its last digit at 20.

lost = float(slope(20.0))
assert lost == 0
lost, dm.derivative(np.tanh, method="dual_numbers")(20.0)

# %%
# Cost
# ----
# A call from Python costs some microseconds; the first one makes the program.

dm.compare(np.tanh, 2.0, methods=["casadi", "dual_numbers"])

# %%
# Inside one, it is compiled code that is fast on many small operations. The gradient of
# the chain, over the time of the chain itself in NumPy:

from timeit import repeat


def chain(x):
    return np.sum((1 - x[:-1]) ** 2) + 100 * np.sum((x[1:] - x[:-1] ** 2) ** 2)


gradient = casadi.Function("gradient", [z], [casadi.gradient(rosenbrock, z)])
at = np.linspace(0, 1, 24)
times = [min(repeat(lambda f=f: f(at), number=500)) for f in (chain, gradient)]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - CasADi's `documentation <https://web.casadi.org/docs/>`_.
# - :cite:t:`andersson2019` describe the library.
