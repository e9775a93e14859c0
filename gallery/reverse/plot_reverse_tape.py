r"""
Reverse mode on a tape
======================

Write down every operation; read backwards, the list tells what each input is worth.
"""

# %%
# In one line
# -----------
# The last line of this passage is the one. It wants a number that keeps a tape: for
# each operation the operands, and by how much the result changes with each of them.

import numpy as np


class Number:
    def __init__(self, value, *operands, tape=None):
        self.value = value
        self.operands = operands  # pairs: an operand, and the slope by it
        self.weight = 0.0
        self.tape = operands[0][0].tape if operands else tape
        self.tape.append(self)

    def __add__(self, other):
        return Number(self.value + other.value, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        a, b = self.value, other.value
        return Number(a * b, (self, b), (other, a))


def sin(x):
    return Number(np.sin(x.value), (x, np.cos(x.value)))


def gradient(f, *point):
    tape = []
    x = [Number(value, tape=tape) for value in point]
    f(*x).weight = 1.0
    for number in reversed(tape):
        for operand, slope in number.operands:
            operand.weight += number.weight * slope
    return [float(number.weight) for number in x]


def wave(x, y):
    return x * y + sin(x)


gradient(wave, 2.0, 3.0)

# %%
# By hand they are :math:`y + \cos x` and :math:`x`.

assert np.allclose(gradient(wave, 2.0, 3.0), [3.0 + np.cos(2.0), 2.0], rtol=1e-15)

# %%
# ``diffmethods`` has such a tape for all of NumPy.

import diffmethods as dm

dm.gradient(lambda z: z[0] * z[1] + np.sin(z[0]), method="reverse_tape")([2.0, 3.0])

# %%
# How it works
# ------------
# Ask of every number on the way by how much the result would change with it: that is
# its *weight*, or cotangent, :math:`\bar v = \partial f / \partial v`. The result
# weighs 1. An operation :math:`v = \varphi(a, b)` passes its weight to its operands:
#
# .. math::
#
#     \bar a \mathrel{+}= \bar v \, \frac{\partial \varphi}{\partial a}, \qquad
#     \bar b \mathrel{+}= \bar v \, \frac{\partial \varphi}{\partial b}
#
# Backwards along the tape, all weights of a number have arrived before its turn comes.
# What is used twice, as *x* is here, adds up both.

import matplotlib.pyplot as plt

tape = []
x, y = Number(2.0, tape=tape), Number(3.0, tape=tape)
wave(x, y).weight = 1.0
for number in reversed(tape):
    for operand, slope in number.operands:
        operand.weight += number.weight * slope

fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
names = ["x", "y", "x y", "sin x", "x y + sin x"]
places = [(0, 0), (0, 1), (1.5, 1), (1.5, 0), (3, 0.5)]
for name, place, number in zip(names, places, tape, strict=True):
    text = f"{name} = {number.value:.3f}\nweighs {number.weight:.3f}"
    ax.annotate(
        text,
        place,
        ha="center",
        va="center",
        bbox={
            "boxstyle": "round,pad=0.5",
            "facecolor": "white",
            "edgecolor": "#0072B2",
        },
        color="black",
    )
    for operand, slope in number.operands:
        a, b = place, places[tape.index(operand)]
        style = {"arrowstyle": "->", "color": "#D55E00", "shrinkA": 45, "shrinkB": 45}
        ax.annotate("", b, a, arrowprops=style)
        middle = (0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1]) + 0.1)
        ax.text(*middle, f"× {slope:.3f}", ha="center", color="#D55E00")
ax.set(xlim=(-0.6, 3.6), ylim=(-0.4, 1.4), title="Weights flow back, and meet at x")
ax.axis("off")
plt.show()

# %%
# Higher derivatives
# ------------------
# The sweep is a computation like any other: record it on a second tape, or run it on
# dual numbers. Each order repeats all the work of the one before, so that this is a way
# for the second derivative, and no way for the tenth.

