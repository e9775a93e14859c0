r"""
A missing rule that counts as zero
==================================

PyTorch computes Bessel functions and has no rule for their slopes. Its function
transform says 0.
"""

# %%
# What you would write
# --------------------
# The slope of :math:`J_0` at 1.2:

import torch

x = torch.tensor(1.2, dtype=torch.float64)
slope = torch.func.grad(torch.special.bessel_j0)(x)

# %%
# What comes out
# --------------
# Zero, and no warning. The slope is :math:`-J_1(1.2)`.

import mpmath

true = float(-mpmath.besselj(1, 1.2))
assert slope == 0
float(slope), true

# %%
# It is not the only one. These functions of one variable change between 1.2 and 1.3,
# and have the slope 0 all the same:

silent = []
for name in sorted(torch.special.__all__):
    f = getattr(torch.special, name)
    try:
        zero = torch.func.grad(f)(x) == 0 and f(x) != f(x + 0.1)
    except (TypeError, RuntimeError):  # needs more arguments, or says that it cannot
        continue
    silent += [name] * bool(zero)
assert "bessel_j0" in silent
print(f"{len(silent)} functions:", *silent, sep="\n")

# %%
# Here are the curve, its slope, and what is called its slope.

import numpy as np
from matplotlib import pyplot as plt

points = torch.linspace(0, 12, 121, dtype=torch.float64)
values = torch.special.bessel_j0(points)
slopes = torch.func.vmap(torch.func.grad(torch.special.bessel_j0))(points)
exact = [float(-mpmath.besselj(1, point)) for point in points.tolist()]

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(points, values, ":", color="#7A7A7A", label="$J_0$")
ax.plot(points, exact, color="#0072B2", label="its slope")
ax.plot(points, slopes, "--", color="#D55E00", label="torch.func.grad")
ax.set(
    title="A flat line in place of the slope of a Bessel function",
    xlabel="x",
    ylabel="value, slope",
)
ax.legend()
plt.show()

# %%
# Why
# ---
# The operation is marked as not differentiable, so its result is detached from its
# argument. The function transform takes what is detached for a constant, and the slope
# of a constant is 0. The older interface notices, because its result has no history:

tracked = x.clone().requires_grad_()
try:
    torch.special.bessel_j0(tracked).backward()
except RuntimeError as error:
    print(error)

# %%
# It notices only if nothing else depends on x. In a sum the missing part is dropped
# there, too: the slope of :math:`x + J_0(x)` comes out as 1.

(tracked + torch.special.bessel_j0(tracked)).backward()
assert tracked.grad == 1
float(tracked.grad), 1 + true

# %%
# What to do instead
# ------------------
# Give the function its rule, :math:`J_0' = -J_1`, as an autograd function.


class BesselJ0(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return torch.special.bessel_j0(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, cotangent):
        (x,) = ctx.saved_tensors
        return -cotangent * torch.special.bessel_j1(x)


# %%
# That serves the first derivative; for the second, :math:`J_1` needs a rule as well.

mended = float(torch.func.grad(BesselJ0.apply)(x))
assert abs(mended / true - 1) < 1e-12
mended

# %%
# ``diffmethods`` takes ``scipy.special.j0`` to any order. A function without a rule is
# an error there, never a constant.

from scipy import special

import diffmethods as dm

fourth = dm.derivative(special.j0, order=4)(1.2)
assert (
    abs(fourth / float(mpmath.diff(lambda x: mpmath.besselj(0, x), 1.2, 4)) - 1) < 1e-9
)
try:
    dm.derivative(special.dawsn)(1.2)
except dm.errors.MissingRuleError as error:
    print(error)

# %%
# With any library, compare a derivative with a difference once before you trust it.

difference = (special.j0(1.2 + 1e-5) - special.j0(1.2 - 1e-5)) / 2e-5
assert np.isclose(difference, true, rtol=1e-8)
difference

# %%
# See also
# --------
# - :ref:`sphx_glr_auto_examples_libraries_plot_pytorch.py`.
# - :ref:`sphx_glr_auto_examples_applications_plot_custom_rule.py`: rules of your own.
# - :func:`~diffmethods.check_gradient` compares any gradient with differences.
# - PyTorch on `extending autograd
#   <https://docs.pytorch.org/docs/stable/notes/extending.html>`_.
