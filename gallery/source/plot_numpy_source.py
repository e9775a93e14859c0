r"""
NumPy source
============

Record a function once, and write its derivative down as NumPy source.
"""

# %%
# In one line
# -----------
# A value may be a piece of text. Then arithmetic writes formulas, and the rules of
# differentiation write the formula of the slope. The last line reads it.

from dataclasses import dataclass


@dataclass
class Text:
    value: str
    slope: str = "0"

    def __add__(self, other):
        other = written(other)
        return Text(
            f"({self.value} + {other.value})", f"({self.slope} + {other.slope})"
        )

    def __mul__(self, other):
        a, b = self, written(other)
        slope = f"({a.slope} * {b.value} + {a.value} * {b.slope})"
        return Text(f"{a.value} * {b.value}", slope)

    __radd__, __rmul__ = __add__, __mul__


def written(x):
    return x if isinstance(x, Text) else Text(repr(x))


def polynomial(x):
    return x * x * x + 2 * x * x + -3 * x + 1


source = polynomial(Text("x", "1")).slope
print(source)
eval(f"lambda x: {source}")(2.0)

# %%
# ``diffmethods`` writes programs instead of formulas: each value is computed once, and
# what is not needed is left out.

import numpy as np

import diffmethods as dm
from diffmethods.source import to_source


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


x = np.array([0.5, -0.3, 0.8, 1.2])
print(to_source(rosenbrock, x))

# %%
# Save it to a file: it needs NumPy, and nothing else. First come values, then slopes.
# Comments show the expressions that the lines come from, and ``g_x`` is what ``x``
# weighs in the result.

module = {}
exec(to_source(rosenbrock, x), module)
slope = module["gradient"](x)
assert np.array_equal(slope, dm.gradient(rosenbrock, method="numpy_source")(x))
slope

# %%
# How it works
# ------------
# NumPy hands each call to a stand-in for the array, which computes and takes notes. The
# list of calls is read backwards, as on a tape; but the rules of reverse mode are NumPy
# calls on the same stand-ins, so the list grows by the derivative. What the result does
# not need is dropped: the value of this function, for one, and every call that was made
# twice. Constants merge, ``2 * (x * (200 * d))`` into ``400 * (x * d)``, and never at
# the price of a rounding.
#
# A matrix expression, and the rule for the solution of a linear system:

b = np.array([1.0, 2.0, 3.0])


def energy(A):
    y = np.linalg.solve(A @ A.T + np.eye(3), b)
    return b @ y


A = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [-0.2, 0.3, 1.8]])
print(to_source(energy, A))

# %%
# A loop leaves its steps, one after the other, under the names that you gave: the
# third ``angle`` is ``angle_3``, and ``g_angle_3`` is its weight. This is a pendulum.


def pendulum(x):
    angle, speed = x[0], x[1]
    for _ in range(3):
        speed = speed - 0.25 * np.sin(angle)
        angle = angle + 0.25 * speed
    return angle


print(to_source(pendulum, np.array([1.0, 0.0])))

# %%
# Python's own decisions are not in the list. Where a value decided one, the source
# looks whether it would decide the same, and says so if not. ``dm.gradient`` then
# records anew, and keeps both programs.


def growth(x):
    return x[0] * np.exp(x[1]) if x[0] > 0 else x[1]


print(to_source(growth, np.array([1.0, 2.0])))

# %%

slope = dm.gradient(growth, method="numpy_source")
slope([1.0, 2.0]), slope([-1.0, 2.0])

# %%
# Higher derivatives
# ------------------
# The derivative is a list of NumPy calls, so the same walk differentiates it, too. This
# is the second derivative of the hyperbolic tangent, in a form that keeps its digits
# however large x is.

print(to_source(np.tanh, 0.5, order=2))

# %%

[dm.derivative(np.tanh, method="numpy_source", order=n)(0.5) for n in (1, 2, 3, 4)]

# %%
# The source itself is a function like any other, and may be recorded again. The
# Jacobian of a gradient is the Hessian.

