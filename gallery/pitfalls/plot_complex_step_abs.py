r"""
Complex step through abs
========================

The complex step is right to the last digit, as long as every operation is
:term:`holomorphic`. ``abs`` is not, nor what is made of it.
"""

# %%
# What you would write
# --------------------
# The drag on a body is :math:`v |v|`, which points against the motion on both sides.
# Its slope is :math:`2 |v|`.

import numpy as np


def complex_step(f, x, h=1e-20):
    return f(x + 1j * h).imag / h


def drag(v):
    return v * np.abs(v)


slope = complex_step(drag, 3.0)

# %%
# What comes out
# --------------
# Half of it: a plausible number, for every v.

assert slope == 3
slope, 2 * 3.0

# %%
# Other functions that are made of ``abs`` or of the conjugate lose their whole slope;
# these are all at 3.

functions = {
    "abs": np.abs,
    "norm": lambda x: np.linalg.norm(np.stack([x, 4.0])),
    "std": lambda x: np.std(np.stack([x, 4.0])),
    "vdot": lambda x: np.vdot(x, x),
}
for name, f in functions.items():
    naive = complex_step(f, 3.0)
    difference = (f(3.0 + 1e-6) - f(3.0 - 1e-6)) / 2e-6
    assert naive == 0 != round(difference, 3)
    print(f"{name:5} complex step {naive:.3f}, by a difference {difference:.3f}")

# %%
# The drag and its two slopes:

from matplotlib import pyplot as plt

v = np.linspace(-3, 3, 121)
naive = complex_step(drag, v)
_, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.plot(v, drag(v), ":", color="#7A7A7A", label="drag, v |v|")
ax.plot(v, 2 * np.abs(v), color="#0072B2", label="its slope")
ax.plot(v, naive, "--", color="#D55E00", label="by the complex step")
ax.set(
    title="Through abs, the complex step loses half of the slope of v |v|",
    xlabel="v",
    ylabel="drag, slope",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# The complex step reads the slope off the imaginary part: for a holomorphic f it is
# :math:`f(x + ih) = f(x) + ih f'(x) + \dots`. But
#
# .. math:: |x + ih| = \sqrt{x^2 + h^2} = |x| + \tfrac{1}{2} h^2 / |x| + \dots
#
# is real. The information is gone at once, and the product rule keeps the half that
# came from the other factor. ``norm`` and ``std`` square absolute values, ``vdot`` and
# ``.conj().T`` turn the sign of the imaginary part.
#
# ``maximum`` gets by: NumPy orders complex numbers by their real parts first, so the
# right branch is taken wherever those differ.

largest = complex_step(lambda x: np.maximum(x, x**2), 3.0)
assert largest == 6
largest

# %%
# What to do instead
# ------------------
# Write the function so that the imaginary part survives: a sign in place of ``abs``,
# squares in place of a norm.


def holomorphic_abs(x):
    return np.where(np.real(x) < 0, -x, x)


def holomorphic_norm(x):
    return np.sqrt(np.sum(x * x))


mended = (
    complex_step(lambda v: v * holomorphic_abs(v), 3.0),
    complex_step(lambda x: holomorphic_norm(np.array([x, 4.0])), 3.0),
)
assert mended == (6.0, 0.6)
mended

# %%
# ``diffmethods`` follows each call, and does that for you.

import diffmethods as dm

for name, f in {"drag": drag, **functions}.items():
    ours = dm.derivative(f, method="complex_step")(3.0)
    exact = dm.derivative(f, method="dual_numbers")(3.0)
    assert np.isclose(ours, exact, rtol=1e-14)
    print(f"{name:5} {ours:.3f}")

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_numerical_plot_complex_step.py`.
# - :cite:t:`martins2003` list the functions to be replaced in a program.
# - :cite:t:`squire1998`, the method in its present form.
