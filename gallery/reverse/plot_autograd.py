r"""
Autograd
========

Wrap NumPy, write down what is called, and walk back through it.
"""

# %%
# In one line
# -----------
# ``autograd.numpy`` is NumPy that can be followed, and ``grad`` a function's slope.

import autograd.numpy as anp
from autograd import grad

float(grad(anp.tanh)(2.0))

# %%
# Of a scalar this is the derivative; ``elementwise_grad`` takes arrays, too.
#
# ``diffmethods`` takes plain NumPy: it hands each call to Autograd's function of that
# name.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="autograd")(2.0)

# %%
# How it works
# ------------
# Each function of ``autograd.numpy`` looks for *boxes* among its operands. A box holds
# a value, and a node that knows which function made it and from which nodes. The result
# goes into a new box. Here is the graph of a product, from the result back to *x*:

from autograd.core import VJPNode
from autograd.tracer import trace


def wave(x):
    return x * anp.sin(x)


value, node = trace(VJPNode.new_root(), wave, 2.0)
while node.parents:
    print(len(node.parents), "parents, which weigh", [float(w) for w in node.vjp(1.0)])
    node = node.parents[-1]

# %%
# A node keeps the function that turns the weight of its result into those of its
# operands. Autograd plays them from the end, and adds up what meets. That is all
# :cite:t:`maclaurin2015` need, in some three hundred lines; the rest is a table of
# rules.

assert np.allclose(grad(wave)(2.0), np.sin(2.0) + 2.0 * np.cos(2.0), rtol=1e-15)
float(grad(wave)(2.0))

# %%
# Higher derivatives
# ------------------
# The walk back calls the same functions, so it can be followed itself: nest ``grad``.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


towers = [polynomial]
for _ in range(4):
    towers.append(grad(towers[-1]))
float(grad(grad(anp.tanh))(2.0)), [float(f(2.0)) for f in towers]

# %%
# On arrays
# ---------
# ``elementwise_grad`` sums the result and differentiates that, which gives each item
# its own slope.

from autograd import elementwise_grad

x = np.linspace(-3, 3, 7)
slopes = elementwise_grad(anp.tanh)(x)
assert np.allclose(slopes, 1 / np.cosh(x) ** 2, rtol=1e-15)
slopes

# %%
# Several variables
# -----------------
# ``grad`` for a scalar function, ``jacobian`` by rows, ``hessian`` by rows of rows.

from autograd import hessian, jacobian, make_jvp, make_vjp


def g(z):
    return anp.tanh(z[0]) * polynomial(z[1])


z = np.array([2.0, 2.0])
grad(g)(z), hessian(g)(z)

# %%
# ``make_vjp`` gives the walk back itself, and ``make_jvp`` the other direction: a
# tangent that goes along with the values.

pull, value = make_vjp(g)(z)
value, slope = make_jvp(g)(z)(np.array([1.0, 0.0]))
assert np.allclose(jacobian(g)(z), pull(1.0), rtol=1e-15)
pull(1.0), float(slope)

# %%
# Where it fails
# --------------
# An argument that a rule does not know is ignored: the sum leaves the second item out,
# and its slope should be 0. ``diffmethods`` has such rules replaced.


def part(x):
    return anp.sum(x, where=np.array([True, False, True]))


x = np.array([1.0, 2.0, 3.0])
lost = grad(part)(x)
right = dm.gradient(lambda x: np.sum(x, where=[True, False, True]), method="autograd")(
    x
)
assert (lost[1], right[1]) == (1.0, 0.0)
lost, right

# %%
# The rule for a product divides by its factors. Where one is 0, so is the other side.

with np.errstate(invalid="ignore", divide="ignore"):
    lost = grad(anp.prod)(np.array([0.0, 2.0, 3.0]))
assert np.isnan(lost[0])
lost, dm.gradient(np.prod, method="autograd")(np.array([0.0, 2.0, 3.0]))

# %%
# The rule for tanh is :math:`1 / \cosh^2 x`, which keeps its digits far out, where
# :math:`1 - \tanh^2 x` loses them. Nested, it divides ever larger numbers by each
# other, until none of the digits is right.

import mpmath

from diffmethods.plotting import plot_errors

slope, orders = anp.tanh, np.arange(1, 10)
errors = {"autograd": [], "Taylor series": []}
for order in orders:
    true = float(mpmath.diff(mpmath.tanh, 2, order))
    slope = elementwise_grad(slope)
    errors["autograd"].append(slope(2.0) / true - 1)
    by_series = dm.derivative(np.tanh, method="taylor_series", order=int(order))
    errors["Taylor series"].append(by_series(2.0) / true - 1)
lost = np.log10(abs(errors["autograd"][-1]) / 2.2e-16)
title = f"Nine walks back lose {lost:.0f} of the sixteen digits of tanh's derivative"
ax = plot_errors(orders, errors, title=title, xlabel="order of the derivative")
assert lost > 5

# %%
# ``diffmethods`` therefore stops at order 5 here; ``taylor_series`` goes on.

dm.derivative(np.tanh, method="taylor_series", order=10)(2.0)

# %%
# And a function that Autograd has not wrapped does not take boxes. With a function out
# of ``math`` that is an error at once.

import math

try:
    grad(lambda x: math.tanh(x))(2.0)
except TypeError as error:
    print(error)

# %%
# Cost
# ----
# A walk back costs a few times the work of the function, whatever the number of
# variables. On one number the boxes cost more than that.

dm.compare(np.tanh, 2.0, methods=["autograd", "reverse_tape", "dual_numbers"])

# %%
# On a large array, a gradient takes this many times as long as the value:

from timeit import repeat

x = np.linspace(-3, 3, 100_000)
loss = lambda x: anp.sum(anp.tanh(x) ** 2)
times = [min(repeat(lambda f=f: f(x), number=10)) for f in (loss, grad(loss))]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - Autograd's `tutorial
#   <https://github.com/HIPS/autograd/blob/master/docs/tutorial.md>`_; it is maintained,
#   and its authors' next work was JAX.
# - :cite:t:`maclaurin2015` is the library; :cite:t:`baydin2018` survey the field.
