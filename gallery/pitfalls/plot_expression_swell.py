r"""
Expression swell
================

A formula that is built by a loop doubles with every turn, and its derivative grows
faster still.
"""

# %%
# What you would write
# --------------------
# The logistic map, :math:`y \leftarrow r y (1 - y)`, run on a symbol and differentiated
# at the end:

import sympy


def logistic(y, r, steps):
    for _ in range(steps):
        y = r * y * (1 - y)
    return y


x, r = sympy.symbols("x r")
sympy.diff(logistic(x, r, 2), x)

# %%
# What comes out
# --------------
# The number of operations in the derivative, against the number of steps:

operations = {"f": [], "derivative": [], "derivative, shared": [], "loop": []}
turns = range(1, 9)
for steps in turns:
    formula = logistic(x, r, steps)
    slope = sympy.diff(formula, x)
    pieces, rest = sympy.cse(slope)
    operations["f"].append(formula.count_ops())
    operations["derivative"].append(slope.count_ops())
    shared = sum(piece.count_ops() for _, piece in pieces) + rest[0].count_ops()
    operations["derivative, shared"].append(shared)
    operations["loop"].append(7 * steps)
operations["derivative"]

# %%
# Nearly three times as many with every step: twelve steps would take more than a
# million operations.

from matplotlib import pyplot as plt

from diffmethods.plotting import STYLES

assert operations["derivative"][-1] > 10_000 > 100 * operations["loop"][-1]
assert operations["derivative"][-1] > 2 * operations["derivative"][-2]
_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, counts), style in zip(operations.items(), STYLES, strict=False):
    ax.semilogy(turns, counts, markersize=5, label=name, **style)
ax.set(
    title="The formula of the derivative grows exponentially, a loop does not",
    xlabel="steps of the logistic map",
    ylabel="operations",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# y occurs twice in :math:`r y (1 - y)`, so its formula stands twice in the next, and
# :math:`2^n` times in the end. The product rule then writes each product once for each
# factor. All these copies are the same few values: what swells is the notation, not the
# work. Expanding the polynomial does not help, as its degree is :math:`2^n`.

degree = sympy.degree(sympy.expand(logistic(x, r, 5)), x)
assert degree == 2**5
degree

# %%
# What to do instead
# ------------------
# Give each intermediate value a name. SymPy finds them afterwards by ``cse``, the curve
# *shared* above, after the large formula has been built. It is better not to build it:
# carry the slope along in the loop, seven operations a step.


def logistic_with_slope(y, r, steps):
    slope = 1.0
    for _ in range(steps):
        y, slope = r * y * (1 - y), r * (1 - 2 * y) * slope
    return y, slope


# %%
# That is :term:`automatic differentiation`, done by hand. It takes 40 steps as easily
# as 4, and agrees with the formula where there is one:

by_formula = float(sympy.diff(logistic(x, r, 8), x).subs({x: 0.25, r: 3.2}))
by_loop = logistic_with_slope(0.25, 3.2, 8)[1]
assert abs(by_loop / by_formula - 1) < 1e-12
by_formula, by_loop

# %%
# ``diffmethods`` runs the loop as it stands.

import diffmethods as dm

forty = dm.derivative(lambda y: logistic(y, 3.2, 40))(0.25)
assert abs(forty / logistic_with_slope(0.25, 3.2, 40)[1] - 1) < 1e-10
forty

# %%
# mpmath agrees, with 50 digits and a difference:

import mpmath

with mpmath.workdps(50):
    r = mpmath.mpf(3.2)
    true = float(mpmath.diff(lambda y: logistic(y, r, 40), 0.25))
assert abs(forty / true - 1) < 1e-10
true

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_symbolic_plot_sympy.py`, when the formula is what you
#   want.
# - :cite:t:`baydin2018`, who count the terms of this map.
# - SymPy on `common subexpressions
#   <https://docs.sympy.org/latest/modules/rewriting.html>`_.
