r"""
The derivative of a noisy function
==================================

A simulation ends its iterations at a tolerance, a table is interpolated, an instrument
trembles: the values of f wobble from one x to the next. Which slope survives that?
"""

# %%
# A wobble of known size
# ----------------------
# The function is :math:`\sin x` at 1, with a wobble on top that is as good as random:
# what neighbours get has nothing to do with each other. Its size is what the figure
# varies. The slope that you want is that of the sine.

import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.methods import chebyshev
from diffmethods.plotting import plot_methods

LEVELS = 10.0 ** np.arange(-14, -1)
x, true = 1.0, np.cos(1.0)


def noisy(level):
    def f(x):
        return np.sin(x) + level * np.sin(1e9 * x + 1e5 * np.sin(1e7 * x))

    return f


def error(level, method, **options):
    """The relative error of the slope, the median of a few points nearby."""
    df = dm.derivative(noisy(level), method=method, **options)
    points = x + np.linspace(0, 1e-3, 7)
    return np.median([abs(df(point) / np.cos(point) - 1) for point in points])


# %%
# Each method goes from little noise to much, until it refuses or has no digit left.
# Where a method judges its own error, an ``rtol`` of 1 keeps it from refusing early.


def climb(method):
    options = {"rtol": 1.0} if "rtol" in methods[method].options else {}
    errors = {}
    for level in LEVELS:
        try:
            wrong = max(error(level, method, **options), 2.0**-54)
        except dm.errors.DiffmethodsError:
            break
        if wrong > 0.5:
            break
        errors[level] = wrong
    return errors


methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")
errors = {name: climb(name) for name in methods if methods[name].family != "symbolic"}

# %%

ax = plot_methods(
    {name: (list(each), list(each.values())) for name, each in errors.items() if each},
    title="The derivative of a noisy program drowns first where it is exact",
    xlabel="size of the wobble (the sine is of size 1)",
    ylabel="relative error of the slope",
)

# %%
# The exact methods fail first. They differentiate the program as it is, and the wobble
# is steep: an exact derivative of a noisy program is the slope of its noise. A fixed
# step of :math:`10^{-5}` divides the noise by that step. Those that choose the step
# from the values use longer ones, and keep more digits at every level:

reach = {name: max(each, default=0.0) for name, each in errors.items()}
for name in sorted(reach, key=reach.get):
    print(f"{name:20s} has a digit up to a wobble of {reach[name]:.0e}")
exact = [reach[name] for name in reach if methods[name].exact]
assert max(exact) < reach["forward_difference"] < reach["central_difference"]
small = LEVELS[4]
assert errors["chebyshev"][small] < errors["central_difference"][small] / 10

# %%
# Ask for the error
# -----------------
# ``chebyshev`` sees the noise as the flat end of its coefficients and estimates how
# wrong the slope is. Without an ``rtol`` it refuses what has less than four digits.

for level in LEVELS[2::4]:
    found = chebyshev.solve(noisy(level), x)
    error_there = abs(found.df - true)
    print(f"wobble {level:.0e}: {found.error:.0e} estimated, {error_there:.0e} true")

# %%
# Or choose the step yourself
# ---------------------------
# If you know the noise, the V of
# :ref:`sphx_glr_auto_examples_comparisons_plot_step_against_error.py` gives the step:
# the cube root of the noise for a central difference, and a higher accuracy allows a
# longer one.

for level in LEVELS[2::4]:
    plain = error(level, "central_difference")
    longer = error(level, "central_difference", step=level ** (1 / 3))
    higher = error(level, "central_difference", step=level ** (1 / 7), accuracy=6)
    print(f"{level:.0e}: {plain:.0e}; longer step {longer:.0e}, order 6 {higher:.0e}")
assert higher < 0.1

# %%
# For a noisy black box use ``method="chebyshev"`` and read its error, or a central
# difference with a ``step`` of the cube root of the noise. Never differentiate it
# exactly: if you can look into it, remove the noise first.
