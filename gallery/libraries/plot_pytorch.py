r"""
PyTorch
=======

Run the function on tensors that remember where they came from.
"""

# %%
# In one line
# -----------
# ``torch.func.grad`` turns a function into its derivative. A tensor made of a Python
# number is float32 unless told otherwise.

import torch

x = torch.tensor(2.0, dtype=torch.float64)
torch.func.grad(torch.tanh)(x)

# %%
# ``diffmethods`` takes plain NumPy, and computes in float64.

import numpy as np

import diffmethods as dm

dm.derivative(np.tanh, method="pytorch")(2.0)

# %%
# How it works
# ------------
# There is no program to trace: your Python runs as it is. Each operation that a tensor
# goes through notes, on its result, which rule will lead back from there.


def polynomial(x):
    return x**3 + 2 * x**2 - 3 * x + 1


x.requires_grad_(True)
y = polynomial(x)
y.grad_fn, y.grad_fn.next_functions[0][0].name()

# %%
# ``backward`` follows the notes from the result to the arguments (reverse mode), and
# leaves the slope on each.

y.backward()
x.grad

# %%
# The functions of ``torch.func`` leave nothing behind. ``jvp`` carries the slope along
# with the value instead (forward mode).

x = x.detach()
value, slope = torch.func.jvp(polynomial, (x,), (torch.ones_like(x),))
value, pullback = torch.func.vjp(polynomial, x)
assert pullback(torch.ones_like(x)) == (slope,)
slope

# %%
# Higher derivatives
# ------------------
# Nest ``grad``: here twice for tanh at 2, and one to four times for the polynomial at
# 1.

towers, one = [polynomial], torch.tensor(1.0, dtype=torch.float64)
for _ in range(4):
    towers.append(torch.func.grad(towers[-1]))
torch.func.grad(torch.func.grad(torch.tanh))(x), [float(f(one)) for f in towers[1:]]

# %%
# On arrays
# ---------
# ``grad`` wants a scalar; ``torch.func.vmap`` carries it over an array.

points = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
torch.func.vmap(torch.func.grad(polynomial))(points)

# %%
# Several variables
# -----------------
# ``grad`` gives the gradient and ``torch.func.hessian`` its Jacobian. Jacobians come by
# columns (``torch.func.jacfwd``, best for few arguments) or by rows
# (``torch.func.jacrev``, for few results).


def g(z):
    return torch.tanh(z[0]) * polynomial(z[1])


z = torch.tensor([2.0, 2.0], dtype=torch.float64)
by_columns, by_rows = torch.func.jacfwd(g)(z), torch.func.jacrev(g)(z)
assert torch.allclose(by_columns, by_rows)
torch.func.grad(g)(z), torch.func.hessian(g)(z)

# %%
# Where it fails
# --------------
# What leaves the tensors leaves the record, and counts as a constant. Some functions do
# so themselves: the Bessel function has no rule, and the answer is 0, without a word.

point = torch.tensor(1.2, dtype=torch.float64)
lost = torch.func.grad(torch.special.bessel_j0)(point)
assert lost == 0
lost

# %%
# It is :math:`-J_1(1.2)`. ``diffmethods`` watches each call of the function: it puts
# the missing rules of Bessel functions in, and makes an error of what loses its slope.

dm.derivative(torch.special.bessel_j0, method="pytorch")(1.2)

# %%
# Where the ends of a grid depend on x, ``torch.linspace`` drops that, too:


def mean_of_grid(x):
    return torch.linspace(0.0, x, 5).mean()


assert torch.func.grad(mean_of_grid)(point) == 0
try:
    dm.derivative(mean_of_grid, method="pytorch")(1.2)
except dm.errors.NotDifferentiableError as error:
    print(str(error).partition(":")[0])

# %%
# The rule needs :math:`J_1`, and PyTorch's own has six digits in places, in float64
# too. ``diffmethods`` takes SciPy's. mpmath knows both functions.

import mpmath
from scipy import special

from diffmethods.plotting import plot_errors

x = np.linspace(0.1, 12.0, 60)
true = np.array([-float(mpmath.besselj(1, t)) for t in x])
on_tensors = torch.tensor(x)
slopes = {
    "as PyTorch has it": torch.func.vmap(torch.func.grad(torch.special.bessel_j0)),
    "by PyTorch's $J_1$": lambda x: -torch.special.bessel_j1(x),
}
errors = {name: f(on_tensors).numpy() / true - 1 for name, f in slopes.items()}
mended = dm.derivative(torch.special.bessel_j0, method="pytorch")(x)
assert np.array_equal(mended, -special.j1(x))
errors["by diffmethods"] = mended / true - 1
assert abs(errors["by diffmethods"]).max() < 1e-13
worst = abs(errors["by PyTorch's $J_1$"]).max()
title = f"PyTorch's slope of $J_0$ is off by 100 %, its $J_1$ by {100 * worst:.4f} %"
ax = plot_errors(x, errors, title=title, xlabel="x")

# %%
# The rule for tanh is :math:`1 - \tanh^2 x`, which is 0 at 20. The slope is
# :math:`1.6993417021166355 \cdot 10^{-17}`.

far = torch.tensor(20.0, dtype=torch.float64)
lost = torch.func.grad(torch.tanh)(far)
assert lost == 0
lost, dm.derivative(np.tanh, method="dual_numbers")(20.0)

# %%
# Cost
# ----
# One scalar at a time, the record costs far more than the function itself.

dm.compare(np.tanh, 2.0, methods=["pytorch", "dual_numbers"])

# %%
# On a large array, the slopes take this many times as long as the values:

from timeit import repeat

x = torch.linspace(-3, 3, 100_000, dtype=torch.float64)
slopes = torch.func.grad(lambda x: torch.tanh(x).sum())
times = [min(repeat(lambda f=f: f(x), number=20)) for f in (torch.tanh, slopes)]
round(times[1] / times[0], 1)

# %%
# See also
# --------
# - PyTorch's pages on `automatic differentiation
#   <https://docs.pytorch.org/docs/stable/autograd.html>`_ and on `torch.func
#   <https://docs.pytorch.org/docs/stable/func.html>`_.
# - :cite:t:`paszke2019` is the library; :cite:t:`baydin2018` survey the field.
