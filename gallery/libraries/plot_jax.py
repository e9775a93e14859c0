r"""
JAX
===

Trace the function into a small language, and let a library differentiate that.
"""

# %%
# In one line
# -----------
# ``jax.grad`` turns a function into its derivative.

import jax
import jax.numpy as jnp

jax.grad(jnp.tanh)(2.0)

# %%
# That is float32, JAX's default: 24 bits, some seven digits. In float64 it has 53 bits,
# some sixteen digits; this context sets the precision and puts it back.

with jax.enable_x64(True):
    slope = float(jax.grad(jnp.tanh)(2.0))
slope

# %%
# ``diffmethods`` takes plain NumPy, and opens that context for the time of the call.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="jax")(2.0)

# %%
# How it works
# ------------
# JAX calls the function once on stand-ins, which write down what is done to them:


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


jax.make_jaxpr(polynomial)(2.0)

# %%
# It has a rule for each of these operations. ``jax.jvp`` chains the rules from the
# argument on (forward mode); ``jax.vjp``, which ``jax.grad`` stands on, chains them
# from the result back (reverse mode). Either way a program in the same language comes
# out, and can be differentiated again.

value, slope = jax.jvp(polynomial, (1.0,), (1.0,))
value, pullback = jax.vjp(polynomial, 1.0)
assert pullback(1.0) == (slope,)
slope

# %%
# Higher derivatives
# ------------------
# Nest ``grad``: here twice for tanh at 2, and one to four times for the polynomial at
# 1. ``jax.jit`` compiles a program as a whole, not its operations one by one.

towers = [polynomial]
for _ in range(4):
    towers.append(jax.grad(towers[-1]))
jax.grad(jax.grad(jnp.tanh))(2.0), [float(jax.jit(f)(1.0)) for f in towers[1:]]

# %%
# On arrays
# ---------
# ``grad`` wants a scalar; ``jax.vmap`` carries it over an array.

jax.jit(jax.vmap(jax.grad(polynomial)))(jnp.array([0.0, 1.0, 2.0]))

# %%
# Several variables
# -----------------
# ``grad`` gives the gradient and ``jax.hessian`` its Jacobian. Jacobians come by
# columns (``jax.jacfwd``, best for few arguments) or by rows (``jax.jacrev``, for few
# results).


def g(z):
    return jnp.tanh(z[0]) * polynomial(z[1])


z = jnp.array([2.0, 2.0])
by_columns, by_rows = jax.jit(jax.jacfwd(g)), jax.jit(jax.jacrev(g))
assert jnp.allclose(by_columns(z), by_rows(z))
jax.jit(jax.grad(g))(z), jax.jit(jax.hessian(g))(z)

# %%
# Where it fails
# --------------
# The rule for tanh is :math:`1 - \tanh^2 x`. At 20 the square rounds to 1 and the slope
# to 0, in float64 too; it is :math:`1.6993417021166355 \cdot 10^{-17}`.

with jax.enable_x64(True):
    lost = float(jax.grad(jnp.tanh)(20.0))
assert lost == 0
lost, dm.derivative(np.tanh, method="dual_numbers")(20.0)

# %%
# The digits go one by one long before. mpmath knows the true slopes.

import mpmath

from diffmethods.plotting import plot_errors

x = np.arange(0.25, 25, 0.25)
true = np.array([float(mpmath.sech(point) ** 2) for point in x])
rule = dm.derivative(np.tanh, method="dual_numbers")
errors = {"dual numbers": rule(x) / true - 1}

# %%
# In float32 they start with fewer.

slopes = jax.jit(jax.vmap(jax.grad(jnp.tanh)))
errors["JAX, float32"] = np.asarray(slopes(x)) / true - 1
with jax.enable_x64(True):
    errors["JAX, float64"] = np.asarray(slopes(x)) / true - 1
gone = [x[abs(error) > 0.5][0] for error in list(errors.values())[1:]]
title = "JAX loses the slope of tanh by x = {:.0f} in float32, by {:.0f} in float64"
ax = plot_errors(x, errors, title=title.format(*gone), xlabel="x")

# %%
# ``grad`` follows a branch, but ``jit`` cannot: one record has to serve every value.


def size(x):
    return x if x > 0 else -x


assert jax.grad(size)(-2.0) == -1
try:
    jax.jit(size)(-2.0)
except jax.errors.TracerBoolConversionError as error:
    print(str(error).splitlines()[0])

# %%
# Cost
# ----
# One scalar at a time, tracing costs far more than the function itself.

dm.compare(np.tanh, 2.0, methods=["jax", "dual_numbers"])

# %%
# Compiled, on a large array, the slopes take this many times as long as the values:

from timeit import repeat

x = jnp.linspace(-3, 3, 100_000)
pair = [jax.jit(jnp.tanh), jax.jit(jax.vmap(jax.grad(jnp.tanh)))]
times = [min(repeat(lambda f=f: f(x).block_until_ready(), number=20)) for f in pair]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - JAX's `introduction to automatic differentiation
#   <https://docs.jax.dev/en/latest/automatic-differentiation.html>`_, and its `gotchas
#   <https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html>`_.
# - :cite:t:`bradbury2018` is the library; :cite:t:`baydin2018` survey the field.
