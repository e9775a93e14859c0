r"""
Float32 by default
==================

JAX computes with seven digits unless it is told otherwise. A high derivative can need
more than that for its sign.
"""

# %%
# What you would write
# --------------------
# A tanh of your own, and its sixth derivative at -5:

import jax
import jax.numpy as jnp


def tanh(x):
    y = jnp.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)


def nth_derivative(f, n):
    return nth_derivative(jax.grad(f), n - 1) if n else f


sixth = float(nth_derivative(tanh, 6)(-5.0))

# %%
# What comes out
# --------------
# A number of the right size, with the wrong sign. There is no warning.

import mpmath

true = float(mpmath.diff(mpmath.tanh, -5, 6))
assert sixth < 0 < true
sixth, true

# %%
# Compiled, the operations are arranged in another way, and the digits change. The sign
# is then right or wrong at other points:

import numpy as np
from matplotlib import pyplot as plt

x = np.linspace(-6, -3, 61)
exact = np.array([float(mpmath.diff(mpmath.tanh, point, 6)) for point in x])
compiled = jax.jit(jax.vmap(nth_derivative(tanh, 6)))
found = np.asarray(compiled(jnp.array(x)))
wrong = np.mean(found * exact < 0)
assert wrong > 0.1

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(x, exact, color="#7A7A7A", linewidth=5, alpha=0.6, label="true")
ax.plot(x, found, "o", color="#0072B2", markersize=4, label="float32, compiled")
ax.plot(-5, sixth, "X", color="#D55E00", markersize=9, label="float32, as above")
ax.axhline(0, color="#7A7A7A", linewidth=1)
ax.set_yscale("symlog", linthresh=1e-3)
ax.set(
    title=f"In float32 the sign is wrong at {wrong:.0%} of these points",
    xlabel="x",
    ylabel="sixth derivative of tanh",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# At -5, y is :math:`e^{10} \approx 22{,}000`. Each derivative of the quotient is a
# difference of numbers that are nearly equal, so that each order costs digits. The
# relative error, order by order:

in_float32 = {n: float(nth_derivative(tanh, n)(-5.0)) for n in (1, 2, 3, 4)}
for n, value in (in_float32 | {6: sixth}).items():
    print(f"{n}: {abs(value / float(mpmath.diff(mpmath.tanh, -5, n)) - 1):.0e}")

# %%
# What to do instead
# ------------------
# Ask for float64 before you ask for a second derivative. The context sets it for a
# while; ``jax.config.update("jax_enable_x64", True)`` at the start of a program sets it
# for good.

with jax.enable_x64(True):
    in_float64 = float(nth_derivative(tanh, 6)(-5.0))
assert abs(in_float64 / true - 1) < 1e-5
in_float64, abs(in_float64 / true - 1)

# %%
# Float64 pushes the loss to higher orders, it does not end it. The library's own
# ``jnp.tanh`` has a rule without the quotient, and keeps nearly all digits:

with jax.enable_x64(True):
    own_rule = float(nth_derivative(jnp.tanh, 6)(-5.0))
assert abs(own_rule / true - 1) < 1e-10
own_rule, abs(own_rule / true - 1)

# %%
# ``diffmethods`` computes in float64 whatever the library's default is. Its Taylor
# series gives all orders at once.

import diffmethods as dm

series = dm.derivative(np.tanh, order=6, method="taylor_series")(-5.0)
assert abs(series / true - 1) < 1e-10
series

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_forward_plot_taylor_series.py`, for high orders.
# - :ref:`sphx_glr_auto_examples_pitfalls_plot_tails.py`: cancellation in float64.
# - JAX's own list of `gotchas
#   <https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html>`_.
