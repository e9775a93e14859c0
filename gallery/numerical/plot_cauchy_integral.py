r"""
Cauchy integral
===============

Any derivative of an analytic function is a mean of its values on a circle around x in
the complex plane. Nothing is subtracted, and 50 derivatives are as easy as one.
"""

# %%
# In one line
# -----------
# Sixteen points on a circle of radius 1/4 give the slope of :math:`\tanh x` at 2, which
# is :math:`0.0706508248531\dots`:

import numpy as np

circle = np.exp(2j * np.pi * np.arange(16) / 16)
np.mean(np.tanh(2 + circle / 4) / (circle / 4)).real

# %%
# ``diffmethods`` chooses radius and nodes.

import diffmethods as dm

dm.derivative(np.tanh, method="cauchy_integral")(2.0)

# %%
# How it works
# ------------
# Cauchy's formula, by the trapezoidal rule on m nodes :math:`z_j = x + re^{2\pi ij/m}`:
#
# .. math:: f^{(n)}(x) = \frac{n!}{2\pi i} \oint \frac{f(z)}{(z - x)^{n+1}} dz
#           \approx \frac{n!}{m r^n} \sum_j f(z_j)\, e^{-2\pi ijn/m}.
#
# That sum is a discrete Fourier transform :cite:p:`lyness1967`: one FFT gives all
# Taylor coefficients. On a small circle the nth coefficient drowns in rounding. A large
# circle comes close to a singularity, here :math:`i\pi/2` at a distance of 2.54, where
# the nodes cannot tell coefficient n from n + m. Errors rise steeply on either side:

import math

import mpmath

from diffmethods.plotting import plot_errors

radii = np.logspace(-1.5, 0.5, 81)
circle = np.exp(2j * np.pi * np.arange(64) / 64)
errors = {}
for n in (1, 5, 10, 20):
    true = float(mpmath.taylor(mpmath.tanh, 2, n)[n])
    values = np.tanh(2 + radii * circle[:, None])
    found = np.mean(values / circle[:, None] ** n, axis=0).real / radii**n
    errors[f"order {n}"] = found / true - 1
ax = plot_errors(
    radii,
    errors,
    title="The higher the order, the narrower the choice of radius",
    xlabel="radius of the circle",
    log_x=True,
)
ax.set_ylim(1e-17, 1e3)
legend = ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# The first circle, of 16 nodes, shows how fast the coefficients fall, and so how far
# the singularity is. The second has the radius at which the two errors meet, as
# :cite:t:`bornemann2011` analyses. At a number it has as few nodes as 12 digits need.
# The last coefficients tell the error.

from diffmethods.methods import cauchy_integral

found = cauchy_integral.solve(np.tanh, 2.0, order=10)
print(f"{found.df:.9f}, estimated error {found.error:.0e}, {found.nfev} evaluations")

# %%
# Higher derivatives
# ------------------
# This is what the method is for. Order 50 of the logarithm is
# :math:`-49!\,/\,x^{50}`:

for order in (1, 2, 5, 10, 20, 50):
    df = dm.derivative(np.log, method="cauchy_integral", order=order)(2.0)
    true = (-1) ** (order + 1) * math.factorial(order - 1) / 2.0**order
    print(f"order {order:2}: relative error {abs(df / true - 1):.0e}")

# %%
# On arrays
# ---------
# Each item has its own circle, and f is called for the nodes of all together.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


dm.derivative(polynomial, method="cauchy_integral", order=2)(np.array([0.0, 1.0, 2.0]))

# %%
# Several variables
# -----------------
# Along a direction v the function :math:`t \mapsto f(x + tv)` is one of a complex
# variable t.


def g(z):
    return np.tanh(z[0]) * polynomial(z[1])


dm.hessian(g, method="cauchy_integral")(np.array([2.0, 2.0]))

# %%
# Where it fails
# --------------
# The formula holds for analytic functions alone. That of :math:`|x|^3` would give about
# 6.6 instead of 12, without a word. But then the spectrum turns both ways at once,
# however small the circle. ``diffmethods`` notices.

circle = np.exp(2j * np.pi * np.arange(16) / 16)
wrong = np.mean(np.abs(2 + circle) ** 3 / circle).real
assert abs(wrong - 12) > 1
try:
    dm.derivative(lambda x: np.abs(x) ** 3, method="cauchy_integral")(2.0)
except dm.errors.NotDifferentiableError as error:
    print(f"{wrong:.2f} instead of 12\n{error}")

# %%
# Some functions take no complex numbers.

try:
    dm.derivative(lambda x: math.sin(x), method="cauchy_integral")(2.0)
except dm.errors.InputError as error:
    print(error)

# %%
# Cost
# ----
# To order 10, 16 evaluations where the first circle fits, else 48 to 64 mostly. Complex
# ones are dearer than real ones.

methods = ["cauchy_integral", "chebyshev", "dual_numbers"]
dm.compare(np.tanh, 2.0, order=5, methods=methods)

# %%
# See also
# --------
# - :cite:t:`lyness1967` found the method, :cite:t:`fornberg1981` made an algorithm of
#   it, :cite:t:`bornemann2011` proved which radius is best.
# - :ref:`sphx_glr_auto_examples_numerical_plot_complex_step.py` is the first derivative
#   by a single complex value.
