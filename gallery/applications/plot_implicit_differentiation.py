r"""
Implicit differentiation
========================

A solver finds a root, step by step. The slope of the root follows from the equation
alone, whatever the steps were.
"""

# %%
# A root
# ------
# Where is a planet at time t? Kepler's equation :math:`E - e \sin E = M` gives its
# angle E, and has no formula for a solution. Brent's method finds it, in compiled code.

import numpy as np
from scipy.optimize import brentq

import diffmethods as dm


def kepler(E, M, e):
    return E - e * np.sin(E) - M


def solve(M, e):
    return brentq(kepler, M - 1.0, M + 1.0, args=(M, e), xtol=1e-15)


anomaly = dm.custom_root(kepler, solve)

# %%
# How fast does the angle grow, and how does it depend on the eccentricity e?
# Differences would run the solver a dozen times. Here it runs once.

dm.gradient(lambda x: anomaly(x[0], x[1]), method="reverse_tape")(np.array([1.0, 0.6]))

# %%
# The theorem: along the root, :math:`F(y, x) = 0` stays 0, so
#
# .. math:: \frac{\partial F}{\partial y}\, dy + \frac{\partial F}{\partial x}\, dx = 0,
#           \qquad
#           dy = -\left(\frac{\partial F}{\partial y}\right)^{-1}
#           \frac{\partial F}{\partial x}\, dx.
#
# One linear system, forwards or transposed. By hand, the slopes of Kepler's equation
# are :math:`1 / (1 - e \cos E)` and :math:`\sin E / (1 - e \cos E)`.

E = solve(1.0, 0.6)
np.array([1.0, np.sin(E)]) / (1 - 0.6 * np.cos(E))

# %%
# The derivative is NumPy code once more, and its y is the root again. So there are
# higher derivatives, here the series of the angle in time to order 6, and still the
# solver runs once.

dm.taylor(lambda M: anomaly(M, 0.6), 1.0, 6)

# %%
# And there is source, to be run where ``diffmethods`` is not:

print(dm.to_source(lambda x: anomaly(x[0], x[1]), np.array([1.0, 0.6])))

# %%
# Why not differentiate the steps?
# --------------------------------
# One could: an iteration in NumPy is a program like any other. Its slope converges,
# too, but later than the value. For a contraction by a factor of :math:`\rho`, the
# error of the value after k steps is of the size of :math:`\rho^k`, that of the slope
# of the steps :math:`k \rho^k` :cite:p:`christianson1994`. The theorem's slope is as
# good as the root. It also keeps no steps: a tape through the iteration grows with k.

from diffmethods.plotting import plot_errors


def iterate(M, e, steps):
    E = M
    for _ in range(steps):
        E = M + e * np.sin(E)
    return E


def slope_of_the_steps(k):
    return dm.derivative(lambda M: iterate(M, 0.9, k))(0.6)


def slope_by_the_theorem(k):
    """After the same steps; rtol=1 lets them stop early, an error otherwise."""
    found = dm.custom_fixed_point(
        lambda E, M: M + 0.9 * np.sin(E), lambda M: iterate(M, 0.9, k), rtol=1.0
    )
    return dm.derivative(found)(0.6)


steps = np.arange(1, 25)
root = solve(0.6, 0.9)
slope = 1 / (1 - 0.9 * np.cos(root))
errors = {
    "of the steps": [slope_of_the_steps(k) / slope - 1 for k in steps],
    "by the theorem": [slope_by_the_theorem(k) / slope - 1 for k in steps],
    "of the root itself": [iterate(0.6, 0.9, k) / root - 1 for k in steps],
}
ax = plot_errors(
    steps,
    errors,
    title="The theorem's slope is as good as the root, that of the steps lags behind",
    xlabel="steps of the iteration",
    ylabel="relative error",
)

# %%
# A fixed point
# -------------
# ``custom_fixed_point`` takes the step in place of an equation. The solver may be
# something faster than the step. Here it is Newton's method on an array of times at
# once; ``elementwise`` says that each angle has an equation of its own, so that no
# matrix is made.


@dm.custom_fixed_point(lambda E, M, e: M + e * np.sin(E), elementwise=True)
def orbit(M, e):
    E = M + 0.0
    for _ in range(20):
        E = E - kepler(E, M, e) / (1 - e * np.cos(E))
    return E


times = np.linspace(0.0, 2 * np.pi, 100_001)
speed = dm.gradient(lambda M: np.sum(orbit(M, 0.6)), method="reverse_tape")(times)
np.max(np.abs(speed * (1 - 0.6 * np.cos(orbit(times, 0.6))) - 1))

# %%
# A minimum
# ---------
# Where a function is smallest, its gradient is 0: a root of as many equations as
# variables. So the result of a fit has derivatives by whatever went into it
# :cite:p:`blondel2022`. Here a polynomial is fitted to noisy samples with robust
# weights and a penalty :math:`e^s` on its coefficients, and judged by fresh samples.

from scipy.optimize import minimize

rng = np.random.default_rng(1)
t, fresh = rng.uniform(-1, 1, (2, 30))
samples, unseen = (np.sin(3 * u) + 0.3 * rng.normal(size=30) for u in (t, fresh))
powers = np.vander(t, 9), np.vander(fresh, 9)


def misfit(c, s):
    residual = powers[0] @ c - samples
    return np.sum(np.sqrt(1 + residual**2) - 1) + np.exp(s) * np.sum(c**2)


def stationarity(c, s):
    """The gradient of the misfit by the coefficients."""
    return dm.gradient(lambda c: misfit(c, s), method="reverse_tape")(c)


@dm.custom_root(stationarity)
def fitted(s):
    start = np.zeros(9)
    gradient = dm.gradient(lambda c: misfit(c, s), method="reverse_tape")
    return minimize(
        lambda c: misfit(c, s), start, jac=gradient, options={"gtol": 1e-11}
    ).x


def loss(s):
    return np.mean((powers[1] @ fitted(s) - unseen) ** 2)


dm.derivative(loss, method="reverse_tape")(-3.0)

# %%
# The equation of the root is a gradient by the tape, and the theorem differentiates it
# once more. The best penalty is where that slope is 0: a root of a derivative of a
# root.

best = brentq(dm.derivative(loss), -8.0, 0.0, xtol=1e-8)
best, loss(best), loss(-8.0), loss(0.0)

# %%
# Where it fails
# --------------
# The theorem holds at roots. A solver that stopped early is found out, as its residual
# is larger than what a small change of the root or the arguments makes of it.


@dm.custom_fixed_point(lambda E, M, e: M + e * np.sin(E))
def hasty(M, e):
    return iterate(M, e, 5)


try:
    dm.derivative(lambda M: hasty(M, 0.9))(1.0)
except dm.errors.NotDifferentiableError as error:
    print(error)

# %%
# Where two roots meet, the Jacobian by the root is singular and there is no slope.

square_root = dm.custom_root(lambda y, a: y * y - a, lambda a: 0.0 * a)
try:
    dm.derivative(square_root)(0.0)
except dm.errors.NotDifferentiableError as error:
    print(error)

# %%
# See also
# --------
# - :cite:t:`griewank2008`, chapter 15, on implicit and iterative differentiation;
#   :cite:t:`christianson1994` on fixed points in reverse.
# - :cite:t:`blondel2022` describe JAXopt's ``custom_root`` and ``custom_fixed_point``,
#   from which the names are taken.
# - :ref:`sphx_glr_auto_examples_applications_plot_custom_rule.py`, for black boxes
#   whose derivative you know.
