r"""
TensorFlow
==========

Hold a tape open while the function runs, then play it backwards.
"""

# %%
# In one line
# -----------
# ``tf.GradientTape`` records what is done to the tensors that it watches. A tensor made
# of a Python number is float32 unless told otherwise.

import tensorflow as tf

x = tf.constant(2.0, tf.float64)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.tanh(x)
print(tape.gradient(y, x).numpy())

# %%
# ``diffmethods`` takes plain NumPy, and computes in float64.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="tensorflow")(2.0)

# %%
# How it works
# ------------
# While the tape is open, each operation adds a line to it: its name, its inputs, its
# result. ``gradient`` goes through the lines from the last to the first, with a rule
# for each (reverse mode). ``ForwardAccumulator`` carries a slope along with the values
# instead (forward mode).


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
    y = polynomial(x)
print(accumulator.jvp(y).numpy())

# %%
# A tape in a function makes a slope of any function. ``tf.function`` runs it once on
# stand-ins, and makes a graph of it, which can be run many times.


def slope(f):
    def df(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    return df


compiled = tf.function(slope(polynomial), autograph=False)
graph = compiled.get_concrete_function(x).graph
print(*[operation.type for operation in graph.get_operations()][:6])

# %%
# Higher derivatives
# ------------------
# Nest the tapes: here twice for tanh at 2, and one to four times for the polynomial at
# 1.

towers, one = [polynomial], tf.constant(1.0, tf.float64)
for _ in range(4):
    towers.append(slope(towers[-1]))
slope(slope(tf.tanh))(x).numpy(), [float(f(one)) for f in towers[1:]]

# %%
# On arrays
# ---------
# The tape gives the slope of the sum of all results, and that is the derivative at each
# item of an array, if no result depends on two.

slope(polynomial)(tf.constant([0.0, 1.0, 2.0], tf.float64)).numpy()

# %%
# Several variables
# -----------------
# The gradient is what a tape gives; its ``jacobian`` goes row by row. A Hessian is the
# Jacobian of a gradient.


def g(z):
    return tf.tanh(z[0]) * polynomial(z[1])


z = tf.constant([2.0, 2.0], tf.float64)
with tf.GradientTape() as outer:
    outer.watch(z)
    gradient = slope(g)(z)
hessian = outer.jacobian(gradient, z)
assert np.allclose(hessian, dm.hessian(g, method="tensorflow")(z))
gradient.numpy(), hessian.numpy()

# %%
# Where it fails
# --------------
# NumPy reads a tensor as an array, and the tape does not see it. What remains is a
# slope without that factor: :math:`e^x \cos x` in place of :math:`e^x (\sin x + \cos
# x)`.


def wave(x):
    return tf.sin(x) * np.exp(x)


with tf.GradientTape() as tape:
    tape.watch(x)
    y = wave(x)
lost = tape.gradient(y, x).numpy()
true = np.exp(2.0) * (np.sin(2.0) + np.cos(2.0))
assert not np.isclose(lost, true)
lost, true

# %%
# In a graph it is an error, so ``diffmethods`` runs TensorFlow's code as a graph. Some
# operations are without a slope there, too, as the zeta function in its first argument;
# it looks for them.

try:
    dm.derivative(wave, method="tensorflow")(2.0)
except dm.errors.InputError as error:
    print(str(error).rpartition("Read as code of ")[2].partition(".")[0])
try:
    dm.derivative(lambda s: tf.math.zeta(s, one), method="tensorflow")(2.0)
except dm.errors.NotDifferentiableError as error:
    print(str(error).partition(";")[0])

# %%
# The rule for tanh is :math:`1 - \tanh^2 x`. At 20 the square rounds to 1 and the slope
# to 0; it is :math:`1.6993417021166355 \cdot 10^{-17}`. mpmath knows the true slopes.

import mpmath

from diffmethods.plotting import plot_errors

x = np.arange(0.25, 25, 0.25)
true = np.array([float(mpmath.sech(point) ** 2) for point in x])
slopes = {
    "TensorFlow, float64": slope(tf.tanh)(tf.constant(x)).numpy(),
    "TensorFlow, float32": slope(tf.tanh)(tf.constant(x, tf.float32)).numpy(),
    "dual numbers": dm.derivative(np.tanh, method="dual_numbers")(x),
}
errors = {name: values / true - 1 for name, values in slopes.items()}
gone = [x[abs(error) > 0.5][0] for error in list(errors.values())[:2]]
title = "TensorFlow loses the slope of tanh by x = {:.0f}, in float32 by {:.0f}"
ax = plot_errors(x, errors, title=title.format(*gone), xlabel="x")

# %%
# Cost
# ----
# One scalar at a time, the tape costs far more than the function itself.

dm.compare(np.tanh, 2.0, methods=["tensorflow", "dual_numbers"])

# %%
# As a graph, on a large array, the slopes take this many times as long as the values:

from timeit import repeat

x = tf.linspace(tf.constant(-3.0, tf.float64), 3.0, 100_000)
pair = [tf.function(f, autograph=False) for f in (tf.tanh, slope(tf.tanh))]
times = [min(repeat(lambda f=f: f(x).numpy(), number=20)) for f in pair]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - TensorFlow's guides to `gradients
#   <https://www.tensorflow.org/guide/autodiff>`_ and to `graphs
#   <https://www.tensorflow.org/guide/function>`_.
# - :cite:t:`abadi2016` is the library; :cite:t:`baydin2018` survey the field.
