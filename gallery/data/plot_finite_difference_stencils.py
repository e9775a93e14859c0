r"""
Samples: stencils of any order
==============================

Through the nearest few samples runs one polynomial. Its derivative is a weighted sum of
the samples, with weights that depend on their places alone.
"""

# %%
# Weights on given points
# -----------------------
# Fornberg's recurrence :cite:p:`fornberg1988` finds the weights for any points and any
# derivative. ``diffmethods.stencils`` runs it in exact fractions.

import numpy as np

from diffmethods.stencils import weights

print("f'  inside: ", *weights([-2, -1, 0, 1, 2], order=1))
print("f'' inside: ", *weights([-2, -1, 0, 1, 2], order=2))
print("f'  at left:", *weights([0, 1, 2, 3, 4], order=1))

# %%
# The points need not be even, nor hold the place where the slope is wanted. These
# weights are exact for all polynomials of a degree below the number of points.

nodes = [0.0, 0.3, 0.7, 1.5, 1.6]
w = np.array(weights(nodes, order=1, at=1.0), float)
for degree in range(6):
    print(f"x^{degree}: error {w @ np.array(nodes) ** degree - degree:+.0e}")
assert abs(w @ np.array(nodes) ** 4 - 4) < 1e-12

# %%
# A whole array
# -------------
# Slide along the samples and take the nearest ones each time: a banded matrix, made
# once, that differentiates whatever was sampled at these places. At the ends the
# nearest ones lie on one side.


def differentiation_matrix(x, points, order=1):
    matrix = np.zeros((len(x), len(x)))
    for row, at in enumerate(x):
        first = np.clip(row - points // 2, 0, len(x) - points)
        near = slice(first, first + points)
        matrix[row, near] = np.array(weights(x[near], order, at), float)
    return matrix


x = np.sort(np.random.default_rng(2).uniform(-2, 2, 60))
x += np.linspace(-0.2, 0.2, 60)  # some distance between any two
true = 1 / np.cosh(x) ** 2
for points in (3, 5, 7, 9):
    error = np.max(np.abs(differentiation_matrix(x, points) @ np.tanh(x) - true))
    print(f"{points} points: largest error {error:.0e}")

# %%
# What a point is worth
# ---------------------
# A stencil of n points has an error of the size :math:`h^{n-1}`. On even samples the
# weights are the same everywhere, so one correlation does the work of the matrix.

from diffmethods.plotting import plot_errors

counts = 8 * 2 ** np.arange(7)
errors = {}
for points in (3, 5, 7, 9):
    errors[f"{points} points"] = found = []
    for n in counts:
        inside = np.array(weights(range(points), 1, points // 2), float)
        x, h = np.linspace(-2, 2, n + 1, retstep=True)
        slope = np.correlate(np.tanh(x), inside) / h
        true = 1 / np.cosh(x[points // 2 : -(points // 2)]) ** 2
        found.append(np.max(np.abs(slope - true)))
ax = plot_errors(
    4 / counts,
    errors,
    title="Two points more in the stencil gain two orders in the spacing",
    xlabel="spacing h",
    ylabel="largest error of the slope, inside",
    log_x=True,
)
for points in (3, 5, 7):
    coarse, fine = errors[f"{points} points"][3:5]
    assert abs(np.log2(coarse / fine) - (points - 1)) < 0.3

# %%
# Where it fails
# --------------
# More points are better as long as the stencil stays short. One polynomial through many
# even samples swings out at its ends (Runge's phenomenon): the weights there grow like
# :math:`2^n`, and with them the rounding of the samples and their noise.

for points in (5, 9, 17, 33):
    middle, end = (
        float(sum(abs(w) for w in weights(range(points), order=1, at=at)))
        for at in (points // 2, 0)
    )
    print(
        f"{points:2d} points: noise times {middle:.1f} / h inside, {end:.1e} / h at end"
    )
assert end > 1e8

# %%
# Five to nine points are a good choice for smooth samples without noise. For a second
# derivative ask for ``order=2`` in one go. The matrix is exact where it should be:

x = np.linspace(-1, 1, 21)
second = differentiation_matrix(x, 7, order=2)
assert np.allclose(second @ x**6, 30 * x**4, rtol=0, atol=1e-10)
np.max(np.abs(second @ x**6 - 30 * x**4))

# %%
# See also
# --------
# - :cite:t:`fornberg1998` with the algorithm in a few lines.
# - `findiff <https://github.com/maroba/findiff>`_ applies such stencils along any axes
#   of an array, and solves differential equations with them.
# - :ref:`sphx_glr_auto_examples_numerical_plot_central_difference.py`, for functions;
#   :doc:`/explanation/finite-differences` derives the errors.
# - :ref:`sphx_glr_auto_examples_data_plot_spectral.py` takes all samples at once, where
#   that is safe.
