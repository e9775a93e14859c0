r"""
SymEngine
=========

SymPy's formulas, kept and differentiated by a library in C++.
"""

# %%
# In one line
# -----------
# Spelled as in SymPy: the derivative is a formula.

import symengine

x = symengine.Symbol("x")
symengine.tanh(x).diff(x)

# %%
# ``subs`` puts a number in, and ``n`` evaluates, here the slope of tanh at 2 with 53
# bits.

symengine.tanh(x).diff(x).subs({x: 2}).n(53, real=True)

# %%
# ``diffmethods`` makes such a formula out of plain NumPy code, and evaluates it with
# more bits until two results round to the same float.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="symengine")(2.0)

# %%
# How it works
# ------------
# A formula is a tree, as in :doc:`SymPy <plot_sympy>`, and the rules are the same. The
# nodes are objects of C++, so that each step costs far less.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


slope = polynomial(x).diff(x)
assert (polynomial(x).subs({x: 2}), slope.subs({x: 2})) == (11, 17)
slope

# %%
# Higher derivatives
# ------------------
# Differentiate again. The polynomial comes down to zero in four steps;

towers = [polynomial(x)]
for _ in range(4):
    towers.append(towers[-1].diff(x))
towers[1:]

# %%
# where SymPy takes a while, this takes less: the tenth derivative of tanh at 2.

dm.derivative(np.tanh, method="symengine", order=10)(2.0)

# %%
# On arrays
# ---------
# ``Lambdify`` turns formulas into a function of arrays: differentiate once, evaluate
# often.

from diffmethods.plotting import plot_bars, plot_errors

tail = symengine.tanh(x).diff(x)
points = np.linspace(-3, 3, 7)
symengine.Lambdify([x], [tail])(points[:, None]).ravel()

# %%
# Several variables
# -----------------
# Matrices of formulas know their Jacobian; a Hessian is the Jacobian of a gradient.

y = symengine.Symbol("y")
g = symengine.tanh(x) * polynomial(y)
by_each = symengine.Matrix([g]).jacobian(symengine.Matrix([x, y]))
hessian = by_each.transpose().jacobian(symengine.Matrix([x, y]))
hessian.subs({x: 2, y: 2})

# %%
# Where it fails
# --------------
# 53 bits are too few for :math:`1 - \tanh^2 x` far out: at 20 none are left. Ask for
# more, or let ``diffmethods`` ask.

at_20 = tail.subs({x: 20})
assert float(at_20.n(53, real=True)) == 0
print(at_20.n(53, real=True), at_20.n(113, real=True))
dm.derivative(np.tanh, method="symengine")(20.0)

# %%
# mpmath knows the true slopes.

import mpmath

distances = np.arange(0.25, 25, 0.25)
true = np.array([float(mpmath.sech(d) ** 2) for d in distances])
program = symengine.Lambdify([x], [tail])(distances[:, None]).ravel()
errors = {
    "Lambdify": program / true - 1,
    "diffmethods": dm.derivative(np.tanh, method="symengine")(distances) / true - 1,
}
gone = distances[abs(errors["Lambdify"]) > 0.5][0]
title = f"The program of a right formula has no digits left from x = {gone:.0f} on"
ax = plot_errors(distances, errors, title=title, xlabel="x")

# %%
# The slope of an absolute value stays open, since a symbol may be complex here.
# ``diffmethods`` knows the point, and takes its side.

print(symengine.Abs(x).diff(x))
dm.derivative(np.abs, method="symengine")(-2.0)

# %%
# Gamma and Bessel functions are missing, or cannot be evaluated with more bits. SymPy
# has them.

slope = symengine.gamma(x).diff(x)
try:
    slope.subs({x: symengine.Rational(7, 10)}).n(113, real=True)
    raise AssertionError("it can by now")
except RuntimeError as error:
    print(error)

# %%
# Cost
# ----
# Through ``diffmethods`` the formula is made anew for each call.

dm.compare(np.tanh, 2.0, methods=["symengine", "sympy", "dual_numbers"])

# %%
# The swell of formulas is that of SymPy; it takes longer to be felt. The time for
# :math:`4 x (1 - x)` of itself, four times over, and its slope:

from timeit import repeat

import sympy


def iterated(symbol):
    power = symbol
    for _ in range(4):
        power = 4 * power * (1 - power)
    return power.diff(symbol)


symbols = {"SymPy": sympy.Symbol("x"), "SymEngine": x}
times = {
    name: min(repeat(lambda s=s: iterated(s), number=5)) / 5 * 1e6
    for name, s in symbols.items()
}
ratio = times["SymPy"] / times["SymEngine"]
title = f"SymEngine differentiates {ratio:.0f} times faster than SymPy"
ax = plot_bars(times, title=title, xlabel="time, microseconds")

# %%
# See also
# --------
# - `SymEngine <https://symengine.org>`_ and its `Python wrappers
#   <https://github.com/symengine/symengine.py>`_.
# - :cite:t:`meurer2017` describe SymPy, whose place it can take.
