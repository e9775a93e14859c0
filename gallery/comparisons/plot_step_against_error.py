r"""
Step against error
==================

How long should the step of a difference be? A long one truncates Taylor's series too
early, a short one drowns the difference in rounding. In between lies the V.
"""

# %%
# The error of every step
# -----------------------
# The slope of :math:`\tanh x` at 2 by the one-sided difference, and by two-sided ones
# of accuracy 2, 4, 6 and 8, with steps from :math:`2^{-50}` to 1. Powers of two make
# :math:`2 + kh` exact, so that the only rounding is that of f. mpmath knows the slope.

import matplotlib.pyplot as plt
import mpmath
import numpy as np

import diffmethods as dm
from diffmethods.methods import central_difference, forward_difference

x = 2.0
true = float(mpmath.sech(x) ** 2)
steps = 2.0 ** np.arange(-50, 1)
formulas = {"one-sided": ("forward_difference", forward_difference.stencil(1, 1))}
for p in (2, 4, 6, 8):
    formulas[f"two-sided, {p}"] = (
        "central_difference",
        central_difference.stencil(1, p),
    )


def errors(method, accuracy):
    def slope(h):
        return dm.derivative(np.tanh, method=method, accuracy=accuracy, step=h)(x)

    return np.abs([slope(h) / true - 1 for h in steps])


measured = {name: errors(m, s.accuracy) for name, (m, s) in formulas.items()}

# %%
# What theory says
# ----------------
# A formula with weights :math:`w_k` at :math:`x + kh` has two errors, as
# :doc:`/explanation/finite-differences` derives: truncation, the first term of the
# series that it gets wrong, and rounding, at most half an ulp in every value.
#
# .. math::
#
#     E_\text{trunc} = \Bigl|\sum_k w_k k^{p+1}\Bigr| \,
#         \frac{h^p}{(p+1)!}\, \bigl|f^{(p+1)}(x)\bigr|,
#     \qquad
#     E_\text{round} = \sum_k |w_k| \, \frac{u}{h}\, |f(x)|, \qquad u = 2^{-53}


def truncation(stencil):
    n = stencil.accuracy + 1
    coefficient = abs(mpmath.taylor(mpmath.tanh, x, n)[n])
    return stencil.remainder * float(coefficient) * steps**stencil.accuracy / true


def rounding(stencil):
    return stencil.amplification * 2.0**-53 / steps * np.tanh(x) / true


# %%
# Both errors as lines, the measurements as points. A ring marks the step that
# ``diffmethods`` chooses. It knows neither f nor its derivatives, only the formula and
# the size of x.

fig, ax = plt.subplots(figsize=(7.2, 5.4))
styles = ("o #D55E00", "s #0072B2", "^ #008F68", "D #BE6A98", "v #7A7A7A")
for (name, (_, stencil)), style in zip(formulas.items(), styles, strict=True):
    marker, color = style.split()
    points = np.maximum(measured[name], 2.0**-54)
    ax.loglog(steps, points, marker, color=color, markersize=4, label=name)
    ax.loglog(steps, truncation(stencil), "-", color=color, linewidth=1)
    chosen = stencil.chosen_steps(x)
    at = points[steps == chosen]
    ax.loglog(chosen, at, "o", color="black", markersize=11, markerfacecolor="none")
two_sided = formulas["two-sided, 2"][1]
ax.loglog(
    steps, rounding(two_sided), "--", color="black", linewidth=1, label="rounding"
)
ax.plot([], [], "-", color="black", linewidth=1, label="truncation")
ax.plot([], [], "o", color="black", markerfacecolor="none", label="chosen step")
ax.set(xlabel="step h", ylabel="relative error of the slope", ylim=(2e-17, 10))
legend = ax.legend(frameon=False, ncols=2, loc="upper center")
title = ax.set_title("Rounding is the same for all; accuracy moves the foot of the V")

# %%
# To the left all formulas run along the same line of rounding, which grows as the step
# shrinks. To the right each has a line of its own, the steeper the higher its accuracy.
# They meet at about
#
# .. math:: h \approx u^{1/(p+1)}, \qquad E \approx u^{p/(p+1)}
#
# The best measured error, the error of the chosen step, and :math:`u^{p/(p+1)}`:

for name, (_, stencil) in formulas.items():
    best, foot = np.min(measured[name]), 2.0 ** (-53 * (1 - 1 / (stencil.accuracy + 1)))
    chosen = measured[name][steps == stencil.chosen_steps(x)][0]
    print(f"{name:12s} best {best:.0e}  chosen {chosen:.0e}  rule of thumb {foot:.0e}")

# %%
# No step gives them all. The complex step has no subtraction, hence no V: see
# :ref:`sphx_glr_auto_examples_numerical_plot_complex_step.py`.

dm.derivative(np.tanh, method="complex_step")(x) / true - 1
