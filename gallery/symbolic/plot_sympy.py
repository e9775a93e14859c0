r"""
SymPy
=====

Write the function down as a formula, and let a program apply the rules of calculus.
"""

# %%
# In one line
# -----------
# The derivative is a formula, not a number.

import sympy

x = sympy.symbols("x")
sympy.diff(sympy.tanh(x), x)

# %%
# ``subs`` and ``evalf`` put numbers in: here into the function and its slope, at 2.

[f.subs(x, 2).evalf() for f in (sympy.tanh(x), sympy.diff(sympy.tanh(x), x))]

# %%
# ``diffmethods`` makes such a formula out of plain NumPy code, differentiates it, and
# rounds the exact value to a float.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="sympy")(2.0)

# %%
# How it works
# ------------
# A formula is a tree of operations, with symbols and numbers for leaves. SymPy rewrites
# it node by node, as the table of derivatives says. A Python function of plain
# arithmetic makes the tree by itself when it is called with a symbol.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


sympy.srepr(polynomial(x))

# %%
# The polynomial is 11 at 2, and this derivative is 17.

slope = sympy.diff(polynomial(x), x)
assert (polynomial(x).subs(x, 2), slope.subs(x, 2)) == (11, 17)
slope

# %%
# Higher derivatives
# ------------------
# ``diff`` takes the order. The polynomial comes down to zero in four steps;

sympy.Matrix([[sympy.diff(polynomial(x), x, n).expand() for n in (1, 2, 3, 4)]])

# %%
# the second derivative of :math:`\tanh x` keeps its tanh.

sympy.diff(sympy.tanh(x), x, 2)

# %%
# On arrays
# ---------
# ``lambdify`` turns a formula into NumPy code: differentiate once, evaluate often.

from diffmethods.plotting import plot_bars, plot_curves

points = np.linspace(-3, 3, 301)
orders = {"tanh": 0, "first derivative": 1, "second derivative": 2}
formulas = {name: sympy.tanh(x).diff(x, order) for name, order in orders.items()}
curves = {name: sympy.lambdify(x, f)(points) for name, f in formulas.items()}
title = "Where the slope of tanh peaks, its second derivative crosses zero"
ax = plot_curves(points, curves, title=title, ylabel="value")

# %%
# Several variables
# -----------------
# Differentiate by one symbol, or by all of them at once.

y = sympy.symbols("y")
g = sympy.tanh(x) * polynomial(y)
sympy.Matrix([sympy.diff(g, x), sympy.diff(g, y)])

# %%

sympy.hessian(g, (x, y)).subs({x: 2, y: 2}).evalf(6)

# %%
# Where it fails
# --------------
# The formula outgrows the program. Take :math:`4 x (1 - x)` of itself, again and again:

sizes = {}
iterate = x
for rounds in range(1, 9):
    iterate = 4 * iterate * (1 - iterate)
    sizes[f"round {rounds}"] = sympy.count_ops(sympy.diff(iterate, x))
operations = np.array(list(sizes.values()))
assert np.all(operations[1:] > 2 * operations[:-1])
title = "Each further round more than doubles the derivative's formula"
ax = plot_bars(sizes, title=title, xlabel="operations in the derivative", log=True)

# %%
# A right formula can be a wrong program: ``evalf`` works with as many digits as it
# needs, and the NumPy code of the same formula has none left at 20.

tail = sympy.diff(sympy.tanh(x), x)
assert sympy.lambdify(x, tail)(20.0) == 0
sympy.lambdify(x, tail)(20.0), tail.subs(x, 20).evalf()

# %%
# A branch on a symbol has no answer. ``diffmethods`` knows the point, and goes that
# way.


def branch(x):
    return polynomial(x) if x > 0 else -x


try:
    branch(x)
except TypeError as error:
    print(error)
dm.derivative(branch, method="sympy")(2.0)

# %%
# Cost
# ----
# The formula is made anew for each call through ``diffmethods``,

dm.compare(np.tanh, 2.0, methods=["sympy", "dual_numbers"])

# %%
# and once for all calls by ``lambdify``. From then on, over the time for tanh:

from timeit import repeat

slope = sympy.lambdify(x, tail)
times = [min(repeat(lambda f=f: f(points), number=500)) for f in (np.tanh, slope)]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - SymPy's `tutorial on calculus
#   <https://docs.sympy.org/latest/tutorials/intro-tutorial/calculus.html>`_, and its
#   page on `lambdify <https://docs.sympy.org/latest/modules/utilities/lambdify.html>`_.
# - :cite:t:`meurer2017` describe the library.