[dm.derivative(np.tanh, method="reverse_tape", order=n)(0.5) for n in (1, 2, 3)]

# %%
# On arrays
# ---------
# One entry of the tape holds a whole array. What NumPy copies by broadcasting is summed
# on the way back, what it sums is copied, and what it moves goes back to its place.


def loss(x):
    matrix = x.reshape(2, 3) + x[:3]
    return np.sum(np.tanh(matrix @ matrix.T))


x = np.linspace(-1.0, 1.0, 6)
slope = dm.gradient(loss, method="reverse_tape")(x)
assert np.allclose(slope, dm.gradient(loss, method="central_difference")(x), rtol=1e-8)
slope

# %%
# Linear algebra has rules of its own; this is :math:`\nabla \log\det A = A^{-T}`.

A = np.array([[2.0, 1.0], [0.5, 3.0]])
slope = dm.gradient(lambda A: np.linalg.slogdet(A)[1], method="reverse_tape")(A)
assert np.allclose(slope, np.linalg.inv(A).T, rtol=1e-15)
slope

# %%
# Several variables
# -----------------
# Here the method is at home: one sweep gives the slope by every variable, be they three
# or a million. Measure the time of a gradient in units of the time of the function.

import time

from diffmethods.plotting import plot_curves


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def seconds(f, x, repeats=7):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f(x)
        times.append(time.perf_counter() - start)
    return min(times)


sizes = [4, 16, 64, 256]
cost = {"reverse_tape": [], "dual_numbers": []}
for n in sizes:
    x = np.linspace(-1.0, 1.0, n)
    for method, ratios in cost.items():
        slope = dm.gradient(rosenbrock, method=method)
        ratios.append(seconds(slope, x) / seconds(rosenbrock, x))

title = "The tape costs the same for any number of variables"
ax = plot_curves(
    sizes, cost, title=title, xlabel="variables", ylabel="gradient / function, time"
)
ax.set(xscale="log", yscale="log")
plt.show()

# %%
# A Hessian-vector product is a slope of the gradient: dual numbers forward, over the
# tape backwards, for the price of a few gradients.

x = np.linspace(-1.0, 1.0, 5)
dm.hvp(rosenbrock, method="reverse_tape")(x, np.ones(5))

# %%
# The variables may be complex. A weight on the tape stands for the slope of
# :math:`\operatorname{Re}(w f)`, so every rule holds for complex numbers as it is. A
# holomorphic function has a gradient, in which nothing is conjugated; all others are
# refused.

z = np.array([1 + 2j, 3j])
gradient = dm.gradient(lambda z: z[0] ** 2 * np.exp(z[1]), method="reverse_tape")(z)
np.testing.assert_allclose(gradient, np.array([2 * z[0], z[0] ** 2]) * np.exp(z[1]))

try:
    dm.gradient(lambda z: np.sum(np.abs(z) ** 2), method="reverse_tape")(z)
except dm.errors.NotDifferentiableError as error:
    print(error)

# %%
# Where it fails
# --------------
# The tape refers to the arrays that the function used. If one is changed in place
# before the tape is read, the slope would be that of another function. It is refused.


def careless(x):
    factor = np.ones(3)
    y = x * factor
    factor[:] = 0.0
    return np.sum(y)


try:
    dm.gradient(careless, method="reverse_tape")(np.ones(3))
except dm.errors.TracedValueError as error:
    print(error)

# %%
# Behind the branch that ``np.where`` did not take, a weight of 0 meets the infinite
# slope of the root at 0. Most tapes answer NaN there; for this one 0 wins.

dm.gradient(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), method="reverse_tape")(
    np.array([0.0, 4.0])
)

# %%
# And the tape grows with the run: a loop of 2,500 steps keeps what 2,500 steps need. A
# *checkpoint* keeps the arguments of a function instead, and runs it again on the way
# back.


