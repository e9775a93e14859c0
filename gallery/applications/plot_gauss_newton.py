r"""
Least squares: Gauss and Newton
===============================

Fit a curve to samples: replace the curve by its tangent in the parameters, solve the
linear fit, and repeat. The tangent is a Jacobian.
"""

# %%
# A damped oscillation
# --------------------
# Amplitude, damping, frequency and phase shall fit sixty noisy samples.

import numpy as np

import diffmethods as dm


def model(p, t):
    return p[0] * np.exp(-p[1] * t) * np.cos(p[2] * t + p[3])


true = np.array([2.0, 0.3, 2.5, 0.4])
t = np.linspace(0, 8, 60)
sigma = 0.1
samples = model(true, t) + sigma * np.random.default_rng(0).normal(size=t.size)

# %%
# The residual is an array, and its :func:`~diffmethods.jacobian` a matrix of sixty rows
# and four columns. Four parameters are few, so forward mode is the choice: four
# directions give all of it.


def residual(p):
    return model(p, t) - samples


jac = dm.jacobian(residual, method="dual_numbers")
p = np.array([1.5, 0.2, 2.3, 0.0])
path = [p]
for step in range(12):
    change = np.linalg.lstsq(jac(p), -residual(p))[0]
    p = p + change
    path.append(p)
    print(f"{step}: {np.sum(residual(p) ** 2):.12f}, step {np.linalg.norm(change):.0e}")

# %%
# The gradient of half the sum of squares is :math:`J^{\mathsf T} r`, and it is 0 now.
# The reverse tape confirms it without any J.

gradient = dm.gradient(lambda p: np.sum(residual(p) ** 2) / 2, method="reverse_tape")
assert np.max(np.abs(gradient(p))) < 1e-8
assert np.allclose(gradient(path[0]), jac(path[0]).T @ residual(path[0]))
gradient(p)

# %%
# Why it is fast
# --------------
# The Hessian of the sum is :math:`J^{\mathsf T} J + \sum_i r_i \nabla^2 r_i`. Gauss
# left the second term away: small residuals make it small, and the convergence nearly
# that of Newton's method. Steepest descent knows no curvature and crawls along the
# valley; here every one of its steps has the best length for the same :math:`J^{\mathsf
# T} J`.

from diffmethods.plotting import plot_errors

near = np.array([1.9, 0.25, 2.45, 0.3])
hess = dm.hessian(lambda p: np.sum(residual(p) ** 2) / 2)


def gauss_newton(p):
    return p - np.linalg.lstsq(jac(p), residual(p))[0]


def newton(p):
    return p - np.linalg.solve(hess(p), gradient(p))


best = newton(p)


def descent(p):
    downhill = -gradient(p)
    change = jac(p) @ downhill
    return p + (downhill @ downhill) / (change @ change) * downhill


def distances(step, p=near, count=12):
    found = [p]
    for _ in range(count):
        found.append(step(found[-1]))
    return np.linalg.norm(np.array(found) - best, axis=1)


errors = {
    "steepest descent": distances(descent),
    "Gauss-Newton": distances(gauss_newton),
    "Newton, full Hessian": distances(newton),
}
ax = plot_errors(
    np.arange(13),
    errors,
    title="Gauss-Newton needs first derivatives alone, and a few steps",
    xlabel="step",
    ylabel="distance from the best fit",
)
assert errors["Gauss-Newton"][6] < 1e-5
assert errors["Newton, full Hessian"][6] < 1e-9
assert errors["steepest descent"][-1] > 1e-3

# %%
# From the first start Newton's method would have gone elsewhere. The Hessian has a
# negative eigenvalue there, so its steps lead to a saddle; :math:`J^{\mathsf T} J` has
# none anywhere.

eigenvalues = np.linalg.eigvalsh(hess(path[0]))
assert eigenvalues[0] < 0
eigenvalues, np.linalg.eigvalsh(jac(path[0]).T @ jac(path[0]))

# %%
# How sure are the parameters?
# ----------------------------
# The same Jacobian answers: the covariance of the parameters is
# :math:`s^2 (J^{\mathsf T} J)^{-1}`. Each true value lies within three standard
# deviations.

J = jac(p)
variance = np.sum(residual(p) ** 2) / (t.size - p.size)
deviation = np.sqrt(np.diag(variance * np.linalg.inv(J.T @ J)))
names = ("amplitude", "damping", "frequency", "phase")
for name, value, error, was in zip(names, p, deviation, true, strict=True):
    print(f"{name:9s} {value:.4f} +- {error:.4f}   (true {was})")
assert np.all(np.abs(p - true) < 3 * deviation)

# %%
# SciPy's solver guards the steps, too, so that a bad start does no harm. Hand it the
# Jacobian; without one it takes differences, at four more residuals a step.

from scipy.optimize import least_squares

start = [1.0, 0.1, 2.0, 0.0]
exact = least_squares(residual, start, jac=jac, ftol=1e-14, xtol=1e-9)
assert np.allclose(exact.x, p, rtol=1e-5)
exact.x, exact.nfev, exact.njev

# %%
# See also
# --------
# - :func:`scipy.optimize.least_squares`; :cite:t:`nocedal2006`, chapter 10.
# - :ref:`sphx_glr_auto_examples_forward_plot_dual_numbers.py` and
#   :ref:`sphx_glr_auto_examples_reverse_plot_reverse_tape.py`: few parameters or many.
# - :ref:`sphx_glr_auto_examples_applications_plot_error_propagation.py` carries the
#   covariance on to what you compute from the fit.
