r"""
A plain number asked of a trace
===============================

``math.sin`` and ``float()`` want a number. What follows a trace is more than a number,
and PyTorch gives the rest away.
"""

# %%
# What you would write
# --------------------
# :math:`x \sin x`, with the sine of the standard library:

import math
import warnings

import torch


def slope(f, x):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    return float(torch.autograd.grad(f(x), x)[0])


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    with_math = slope(lambda x: x * math.sin(x), 1.0)
    with_float = slope(lambda x: x * float(x), 1.0)

# %%
# What comes out
# --------------
# The slope of :math:`c\,x`, with :math:`c = \sin 1`. And 1 for the slope of
# :math:`x \cdot x` at 1, which is 2. That of :math:`x \sin x` is
# :math:`\sin x + x \cos x`.

assert with_math == math.sin(1)
assert with_float == 1
with_math, math.sin(1) + math.cos(1)

# %%
# PyTorch warns of a conversion that "may lead to unexpected behavior", but only of the
# first one in a process. From the second on it is silent.

with warnings.catch_warnings(record=True) as notes:
    warnings.simplefilter("always")
    slope(lambda x: x * math.sin(x), 1.0)
assert not notes

# %%
# The error is the part of the slope that came through the sine.

import numpy as np
from matplotlib import pyplot as plt

points = np.linspace(-6, 6, 121)
slopes = [slope(lambda x: x * math.sin(x), point) for point in points]
_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.plot(
    points,
    np.sin(points) + points * np.cos(points),
    color="#0072B2",
    label="true slope",
)
ax.plot(points, slopes, "--", color="#D55E00", label="PyTorch, with math.sin")
ax.set(
    title="Behind math.sin the sine counts as a constant",
    xlabel="x",
    ylabel="slope of x sin x",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# ``math.sin`` calls ``float``, and so does everything in compiled code that takes
# numbers. A tensor answers with its value, and what is made of it has no history. The
# same holds for ``x.item()``, ``x.detach()`` and ``np.asarray(x.detach())``.
#
# JAX and autograd refuse: a :term:`trace <tracing>` of theirs is not a number.

import autograd
import jax

try:
    jax.grad(lambda x: x * math.sin(x))(1.0)
except TypeError as error:
    print("JAX:", str(error).splitlines()[0])
try:
    autograd.grad(lambda x: x * math.sin(x))(1.0)
except TypeError as error:
    print("autograd:", error)

# %%
# So does ``diffmethods``, and says what to write.

import diffmethods as dm

try:
    dm.derivative(lambda x: x * math.sin(x))(1.0)
except dm.errors.TracedValueError as error:
    print(error)

# %%
# What to do instead
# ------------------
# Use the library's own sine.

true = math.sin(1) + math.cos(1)
mended = slope(lambda x: x * torch.sin(x), 1.0)
assert math.isclose(mended, true, rel_tol=1e-15)
mended

# %%
# In ``diffmethods`` that is NumPy's:

mended = dm.derivative(lambda x: x * np.sin(x))(1.0)
assert math.isclose(mended, true, rel_tol=1e-15)
mended

# %%
# A function that you cannot rewrite can get a rule,

sine = dm.custom_rule(math.sin, partials=lambda y, x: np.cos(x))
by_rule = dm.derivative(lambda x: x * sine(x))(1.0)
assert math.isclose(by_rule, true, rel_tol=1e-15)
by_rule

# %%
# or is left to a method that asks for plain numbers alone.

by_values = dm.derivative(lambda x: x * math.sin(x), method="chebyshev")(1.0)
assert math.isclose(by_values, true, rel_tol=1e-12)
by_values

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_libraries_plot_pytorch.py`.
# - :ref:`sphx_glr_auto_examples_applications_plot_custom_rule.py`.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_missing_rules.py`: detached results
#   once more.
# - :doc:`/reference/errors`.
