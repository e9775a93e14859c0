r"""
num-dual
========

Dual numbers of many kinds, made in Rust: numbers that carry derivatives along.
"""

# %%
# In one line
# -----------
# ``first_derivative`` gives the value and the slope. The function is written with the
# methods of the number that it gets.

import num_dual

num_dual.first_derivative(lambda x: x.tanh(), 2.0)

# %%
# ``diffmethods`` takes plain NumPy, and arrays of such numbers.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="num_dual")(2.0)

# %%
# How it works
# ------------
# A dual number :math:`a + b\,\varepsilon` with :math:`\varepsilon^2 = 0` knows its
# value and its slope; every operation has the chain rule built in.

x = num_dual.Dual64(2.0, 1.0)
y = x * x.sin() + 1 / x
print(y)
y.value, y.first_derivative

# %%
# Others carry more. With :math:`\varepsilon^3 = 0` come second derivatives, with
# :math:`\varepsilon^4 = 0` third ones; two different units, each with the square 0,
# leave a mixed second derivative at their product: these are the *hyper-dual* numbers
# :cite:p:`rehner2021`.

kinds = {
    "Dual64": num_dual.Dual64(2.0, 1.0),
    "Dual2_64": num_dual.Dual2_64(2.0, 1.0, 0.0),
    "Dual3_64": num_dual.Dual3_64(2.0, 1.0, 0.0, 0.0),
    "HyperDual64": num_dual.HyperDual64(2.0, 1.0, 1.0, 0.0),
}
for name, x in kinds.items():
    print(f"{name:12} {x * x * x}")

# %%
# Higher derivatives
# ------------------
# To the third, each by a number of its own kind, in one evaluation.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


num_dual.third_derivative(polynomial, 2.0)

# %%
# ``diffmethods`` picks the kind by the order.

[dm.derivative(np.tanh, method="num_dual", order=order)(2.0) for order in (1, 2, 3)]

# %%
# On arrays
# ---------
# The library has numbers, and no arrays of them. Native code is a loop:

points = np.linspace(-1.0, 1.0, 5)
[num_dual.first_derivative(lambda x: x.tanh(), x)[1] for x in points]

# %%
# ``diffmethods`` puts a number into each item of a NumPy array of objects and calls the
# function once; NumPy then loops over the items, one call of Python for each.

dm.derivative(np.tanh, method="num_dual")(points)

# %%
# Several variables
# -----------------
# ``gradient``, ``hessian`` and ``jacobian`` hand the function a list of numbers, each
# with as many slopes as there are variables.


def g(z):
    return z[0].tanh() * polynomial(z[1])


value, slope, bend = num_dual.hessian(g, [2.0, 2.0])
slope, bend

# %%

num_dual.jacobian(lambda z: [z[0] * z[1], z[0].exp()], [1.0, 2.0])

# %%
# Where it fails
# --------------
# The rule for tanh is :math:`1 - \tanh^2 x`, written as a quotient. At 20 nothing of
# the slope is left, :math:`1.7 \cdot 10^{-17}`.

lost = num_dual.first_derivative(lambda x: x.tanh(), 20.0)[1]
assert lost == 0
lost, dm.derivative(np.tanh, method="dual_numbers")(20.0)

# %%
# The digits go one by one before. mpmath knows the true slopes.

import mpmath

from diffmethods.plotting import plot_errors

x = np.arange(0.25, 25, 0.25)
true = np.array([float(mpmath.sech(point) ** 2) for point in x])
errors = {
    name: dm.derivative(np.tanh, method=name)(x) / true - 1
    for name in ("dual_numbers", "num_dual")
}
gone = x[abs(errors["num_dual"]) > 0.5][0]
title = f"num-dual has lost the slope of tanh by x = {gone:.0f}"
ax = plot_errors(x, errors, title=title, xlabel="x")

# %%
# A number times an array of numbers multiplies the array *in place*: your array has
# changed afterwards. The other way round, ``array * number``, NumPy makes a new one.

number = num_dual.Dual64(2.0, 1.0)
array = np.array([num_dual.Dual64(3.0, 0.0)], dtype=object)
product = number * array
assert product is array or array[0].value != 3.0
array[0]

# %%
# ``diffmethods`` multiplies by ``np.multiply``, which leaves operands alone. It refuses
# what the numbers cannot do, such as complex numbers and Bessel functions.

try:
    dm.derivative(lambda x: np.abs(np.exp(1j * x)), method="num_dual")(1.0)
except dm.errors.MissingRuleError as error:
    print(error)

# %%
# There are no numbers for a derivative inside a derivative of several variables.

try:
    dm.jacobian(dm.gradient(np.prod, method="num_dual"), method="num_dual")(
        np.array([2.0, 3.0])
    )
except dm.errors.InputError as error:
    print(error)

# %%
# Cost
# ----
# Rust is fast, and each operation is still a call from Python.

dm.compare(np.tanh, 2.0, methods=["num_dual", "dual_numbers"])

# %%
# On an array of a thousand numbers, the loop over items is what counts. The time over
# that of one evaluation by NumPy:

from timeit import repeat

x = np.linspace(-3, 3, 1000)
slopes = {
    name: dm.derivative(np.tanh, method=name) for name in ("num_dual", "dual_numbers")
}
base = min(repeat(lambda: np.tanh(x), number=20))
{
    name: round(min(repeat(lambda f=f: f(x), number=20)) / base)
    for name, f in slopes.items()
}

# %%
# See also
# --------
# - :doc:`/auto_examples/forward/plot_dual_numbers` makes dual numbers from nothing, and
#   :doc:`/auto_examples/forward/plot_taylor_series` goes to any order.
# - `num-dual <https://github.com/itt-ustutt/num-dual>`_ is the library, made for
#   equations of state; :cite:t:`rehner2021` describe it.
