r"""
Perturbation confusion
======================

A derivative inside a derivative needs two infinitesimals. A program that has only one
mixes them up.
"""

# %%
# What you would write
# --------------------
# Dual numbers in a few lines. A number carries its slope, and sums and products
# follow the rules.


class Dual:
    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    __radd__, __rmul__ = __add__, __mul__


# %%
# The derivative of f at x is the slope of f at :math:`x + \varepsilon`.


def derivative(f, x):
    return f(Dual(x, 1.0)).slope


# %%
# It can even be nested: the second derivative of :math:`x^3` at 2 is 12.

cube = derivative(lambda x: derivative(lambda y: y * y * y, x), 2.0)
assert cube == 12
cube

# %%
# What comes out
# --------------
# Now let the inner function use both variables: the slope by x of
# :math:`x \cdot \frac{d}{dy} (x + y)`. The inner derivative is 1, so this is the slope
# of x, which is 1.

confused = derivative(lambda x: x * derivative(lambda y: x + y, 1.0), 1.0)
assert confused == 2
confused

# %%
# With a product inside the error depends on x. The true slope of
# :math:`x \cdot \frac{d}{dy} (x y)` is :math:`2x`, whatever y is. At y = 2:

import numpy as np
from matplotlib import pyplot as plt

x = np.linspace(0, 4, 41)
found = [derivative(lambda x: x * derivative(lambda y: x * y, 2.0), a) for a in x]
_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.plot(x, 2 * x, color="#0072B2", label="true slope, 2x")
ax.plot(x, found, "--", color="#D55E00", label="confused")
ax.plot(2, 4, "o", color="black", markersize=9, markerfacecolor="none")
ax.set(
    title="Confused slopes are right at one point, where x equals y",
    xlabel="x",
    ylabel="slope of x d/dy (x y) at y = 2",
)
ax.legend()
assert np.allclose(found, x + 2)
plt.show()

# %%
# Why
# ---
# In ``x + y`` both numbers carry a slope: that of x by x, and that of y by y. The
# class adds them, :math:`1 + 1 = 2`, as if they belonged to one variable. The inner
# derivative should have taken x for a constant. The cube was right because its inner
# function sees no x.
#
# :cite:t:`siskind2008` gave the example and the name.

# %%
# What to do instead
# ------------------
# Give each call of ``derivative`` a level of its own. A number of a lower level is a
# constant to one of a higher.


class Leveled:
    def __init__(self, value, slope, level):
        self.value, self.slope, self.level = value, slope, level

    def __add__(self, other):
        a, b, level = parts(self, other)
        return Leveled(a[0] + b[0], a[1] + b[1], level)

    def __mul__(self, other):
        a, b, level = parts(self, other)
        return Leveled(a[0] * b[0], a[1] * b[0] + a[0] * b[1], level)

    __radd__, __rmul__ = __add__, __mul__


# %%
# The higher of two levels answers.


def parts(*numbers):
    level = max(getattr(number, "level", 0) for number in numbers)
    pairs = [
        (n.value, n.slope) if getattr(n, "level", 0) == level else (n, 0.0)
        for n in numbers
    ]
    return *pairs, level


# %%
# A derivative opens a level, and closes it when it is done. A result of a lower level
# does not depend on the variable.


def leveled_derivative(f, x):
    global depth
    depth += 1
    y = f(Leveled(x, 1.0, depth))
    depth -= 1
    return y.slope if getattr(y, "level", 0) == depth + 1 else 0.0


depth = 0
mended = leveled_derivative(lambda x: x * leveled_derivative(lambda y: x + y, 1.0), 1.0)
assert mended == 1
mended

# %%
# ``diffmethods`` does this for every method, and across methods.

import diffmethods as dm

for outer in ("dual_numbers", "reverse_tape", "taylor_series"):
    for inner in ("dual_numbers", "reverse_tape"):
        slope = dm.derivative(
            lambda x, inner=inner: (
                x * dm.derivative(lambda y: x + y, method=inner)(1.0)
            ),
            method=outer,
        )(1.0)
        assert slope == 1
        print(f"{outer} of {inner}: {slope}")

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_forward_plot_dual_numbers.py`.
# - :cite:t:`siskind2008`, and :cite:t:`baydin2018` for the history.
