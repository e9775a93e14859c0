r"""
Conventions at kinks
====================

Where a function has a kink there is no derivative. Programs return one all the same,
and not the same one.
"""

# %%
# Seven points without a slope, and one with
# ------------------------------------------
# At the first seven there is one slope on the left and another on the right. The last
# function is smooth, with slope 0 that hides behind a root.

import warnings

import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import plot_table

kinks = {
    "|x|\nat 0": (np.abs, 0.0),
    "max(x, 0)\nat 0": (lambda x: np.maximum(x, 0.0), 0.0),
    "where(x>0,\nx, 0) at 0": (lambda x: np.where(x > 0, x, 0.0), 0.0),
    "clip(x, 0, 1)\nat 1": (lambda x: np.clip(x, 0.0, 1.0), 1.0),
    "√x²\nat 0": (lambda x: np.sqrt(x**2), 0.0),
    "hypot(x, 0)\nat 0": (lambda x: np.hypot(x, 0.0), 0.0),
    "max [x, 0]\nat 0": (lambda x: np.max(np.stack([x, 0 * x])), 0.0),
    "√x⁴\nat 0": (lambda x: np.sqrt(x**4), 0.0),
}

# %%
# What each method says. A dash is a refusal: the method notices that there is no
# derivative, or has no rule.


def answer(method, f, x):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of 0/0, and of casts to real
            slope = float(dm.derivative(f, method=method)(x))
    except dm.errors.DiffmethodsError:
        return "–", np.nan
    if not np.isfinite(slope):
        return str(slope), np.nan
    nearest = round(2 * slope) / 2 + 0.0
    close = abs(slope - nearest) < 1e-3
    return (f"{nearest:g}" if close else f"{slope:.2g}"), slope


# %%
# Rows with the same answers stand together.

methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
table = {
    method.title: {name: answer(key, f, x) for name, (f, x) in kinks.items()}
    for key, method in methods.items()
}
rows = sorted(table, key=lambda title: [text for text, _ in table[title].values()])
ax = plot_table(
    {title: table[title] for title in rows},
    title="At a kink, 0, ½, 1 and NaN are all in use",
    limits=(0, 1),
)
ax.tick_params(axis="x", labelsize=8)
size = ax.figure.set_figwidth(9)

# %%
# - One-sided differences see the right side only: they give 1 where the others give the
#   mean, and 0 for ``clip``.
# - Symmetric ones give the mean of both sides, as do the rules of this package.
# - ``where`` and ``if`` have the slope of the branch taken; no method that follows
#   operations sees the other one.
# - The root has an infinite slope at 0, and infinity times 0 is NaN: the chain rule
#   loses what a series keeps.

own = {
    name: [text for text, _ in table[methods[name].title].values()] for name in methods
}
assert own["forward_difference"] == ["1", "1", "1", "0", "1", "1", "1", "0"]
assert own["central_difference"] == ["0", "0.5", "0.5", "0.5", "0", "0", "0.5", "0"]
assert own["taylor_series"] == ["0", "0.5", "0", "0.5", "0", "0", "0.5", "0"]
assert own["dual_numbers"][-1] == "nan"

# %%
# How many different answers each kink gets:

for name in kinks:
    answers = {each[list(kinks).index(name)] for each in own.values()} - {"–"}
    print(f"{' '.join(name.split()):28s} {', '.join(sorted(answers))}")
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")

# %%
# If a kink can be met, do not leave it to the convention: write ``np.abs``,
# ``np.maximum`` or ``np.hypot``, whose kinks are known, and no root of a square; and
# where the slope at the kink matters, choose it yourself by
# :ref:`a rule of your own <sphx_glr_auto_examples_applications_plot_custom_rule.py>`.
# :doc:`/explanation/conventions` says which slopes this package chose, and why.
