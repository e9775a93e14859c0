r"""
Sensitivities of a differential equation
========================================

How does the solution of an equation depend on its parameters? Differentiate the solver:
its steps are plain NumPy like any other program.
"""

# %%
# A solver in six lines
# ---------------------
# Runge and Kutta's method of order 4, for growth that saturates at a capacity K. The
# equation :math:`y' = r\,y\,(1 - y / K)` has a formula for its solution, so every error
# can be seen.

import numpy as np

import diffmethods as dm


def runge_kutta(rate, y, time, steps):
    h = time / steps
    for _ in range(steps):
        a = rate(y)
        b = rate(y + h / 2 * a)
        c = rate(y + h / 2 * b)
        y = y + h / 6 * (a + 2 * b + 2 * c + rate(y + h * c))
    return y


def population(p, steps=40, time=4.0):
    start, r, K = p
    return runge_kutta(lambda y: r * y * (1 - y / K), start, time, steps)


def formula(p, time=4.0):
    start, r, K = p
    return K / (1 + (K / start - 1) * np.exp(-r * time))


p = np.array([0.1, 1.2, 1.5])  # start, growth rate, capacity
dm.gradient(population)(p)

# %%
# Nothing in the solver is about derivatives. Forward mode sends along :math:`\partial y
# / \partial p` with every step, and so solves the equation of the sensitivities,
# :math:`\dot s = f_y s + f_p`, by the same Runge-Kutta method. The reverse tape reads
# the steps backwards, and solves the adjoint equation. Both give the slope of the
# computed solution, to rounding.

found = {
    method: dm.gradient(population, method=method)(p)
    for method in ("reverse_tape", "dual_numbers", "complex_step", "central_difference")
}
for method, slopes in found.items():
    print(
        f"{method:18s}", slopes, f"{np.max(np.abs(slopes - found['reverse_tape'])):.0e}"
    )
assert np.allclose(found["dual_numbers"], found["reverse_tape"], rtol=1e-13)

# %%
# As good as the solution
# -----------------------
# The slope is that of the computed solution, not of the true one. With more steps it
# converges at the order of the solver. Differences of it do, too, until their own error
# is larger.

from diffmethods.plotting import plot_errors

counts = 2 ** np.arange(2, 10)
truth, slopes = formula(p), dm.gradient(formula)(p)


def error_of_slopes(method, steps):
    found = dm.gradient(lambda q: population(q, steps), method=method)(p)
    return np.max(np.abs(found - slopes))


errors = {
    "solution": [abs(population(p, n) - truth) for n in counts],
    "slopes, reverse tape": [error_of_slopes("reverse_tape", n) for n in counts],
    "slopes, one-sided differences": [
        error_of_slopes("forward_difference", n) for n in counts
    ],
}
ax = plot_errors(
    counts,
    errors,
    title="The slope of the steps converges at the order of the solver",
    xlabel="steps of Runge and Kutta",
    ylabel="largest error",
    log_x=True,
)
tape = errors["slopes, reverse tape"]
assert abs(np.log2(tape[3] / tape[4]) - 4) < 0.3
assert tape[-1] < 1e-9
assert errors["slopes, one-sided differences"][-1] > 10 * tape[-1]

# %%
# Over time
# ---------
# When does which parameter matter? One run in forward mode for each parameter carries
# the sensitivity at every time.

import matplotlib.pyplot as plt


def trajectory(p):
    start, r, K = p
    path = [start]
    for _ in range(80):
        path.append(runge_kutta(lambda y: r * y * (1 - y / K), path[-1], 0.1, 1))
    return np.stack(path)


times = np.linspace(0, 8, 81)
sensitivity = dm.jacobian(trajectory, method="dual_numbers")(p)
fig, ax = plt.subplots()
names = ("start", "growth rate", "capacity")
for name, column, line in zip(names, sensitivity.T, ("-", "--", "-."), strict=True):
    ax.plot(times, column, line, label=f"by the {name}")
ax.set(xlabel="time", ylabel="slope of the population")
ax.legend()
title = ax.set_title("At first the start matters, in the end the capacity alone")
assert np.argmax(np.abs(sensitivity[-1])) == 2
assert np.max(np.abs(sensitivity[-1, 2] - 1)) < 0.02

# %%
# Few parameters and many times: forward mode. Many parameters and one number at the
# end: the tape, with :func:`diffmethods.checkpoint` if the steps fill the memory.
# Adaptive solvers choose their steps by y; give them the equation of the sensitivities
# instead, whose right side is a :func:`~diffmethods.jvp`:

from scipy.integrate import solve_ivp


def rate(z):
    y, r, K = z
    return r * y * (1 - y / K)


def both(_, state):
    y, s = state
    z, direction = np.array([y, p[1], p[2]]), np.array([s, 1.0, 0.0])  # by the rate r
    return [rate(z), dm.jvp(rate)(z, direction)]


state = solve_ivp(both, (0, 4), [p[0], 0.0], rtol=1e-10, atol=1e-12).y[:, -1]
assert abs(state[1] - slopes[1]) < 1e-8
state[1] - slopes[1]

# %%
# See also
# --------
# - :cite:t:`griewank2008` on differentiating programs that iterate.
# - `diffrax <https://docs.kidger.site/diffrax/>`_ solves and differentiates equations
#   under JAX.
# - :ref:`sphx_glr_auto_examples_applications_plot_implicit_differentiation.py`: for a
#   steady state, differentiate the equation and not the way to it.
