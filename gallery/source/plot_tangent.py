r"""
Tangent
=======

Read the function's source, and write the source of its derivative.
"""

# %%
# In one line
# -----------
# ``tangent.grad`` takes a function, finds its text, and gives a function back whose
# text is the derivative. The package is ``tangent-ad``, its import name ``tangent``.

import numpy as np
import tangent


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


tangent.grad(polynomial)(2.0)

# %%
# Google's Tangent was a research project of 2017 and 2018
# :cite:p:`vanmerrienboer2018`, and the package ``tangent`` no longer imports. What took
# its place is of three kinds. *Tracing* needs no source, it follows the calls: JAX,
# ``torch.func``, Autograd. *Compilers* differentiate below the language: Enzyme. And
# two libraries still write source: ``tangent-ad``, which carries Tangent's code on, and
# this package's ``numpy_source``, which writes what a trace has recorded.
#
# Through ``diffmethods`` a lambda, a closure or a NumPy function will do as well.

import diffmethods as dm

dm.derivative(np.tanh, method="tangent")(2.0)

# %%
# How it works
# ------------
# Here is all of it, as Python shows the source of any function:

import inspect

print(inspect.getsource(tangent.grad(polynomial)))

# %%
# Each statement of the function is split until it does one thing. Then every one has
# its adjoint, in reverse: ``bx`` is what *x* weighs in the result. It is a program like
# any other. You can read it, change it, or step through it with a debugger.
#
# In the other direction a tangent goes along with each value:


def wave(x):
    return x * np.sin(x)


print(inspect.getsource(tangent.jvp(wave)))

# %%
# A loop stays a loop. On the way there it pushes what the way back will need; on the
# way back it pops that.


def again(x):
    y = x
    for _ in range(3):
        y = y * np.sin(y)
    return y


print(inspect.getsource(tangent.grad(again)))

# %%
# Higher derivatives
# ------------------
# What comes out has a source, so it goes in again.

towers = [polynomial]
for _ in range(3):
    towers.append(tangent.grad(towers[-1]))
[float(f(2.0)) for f in towers]

# %%
# The text grows with each order, and the time to write it grows with the text.

from diffmethods.plotting import plot_bars

names = ["the polynomial", "first derivative", "second derivative", "third derivative"]
lines = {
    name: len(inspect.getsource(f).splitlines())
    for name, f in zip(names, towers, strict=True)
}
counts = list(lines.values())
title = f"A function of {counts[0]} lines has a third derivative of {counts[-1]} lines"
ax = plot_bars(lines, title=title, xlabel="lines of source", log=True)
assert np.all(np.diff(np.log(counts)) > np.log(2))

# %%
# On arrays
# ---------
# ``grad`` wants a scalar; ``vjp`` takes the weights of the result, here all ones.

x = np.linspace(-1, 1, 5)
slopes = tangent.vjp(wave)(x, np.ones(5))
assert np.allclose(slopes, np.sin(x) + x * np.cos(x), rtol=1e-15)
slopes

# %%
# A function may fill an array item by item, which tracing methods refuse.


def squares(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i] ** 2
    return np.sum(y)


x = np.array([1.0, 2.0, 3.0])
assert np.array_equal(tangent.grad(squares)(x), 2 * x)
tangent.grad(squares)(x), dm.gradient(squares, method="tangent")(x)

# %%
# Several variables
# -----------------
# ``grad`` of one array, or of several arguments that ``wrt`` names.


def g(x, y):
    return np.tanh(x) * y**2


tangent.grad(g, wrt=(0, 1))(2.0, 3.0)

# %%
# The Hessian is the vjp of a vjp: a row for each weight. ``diffmethods`` does this.

dm.hessian(lambda z: np.tanh(z[0]) * z[1] ** 2, method="tangent")(np.array([2.0, 3.0]))

# %%
# Where it fails
# --------------
# A rule can be wrong without a word. In a quotient of an array by a number, the number
# weighs the *sum* of what the items say; Tangent 0.4 leaves the sum out.


def first_share(x):
    return (x / np.sum(x))[0]


wrong = tangent.grad(first_share)(x)
true = dm.gradient(first_share, method="dual_numbers")(x)
assert np.max(np.abs(wrong - true)) > 0.01
wrong, true

# %%
# ``diffmethods`` therefore compares each result along one direction with that of dual
# numbers, and refuses it if they differ.

try:
    dm.gradient(first_share, method="tangent")(x)
except dm.errors.WrongDerivativeError as error:
    print(error)

# %%
# Its table of NumPy's functions is short. What is not in it is an error.

try:
    dm.derivative(np.sinc, method="tangent")(0.5)
except dm.errors.MissingRuleError as error:
    print(error)

# %%
# And without source there is nothing to read.

made = eval("lambda x: x**2")
try:
    dm.derivative(made, method="tangent")(2.0)
except dm.errors.InputError as error:
    print(error)

# %%
# Cost
# ----
# Writing the source takes a while, once; it is kept as long as what the function reads
# stays the same. A check at each call costs a few evaluations more. The import is slow
# where frameworks are installed, for ``import tangent`` loads them all; ``diffmethods``
# loads its part for NumPy alone.

dm.compare(wave, 2.0, methods=["tangent", "numpy_source", "dual_numbers"])

# %%
# The source by itself, without the check, takes this many times as long as the
# function:

from timeit import repeat

slope = tangent.vjp(wave)
x = np.linspace(-3, 3, 100_000)
ones = np.ones_like(x)
times = [
    min(repeat(run, number=10)) for run in (lambda: wave(x), lambda: slope(x, ones))
]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - :cite:t:`vanmerrienboer2018` is Tangent; `its repository
#   <https://github.com/google/tangent>`_ is archived.
# - :doc:`/auto_examples/source/plot_numpy_source` writes NumPy source from a trace.
# - `Enzyme <https://enzyme.mit.edu>`_ differentiates what a compiler makes of a
#   program.