def steps(x, count):
    for _ in range(count):
        x = step(x)
    return x


def step(x):
    global runs
    runs += 1
    return x + 1e-4 * np.sin(x)


# %%
# Cut the loop into fifty blocks of fifty steps. The tape keeps the starts of the
# blocks, and the steps of one block at a time: twice the square root. A block may be
# cut into blocks again, and each such level runs all steps once more. With *c* levels
# of cuts, memory grows as the root of order *c* + 1 of the number of steps; cut in
# halves down to a single step, with its logarithm (:cite:t:`griewank2008`, chapter 12).


def in_blocks(x, count, levels):
    if levels == 0:
        return steps(x, count)
    blocks = round(count ** (1 / (levels + 1)))
    for k in range(blocks):
        size = count * (k + 1) // blocks - count * k // blocks
        x = dm.checkpoint(in_blocks)(x, size, levels - 1)
    return x


def in_halves(x, count):
    if count == 1:
        return step(x)
    half = dm.checkpoint(in_halves)
    return half(half(x, count // 2), count - count // 2)


# %%
# Measure the largest memory in use, and count how often each step is run.

import tracemalloc

N, start = 2_500, np.linspace(0.5, 1.5, 1_000)
schemes = {
    "all on the tape": lambda x: steps(x, N),
    "blocks": lambda x: in_blocks(x, N, 1),
    "blocks of blocks": lambda x: in_blocks(x, N, 2),
    "three levels": lambda x: in_blocks(x, N, 3),
    "halves": lambda x: in_halves(x, N),
}
megabytes, repeats, slopes = [], [], []
for scheme in schemes.values():
    runs = 0
    tracemalloc.start()
    slope = dm.vjp(scheme, method="reverse_tape")
    slopes.append(slope(start, np.ones(len(start))))
    megabytes.append(tracemalloc.get_traced_memory()[1] / 1e6)
    tracemalloc.stop()
    repeats.append(runs / N)

assert np.allclose(slopes, slopes[0], rtol=1e-12)
assert megabytes[0] > 20 * megabytes[1] > 30 * megabytes[2]
assert repeats[:3] == [1, 2, 3]

_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.loglog(repeats, megabytes, "o-")
for name, place in zip(schemes, zip(repeats, megabytes, strict=True), strict=True):
    ax.annotate(name, place, (6, 6), textcoords="offset points")
ax.set(
    title="A second run of the steps saves nearly all of the memory",
    xlabel="runs of each step",
    ylabel="largest memory, MB",
    xlim=(0.9, 30),
    xticks=[1, 2, 3, 5, 10, 20],
    xticklabels=["1", "2", "3", "5", "10", "20"],
    ylim=(0.1, 60),
    yticks=[0.1, 1, 10],
    yticklabels=["0.1", "1", "10"],
)
ax.minorticks_off()
plt.show()

# %%
# Count the memory in states, which are arrays like the start. The whole tape holds one
# a step. The blocks hold twice the square root of the number of steps, for a second
# run; each further level saves less.

states = np.array(megabytes) * 1e6 / start.nbytes
assert N < states[0] < 1.2 * N
assert states[1] < 2.5 * np.sqrt(N)
dict(zip(schemes, states.round(), strict=True))

# %%
# Cost
# ----
# One evaluation and one sweep, a small multiple of the function's own work whatever the
# number of variables; :cite:t:`griewank2008` bound it by 4 where reading and writing
# are free. On a single number, Python's own time prevails.

dm.compare(np.tanh, 2.0, methods=["reverse_tape", "dual_numbers"])

# %%
# See also
# --------
# - :cite:t:`baydin2018` tell the history, from Linnainmaa's rounding errors of 1970 to
#   the training of networks; :cite:t:`griewank2008` is the textbook.
# - `Autodidact <https://github.com/mattjj/autodidact>`_ is a tape for NumPy made to be
#   read; `Autograd <https://github.com/HIPS/autograd>`_ is the one to be used.
