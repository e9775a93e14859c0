r"""
A rule of your own
==================

Compiled code, a table, an integral: no method can look inside. Say the derivative once,
and every method uses it.
"""

# %%
# A black box
# -----------
# QUADPACK is Fortran, and takes numbers. Handed the stand-in that a method sends
# through your function, it asks for a number:

import numpy as np
from scipy.integrate import quad

import diffmethods as dm


def integrand(t):
    return np.exp(-t * t) * np.cos(3 * t)


def integral(a, b):
    return quad(integrand, a, b, epsabs=1e-12, epsrel=1e-12)[0]


try:
    dm.derivative(lambda b: integral(0.0, b))(1.0)
except dm.errors.TracedValueError as error:
    print(error)

# %%
# Its derivative is known since Newton: the integrand at the upper limit, and minus the
# integrand at the lower one. ``partials`` holds a function for each argument. It gets
# the result ``y`` first, and then the arguments.

area = dm.custom_rule(
    integral,
    partials=(lambda y, a, b: -integrand(a), lambda y, a, b: integrand(b)),
)
dm.derivative(lambda b: area(0.0, b))(1.0) - integrand(1.0)

# %%
# One definition serves forward and reverse mode, and what is around the black box needs
# no rule. Here both limits depend on x.


def moving(x):
    return np.sqrt(area(np.sin(x[0]), x[0] * x[1]))


x = np.array([0.3, 1.9])
for method in ("dual_numbers", "reverse_tape", "numpy_source", "jax"):
    print(f"{method:13s}", dm.gradient(moving, method=method)(x))

# %%
# The rule is plain NumPy, so it has derivatives itself: the Hessian, and Taylor series
# to any order, from one call of QUADPACK.

print(dm.hessian(moving, method="reverse_tape")(x))
dm.taylor(lambda b: area(0.0, b), 1.0, 5)

# %%
# Differences can do without. They feel the noise of the integral, and cost a dozen
# calls of it for one slope.

from diffmethods.plotting import plot_errors

limits = np.linspace(0.1, 2.4, 47)
true = integrand(limits)


def errors(f, method):
    slope = dm.derivative(lambda b: f(0.0, b), method=method)
    return (np.array([slope(b) for b in limits]) - true) / np.exp(-(limits**2))


ax = plot_errors(
    limits,
    {
        "central difference": errors(integral, "central_difference"),
        "Chebyshev": errors(integral, "chebyshev"),
        "the rule": errors(area, "dual_numbers"),
    },
    title="A rule is exact where differences feel the noise of the integral",
    xlabel="upper limit b",
    ylabel="error / size of the integrand",
)

# %%
# Is the rule right?
# ------------------
# A sign is quickly wrong. ``check`` compares the rule with differences, by every
# argument and in both modes, and shows what it found.

area.check(0.2, 1.1)
wrong = dm.custom_rule(
    integral, partials=(lambda y, a, b: integrand(a), lambda y, a, b: integrand(b))
)
try:
    wrong.check(0.2, 1.1)
except dm.errors.WrongDerivativeError as error:
    print(error)

# %%
# ``check_gradient`` does the same for a gradient that you wrote by hand.


def distance(x):
    return np.sqrt(np.sum(x**2))


print(
    dm.check_gradient(
        distance, np.array([0.6, -1.7]), gradient=lambda x: x / distance(x)
    )
)

# %%
# Arrays: push forward or pull back
# ---------------------------------
# A banded system of equations costs n operations; its Jacobian has n² items, and nobody
# wants to write it down. Say how a change of the right-hand side moves the solution
# (``jvp``), or how a weight goes back (``vjp``). The system is linear and symmetric, so
# both are the same solver again.

from scipy.linalg import solveh_banded

n = 2000
bands = np.array([np.full(n, -1.0), np.full(n, 2.1)])


def smoothed(b):
    return solveh_banded(bands, b)


smooth = dm.custom_rule(
    smoothed, jvp=lambda y, b, db: smooth(db), vjp=lambda y, b, w: smooth(w)
)


def roughness(b):
    return np.sum(np.diff(smooth(np.tanh(b))) ** 2)


b = np.cos(np.arange(n))
slope = dm.gradient(roughness, method="reverse_tape")(b)
along = dm.jvp(roughness, method="dual_numbers")(b, np.sin(b))
slope @ np.sin(b) / along - 1

# %%
# With one of the two, the other mode transposes it: the rule is run on stand-ins and
# read backwards. That needs a rule in plain NumPy. This one calls a black box, so it
# has both.
#
# In source
# ---------
# ``to_source`` cannot write down what it cannot see. The black box becomes an argument
# of the derivative, called as it is.

print(dm.to_source(lambda b: area(0.0, b) ** 2, 1.0))

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_applications_plot_implicit_differentiation.py`: the
#   rule of a root follows from its equation.
# - JAX calls the same thing ``custom_jvp`` and ``custom_vjp``, Julia's ChainRules
#   ``frule`` and ``rrule``; :cite:t:`griewank2008` treat externally differentiated
#   functions in chapter 6.