again = dm.jacobian(module["gradient"], method="numpy_source")(x)
assert np.allclose(again, dm.hessian(rosenbrock)(x), rtol=1e-14)
again

# %%
# On arrays
# ---------
# A program holds for one shape. It goes through long arrays in strips of 16,384 items:
# a strip and the few buffers beside it fit into the processor's cache, and the
# arithmetic no longer waits for memory.


def bump(x):
    return np.exp(-(x**2)) * np.cos(3 * x)


print(to_source(bump, np.linspace(-1, 1, 100_000), operator="derivative"))

# %%
# Several variables
# -----------------
# A gradient is one backward reading, whatever the number of variables. There is source
# for directions and weights, too; this is a Hessian-vector product.

print(to_source(rosenbrock, x, operator="hvp"))

# %%
# Such a product is linear in ``v``. For the whole Hessian, ``v`` is every unit vector
# at once: as long as each of its items lies in one row, a row's program computes with
# diagonals instead of matrices. Here the Hessian has three, and costs little more than
# the product.

print(to_source(rosenbrock, x, operator="hessian"))

# %%
# A complex point makes a program of complex numbers, wherever the function is
# holomorphic.

print(to_source(lambda z: np.exp(2j * z) * z**2, 1 + 1j))

# %%
# Where it fails
# --------------
# A list of calls cannot hold what NumPy is not asked for.

import math

try:
    dm.derivative(math.tanh, method="numpy_source")(2.0)
except dm.errors.TracedValueError as error:
    print(error)

# %%
# A loop becomes as many lines as it has steps, and Python compiles each of them: for a
# long one a tape is better.


def logistic_map(x):
    for _ in range(steps):
        x = 3.5 * x * (1 - x)
    return x


for steps in (10, 100, 1000):
    print(steps, "steps:", to_source(logistic_map, 0.4).count("\n"), "lines")

# %%
# And where every point takes branches of its own, every gradient is recorded anew. The
# slopes are right, but a tape has them sooner.


def halvings(x):
    count = 0
    while x > 1e-3:
        x, count = x / 2, count + 1
    return x * count


slope = dm.derivative(halvings, method="numpy_source")
[slope(x) for x in (0.5, 5.0, 50.0, 500.0)]

# %%
# Cost
# ----
# Once the program is there, a gradient costs about as much as the function: the value
# is not needed, nor are the last squares and the sum, and on long arrays the strips win
# back what the slopes cost.

import time

from diffmethods.plotting import plot_curves


def seconds(f, x, repeats=15):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f(x)
        times.append(time.perf_counter() - start)
    return min(times)


sizes = [10, 100, 1000, 10_000, 100_000, 1_000_000]
cost = {"reverse_tape": [], "numpy_source": []}
for n in sizes:
    x = np.linspace(-1.0, 1.0, n)
    for method, ratios in cost.items():
        slope = dm.gradient(rosenbrock, method=method)
        slope(x), slope(x)  # the first call records, and the second compiles
        ratios.append(seconds(slope, x) / seconds(rosenbrock, x))

most = max(cost["numpy_source"])
title = f"The written gradient costs at most {most:.1f} times the function"
ax = plot_curves(
    sizes, cost, title=title, xlabel="variables", ylabel="gradient / function, time"
)
ax.set(xscale="log", ylim=(0, None))
ax.axhline(1, color="#7A7A7A", linewidth=1)

# %%
# The first call pays for the recording, and the second for the compilation.


def fresh(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


slope, x = dm.gradient(fresh, method="numpy_source"), np.linspace(-1.0, 1.0, 10)
for call in ("first", "second", "third"):
    print(f"{call:6} call: {1e3 * seconds(slope, x, repeats=1):.2f} ms")

# %%
# See also
# --------
# - :cite:t:`griewank2008` treat source transformation beside taping; Tangent (2018) did
#   it for Python, and no longer imports. ``tangent-ad`` continues it, and reads the
#   function's own source.
# - JAX compiles such a list of calls to machine code: ``jax.jit(jax.grad(f))``.
