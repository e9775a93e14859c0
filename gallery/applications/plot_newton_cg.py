r"""
A minimum in many variables
===========================

Newton's step solves a linear system with the Hessian. Conjugate gradients solve it from
products with vectors alone, so the matrix is never made.
"""

# %%
# A crooked valley
# ----------------
# Rosenbrock's function in 200 variables; its minimum is 0, where all of them are 1.

import numpy as np

import diffmethods as dm


def valley(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


n = 200
start = np.random.default_rng(0).uniform(0, 2, n)
gradient = dm.gradient(valley)
product = dm.hvp(valley)

# %%
# A :term:`Hessian-vector product <HVP>` is the derivative of the gradient along one
# direction :cite:p:`pearlmutter1994`. It costs a few gradients, whatever n is, while
# the Hessian has :math:`n^2` items.

v = np.sin(np.arange(n))
assert np.allclose(product(start, v), dm.hessian(valley)(start) @ v, rtol=1e-12)
product(start, v)[:3]

# %%
# Truncated Newton
# ----------------
# Conjugate gradients improve the step with one product each. Far from the minimum a
# rough step will do, so they stop at a tenth of the gradient, later at less. If the
# function curves downwards along the way, they stop as well: there is no minimum to
# step to, and the direction so far leads down.


def newton_direction(x, g):
    size = np.linalg.norm(g)
    step, residual, direction, products = 0 * x, -g, -g, 0
    while np.linalg.norm(residual) > min(0.1, np.sqrt(size)) * size:
        curved = product(x, direction)
        products += 1
        if (bend := direction @ curved) <= 0:
            return (step if products > 1 else -g), products
        length = residual @ residual / bend
        step = step + length * direction
        last, residual = residual, residual - length * curved
        direction = residual + (residual @ residual) / (last @ last) * direction
    return step, products


# %%
# Then the step is halved until the function falls enough (Armijo's rule).


def shortened(x, g, step):
    length = 1.0
    while valley(x + length * step) > valley(x) + 1e-4 * length * (g @ step):
        length /= 2
    return x + length * step


def minimise(x, direction, work, tolerance=1e-9):
    """The norm of the gradient after each step, and the gradients' worth of work."""
    norms, spent = [], [0]
    while True:
        g = gradient(x)
        norms.append(np.linalg.norm(g))
        if norms[-1] < tolerance or spent[-1] > work:
            return x, norms, spent
        step, products = direction(x, g)
        spent.append(spent[-1] + 1 + 3 * products)  # a product: about three gradients
        x = shortened(x, g, step)


# %%
# Steepest descent gets the same line search, and the same work. SciPy's solvers take
# the functions as they are.

import matplotlib.pyplot as plt
from scipy.optimize import minimize

x, newton, newton_work = minimise(start, newton_direction, work=1500)
_, descent, descent_work = minimise(start, lambda x, g: (-g, 0), work=1500)
assert np.max(np.abs(x - 1)) < 1e-9

fig, ax = plt.subplots()
ax.semilogy(descent_work, descent, "--", color="#D55E00", label="steepest descent")
ax.semilogy(newton_work, newton, "o-", color="#0072B2", label="Newton, truncated")
ax.set(xlabel="work / gradients", ylabel="norm of the gradient", xlim=(0, 1500))
ax.legend(loc="lower left")
title = ax.set_title("Products with the Hessian lead to the minimum, gradients crawl")
len(newton) - 1, newton_work[-1], descent[-1]

# %%
# The same in one line; ``hessp`` takes the product. Its tolerance is on the step.

found = minimize(
    valley, start, jac=gradient, hessp=product, method="Newton-CG", tol=1e-10
)
assert np.max(np.abs(found.x - 1)) < 1e-6
found.nit, found.njev, found.nhev, found.fun

# %%
# Where the Hessian is sparse, as here with three diagonals, it can be had whole from a
# few products by :ref:`colouring
# <sphx_glr_auto_examples_comparisons_plot_sparsity_by_colouring.py>`. Take products
# with vectors when it is large and full.
#
# See also
# --------
# - :func:`diffmethods.hvp`; :func:`scipy.optimize.minimize` with ``Newton-CG`` and
#   ``trust-krylov``.
# - :cite:t:`nocedal2006`, chapter 7, on truncated Newton methods.
# - :ref:`sphx_glr_auto_examples_applications_plot_newton.py` in one variable.
