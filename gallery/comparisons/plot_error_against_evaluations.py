r"""
Error against evaluations
=========================

How many digits does an evaluation of f buy? Some methods run f once and lose nothing.
The others sample it, and pay for each digit.
"""

# %%
# Count what f is asked
# ---------------------
# The problem set has functions of one variable, each with its exact derivative. Every
# method of the registry differentiates each of them, and f counts how many numbers it
# is given: an array of ten nodes counts as ten, a stand-in that follows the operations
# as one.

import numpy as np

import diffmethods as dm
from diffmethods.method import installed_methods
from diffmethods.plotting import FLOOR, plot_methods, unbeaten
from diffmethods.problems import PROBLEMS

problems = [problem for problem in PROBLEMS.values() if problem.derivatives]
methods = installed_methods()
missing = set(dm.list_methods()) - set(methods)
print(f"{len(methods)} methods; not installed: {', '.join(sorted(missing)) or 'none'}")


def measure(problem, method, **options):
    """Evaluations of f, and the relative error."""
    asked = 0

    def counted(x):
        nonlocal asked
        asked += np.size(x) if isinstance(x, np.ndarray | np.generic | float) else 1
        return problem.f(x)

    slope = dm.derivative(counted, method=method, **options)(problem.at)
    return asked, abs(slope / problem.derivatives[0](problem.at) - 1)


# %%
# A few points say more than one, and a method may be lucky at one of them. So the
# figure shows the mean of the evaluations and the largest error of the problems. Errors
# below a quarter of the rounding of float64, 0 among them, are drawn there. The curves
# are the differences: each point is an ``accuracy``, twice that of the point before it.


def frontier_point(method, **options):
    each = np.array([measure(problem, method, **options) for problem in problems])
    return each[:, 0].mean(), max(each[:, 1].max(), FLOOR)


measured, refused = {}, {}
for name, method in methods.items():
    accuracies = (1, 2, 4, 8) if "accuracy" in method.options else ()
    choices = [{"accuracy": p} for p in accuracies if p != 1 or "forward" in name]
    try:
        points = [frontier_point(name, **options) for options in choices or [{}]]
    except dm.errors.DiffmethodsError as error:
        refused[name] = str(error)
    else:
        measured[name] = np.transpose(points)

# %%

sampling = {name: x[-1] for name, (x, _) in measured.items() if x[-1] > 1}
exact = {name: y[-1] for name, (_, y) in measured.items() if methods[name].exact}
assert all(error < 1e-14 for error in exact.values())
ax = plot_methods(
    measured,
    title="Who looks into f asks once; who samples it pays for each digit",
    xlabel="evaluations of f",
    ylabel="largest relative error of the problems",
)

# %%
# The best that a given number of evaluations buys, from the same numbers:

points = {
    f"{name}, point {k + 1}" if len(x) > 1 else name: (x[k], y[k])
    for name, (x, y) in measured.items()
    for k in range(len(x))
    if name in sampling
}
for name in unbeaten(points):
    print(f"{points[name][0]:5.1f} evaluations, error {points[name][1]:.0e}: {name}")
