r"""
scipy.differentiate
===================

Shrink the step by halves, compare one round with the next, and stop when they agree.
"""

# %%
# In one line
# -----------
# The result tells the slope, an estimate of its error, and whether that was small
# enough.

import numpy as np
from scipy.differentiate import derivative

found = derivative(np.tanh, 2.0)
found.df, found.error, found.success

# %%
# ``diffmethods`` returns the slope alone, and raises an error where the estimate is
# too large.

import diffmethods as dm

dm.derivative(np.tanh, method="scipy_differentiate")(2.0)

# %%
# How it works
# ------------
# A polynomial of degree 8 through nodes on both sides of x gives the slope. Each round
# halves the step, reuses all nodes but two, and takes the change for the error. It ends
# below ``tolerances``, or when the change grows because rounding has the upper hand.

import matplotlib.pyplot as plt

rounds = []
derivative(
    np.tanh,
    2.0,
    callback=lambda now: rounds.append((float(now.error), float(now.df))),
    tolerances={"atol": 0, "rtol": 0},
)
estimated, slopes = np.transpose(rounds[1:])
true = 1 / np.cosh(2.0) ** 2
turn = np.arange(1, len(slopes) + 1)
fig, ax = plt.subplots()
ax.semilogy(turn, abs(slopes / true - 1), "o-", color="#0072B2", label="true")
ax.semilogy(turn, estimated / true, "s--", color="#D55E00", label="estimated")
ax.set(xlabel="round", ylabel="relative error of the slope of tanh at 2", xticks=turn)
legend = ax.legend(frameon=False)
title = ax.set_title("The estimated error is that of the round before")

# %%
# Higher derivatives
# ------------------
# SciPy's function gives the first. The derivative of the derivative gives the second,
# to which ``diffmethods`` goes. It is :math:`-2 \tanh x \, (1 - \tanh^2 x)`.

slope = lambda x: derivative(np.tanh, x).df
second = derivative(slope, 2.0).df
second, dm.derivative(np.tanh, method="scipy_differentiate", order=2)(2.0)

# %%
# On arrays
# ---------
# All items go on together, in one call of f a round; f has to be elementwise.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


derivative(polynomial, np.array([0.0, 1.0, 2.0])).df

# %%
# Several variables
# -----------------
# ``jacobian`` and ``hessian`` move one variable at a time. They ask f for many points
# at once, along further axes.

from scipy.differentiate import hessian, jacobian


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


z = np.array([2.0, 2.0])
jacobian(g, z).df, hessian(g, z).ddf

# %%
# ``diffmethods`` hands f one point at a time, so that it may be any function.


def norm_of(z):
    return np.linalg.norm(z @ np.array([[1.0, 2.0], [3.0, 4.0]]))


dm.gradient(norm_of, method="scipy_differentiate")(z)

# %%
# Where it fails
# --------------
# The first step is 0.5, whatever x is. Where f ends sooner there is no slope, and only
# ``success`` says so. ``diffmethods`` tries shorter steps before it gives up.

with np.errstate(invalid="ignore"):
    outside = derivative(np.log, 0.1)
assert not outside.success
outside.df, dm.derivative(np.log, method="scipy_differentiate")(0.1)

# %%
# Where f varies faster, the rounds do not agree. A shorter ``initial_step`` helps. The
# slope of :math:`\sin 1000 x` at 1 is :math:`562.379076\dots`:

fast = lambda x: np.sin(1000 * x)
print(derivative(fast, 1.0).success)
try:
    dm.derivative(fast, method="scipy_differentiate")(1.0)
except dm.errors.NotDifferentiableError as error:
    print(error)
dm.derivative(fast, method="scipy_differentiate", initial_step=1e-3)(1.0)

# %%
# A kink right at x is not seen: both sides cancel. The slope of an absolute value at 0
# comes out as 0, with an estimated error of 0.

kink = derivative(np.abs, 0.0)
assert kink.success
kink.df, kink.error

# %%
# Cost
# ----
# Few evaluations, and much work around them.

dm.compare(np.tanh, 2.0, methods=["scipy_differentiate", "chebyshev"])

# %%
# On a large array, the slopes take this many times as long as the values:

from timeit import repeat

x = np.linspace(-3, 3, 100_000)
pair = [lambda: np.tanh(x), lambda: derivative(np.tanh, x)]
times = [min(repeat(run, number=1, repeat=3)) for run in pair]
round(times[1] / times[0])

# %%
# See also
# --------
# - `scipy.differentiate
#   <https://docs.scipy.org/doc/scipy/reference/differentiate.html>`_ in SciPy's
#   documentation.
# - :cite:t:`virtanen2020` describe SciPy; the weights are those of
#   :cite:t:`fornberg1988`.
