r"""
Gradients save SciPy's solvers an evaluation a variable
=======================================================

Left alone, a solver takes differences: one more value of the function for each
variable. A derivative costs a few, whatever the number of variables.
"""

# %%
# A minimum
# ---------
# ``scipy.optimize.minimize`` takes the gradient as ``jac`` and the Hessian as ``hess``.
# The operators of ``diffmethods`` return functions of x, so they fit as they are.

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares, minimize, root

import diffmethods as dm


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


start = np.zeros(10)
gradient, hessian = dm.gradient(rosenbrock), dm.hessian(rosenbrock)

found = minimize(rosenbrock, start, jac=gradient, hess=hessian, method="trust-exact")
assert np.allclose(found.x, 1)
found.nfev, found.njev, found.nhev

# %%
# One function can give value and gradient together; ``jac=True`` says so. The tape
# evaluates the function once for both.

both = minimize(dm.value_and_gradient(rosenbrock), start, jac=True, method="L-BFGS-B")
assert np.allclose(both.x, 1, atol=1e-4)
both.nfev

# %%
# Where there are too many variables for a Hessian, ``hessp`` asks for its product with
# a vector.

product = dm.hvp(rosenbrock)
large = minimize(
    rosenbrock, np.zeros(100), jac=gradient, hessp=product, method="trust-krylov"
)
assert np.allclose(large.x, 1)
large.nit

# %%
# What it saves
# -------------
# Count the values of the function that BFGS asks for, with the gradient and without.


class Counted:
    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, x):
        self.calls += 1
        return self.f(x)


def calls(size, **derivatives):
    f = Counted(rosenbrock)
    minimize(
        f, np.zeros(size), method="L-BFGS-B", options={"maxfun": 1e6}, **derivatives
    )
    return f.calls


sizes = [2, 5, 10, 20, 50]
without = [calls(size) for size in sizes]
with_gradient = [calls(size, jac=gradient) for size in sizes]
for row in zip(sizes, without, with_gradient, strict=True):
    print("{:3} variables: {:6} evaluations without, {:4} with".format(*row))
assert all(a > 2 * b for a, b in zip(without, with_gradient, strict=True))

# %%
# Each step by differences takes a value more for every variable. A gradient by the tape
# costs as much as a few values, for 2 variables as for a million.

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.loglog(sizes, without, "o-", label="by differences")
ax.loglog(sizes, with_gradient, "s--", label="by dm.gradient")
ax.set_xticks(sizes, sizes, minor=False)
ax.set_xticks([], minor=True)
ax.set(
    title="The gradient saves a value for each variable in every step",
    xlabel="variables",
    ylabel="evaluations of the function",
)
ax.grid(color="#7A7A7A", alpha=0.25)
ax.legend()

# %%
# How near it comes
# -----------------
# Differences are wrong in half of the digits, and a solver cannot see the bottom of a
# valley whose slope is smaller than that. The exact gradient goes on.

options = {"gtol": 1e-12, "maxiter": 2000}
rough = minimize(rosenbrock, start, method="BFGS", options=options)
exact = minimize(rosenbrock, start, jac=gradient, method="BFGS", options=options)
assert exact.fun < rough.fun
print(f"by differences {rough.fun:.1e}, by the gradient {exact.fun:.1e}")

# %%
# Roots and fits
# --------------
# ``root`` and ``least_squares`` take a Jacobian.


def crossing(x):
    """A circle and a line."""
    return np.stack([x[0] ** 2 + x[1] ** 2 - 1, 4 * x[0] - 3 * x[1]])


solution = root(crossing, [1.0, 1.0], jac=dm.jacobian(crossing))
assert np.allclose(solution.x, [0.6, 0.8], rtol=1e-12)
solution.x

# %%

t = np.linspace(0, 2, 21)
samples = 2.5 * np.exp(-1.3 * t)


def misfit(p):
    return p[0] * np.exp(-p[1] * t) - samples


# With more rows than columns, forward mode is the cheaper one.
fit = least_squares(misfit, [1.0, 1.0], jac=dm.jacobian(misfit, method="dual_numbers"))
assert np.allclose(fit.x, [2.5, 1.3], rtol=1e-8)
fit.x

# %%
# A stiff equation
# ----------------
# An implicit solver needs the Jacobian of the right-hand side. Here heat spreads along
# a line of 300 points, so the Jacobian has three diagonals, and
# ``sparse_jacobian`` finds that out. SciPy then solves with a sparse matrix; without
# the Jacobian it takes differences, one for each point, and solves with a full one.


def heat(y):
    inner = y[:-2] - 2 * y[1:-1] + y[2:]
    edge = np.zeros(1)
    return np.concatenate([edge, 500 * inner + np.tanh(y[1:-1]), edge])


def solved(**options):
    right_side = Counted(heat)
    bump = np.sin(np.linspace(0, np.pi, 300))
    found = solve_ivp(lambda t, y: right_side(y), (0, 2), bump, method="BDF", **options)
    return found, right_side.calls


slope = dm.sparse_jacobian(heat)
known, few = solved(jac=lambda t, y: slope(y))
unknown, many = solved()
assert np.allclose(known.y[:, -1], unknown.y[:, -1], atol=1e-3)
assert few < many
print(f"{few} evaluations with the sparse Jacobian, {many} without")

# %%
# Every method fits
# -----------------
# ``method=`` decides who differentiates. Black boxes take the numerical methods, which
# state what they reach; the solver is the same.

for name in ("reverse_tape", "dual_numbers", "central_difference", "complex_step"):
    slopes = dm.gradient(rosenbrock, method=name)
    minimum = minimize(rosenbrock, start, jac=slopes, method="BFGS")
    assert np.allclose(minimum.x, 1, atol=1e-4)
    print(f"{name:20} {minimum.njev} gradients, f = {minimum.fun:.1e}")

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_comparisons_plot_sparsity_by_colouring.py` says how
#   the sparse Jacobian comes about.
# - :ref:`sphx_glr_auto_examples_applications_plot_implicit_differentiation.py`
#   differentiates what a solver has found.
