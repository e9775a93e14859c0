r"""
Single precision
================

A function that computes in float32 has seven digits to give. A difference leaves four
of them, or none if its step is that of float64.
"""

# %%
# Two V's
# -------
# The same function twice, once with its argument rounded to float32. The error of the
# central difference against its step:

import warnings

import matplotlib.pyplot as plt
import mpmath
import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import plot_table


def double(x):
    return np.tanh(x)


def single(x):
    return np.tanh(x.astype(np.float32))


x = np.float64(0.75)  # the same number in both precisions
true = float(mpmath.sech(0.75) ** 2)
steps = 2.0 ** np.arange(-40, 1)
precisions = {
    "float64": (double, 53, "o-", "#0072B2"),
    "float32": (single, 24, "s--", "#D55E00"),
}


def error(f, method="central_difference", **options):
    """The relative error of the slope, or that of half the rounding if it is less."""
    slope = dm.derivative(f, method=method, **options)(x)
    return max(abs(slope / true - 1), 2.0**-54)


# %%
# Rounding is of the size :math:`u/h` and truncation of the size :math:`h^2`, so that
# the foot of the V lies at a step of about :math:`u^{1/3}`, with an error of the square
# of that. The horizontal lines are the errors with the step that ``diffmethods`` takes
# on its own: it looks at the dtype of what f returns.

fig, ax = plt.subplots(figsize=(7.2, 4.8))
best, chosen = {}, {}
for name, (f, bits, line, color) in precisions.items():
    errors = [error(f, step=h) for h in steps]
    label = f"{name}: foot at about {2 ** (-bits / 3):.0e}"
    ax.loglog(steps, errors, line, color=color, markersize=4, label=label)
    best[name], chosen[name] = min(errors), error(f)
    ax.axhline(chosen[name], color=color, linewidth=1, linestyle=":")
ax.set(xlabel="step h", ylabel="relative error of the slope")
legend = ax.legend()
title = ax.set_title("In float32 the best step is a thousand times longer")

# %%
# A step made for float64 is lost on float32: both ends of the difference round to
# neighbouring numbers, or to the same one.

careless = error(single, step=2.0**-18)
assert careless > 30 * chosen["float32"]
assert error(single, step=2.0**-30) == 1  # the difference is 0
print(f"step 2**-18: {careless:.0e}; the chosen step: {chosen['float32']:.0e}")
print(f"the best of all steps: {best['float32']:.0e}, in float64 {best['float64']:.0e}")

# %%
# Every method
# ------------
# The correct digits of each method, with f in either precision. A dash is a method that
# refuses, and says why.


def digits(f, method):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of imaginary parts that a cast drops
            good = -np.log10(error(f, method))
    except dm.errors.DiffmethodsError:
        return "–", np.nan
    good = min(max(good, 0.0), 16.0)
    return f"{good:.0f}", good


methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
table = {
    method.title: {
        f"f in {precision}": digits(f, name)
        for precision, (f, *_) in precisions.items()
    }
    for name, method in methods.items()
}
by_digits = sorted(table, key=lambda row: -np.nan_to_num(table[row]["f in float32"][1]))
ax = plot_table(
    {title: table[title] for title in by_digits},
    title="Correct digits: exact methods ignore the float32",
    limits=(0, 16),
)

# %%
# The exact methods do not compute in float32 at all: their stand-ins hold float64, and
# the cast is no operation with a slope. What they give is the derivative of the
# formula, not of its rounding. A library that runs f in float32 itself, as JAX does
# unless told otherwise, gives seven digits: see
# :ref:`sphx_glr_auto_examples_libraries_plot_jax.py`.

for name, method in methods.items():
    good = table[method.title]["f in float32"][1]
    assert np.isnan(good) or (good > 14) == method.exact or good > 6, name
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")

# %%
# If f is float32 and plain NumPy, an exact method gives you more digits than f has. If
# it is a black box, leave the step to the method, or take about
# :math:`u^{1/3} = 0.004` of the scale of x, and expect four digits.

digits(single, "central_difference")[0]
