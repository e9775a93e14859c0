"""The chrestomathy's tasks: one call of an operator each, with a result that is known.

A task is done by a method at build time or not at all; what came out, how far it is
from the exact value and what it cost is the cell of the table where the two meet.
"""

import ast
import functools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from diffmethods import methods, operators
from diffmethods.comparison import errors, get_or_explain, seconds, shown
from diffmethods.errors import DiffmethodsError
from diffmethods.method import FAMILIES, Method, list_methods
from diffmethods.problems import (
    PROBLEMS,
    polar,
    polar_jacobian,
    rosenbrock,
    rosenbrock_gradient,
    rosenbrock_hessian,
)

ROSENBROCK, POLAR = PROBLEMS["rosenbrock"], PROBLEMS["polar"]
GRID = np.linspace(-3.0, 3.0, 13)
DIRECTION = np.array([0.3, -1.0, 0.5, 2.0])
WEIGHT = np.array([2.0, -1.0])
MATRIX = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]])
SIDE = np.array([1.0, 2.0, 3.0])


@dataclass(frozen=True)
class Task:
    """Something a reader wants done.

    Attributes
    ----------
    title
        What is wanted.
    section
        The heading of a method's page under which it is done.
    f, x
        The function and the point.
    operator
        The name of the operator, and what its returned function takes besides `x`.
    exact
        Computes the result to full precision, without this package.
    meaning, formula
        What it is in a sentence, and in LaTeX.
    """

    title: str
    section: str
    f: Callable[..., Any]
    x: Any
    exact: Callable[[], Any]
    operator: str = "derivative"
    order: int | None = None
    others: tuple[Any, ...] = ()
    meaning: str = ""
    formula: str = ""

    def done_by(self, method: str) -> Callable[[], Any]:
        """The call that does the task."""
        options = {} if self.order is None else {"order": self.order}
        differentiate = getattr(operators, self.operator)(
            self.f, method=method, **options
        )
        return functools.partial(differentiate, self.x, *self.others)


@dataclass(frozen=True)
class Cell:
    """How a method did a task: its error and its cost, or why it did not."""

    value: Any = None
    error_ulp: float | None = None
    relative_error: float | None = None
    time_ratio: float | None = None
    note: str = ""

    @property
    def grade(self) -> str:
        """One of ``exact``, ``good``, ``rough`` and ``wrong``, or ``none``."""
        if self.error_ulp is None or self.relative_error is None:
            return "none"
        if self.error_ulp <= 16:
            return "exact"
        if self.relative_error <= 1e-9:
            return "good"
        return "rough" if self.relative_error <= 1e-3 else "wrong"


def of_mpmath(expression: Callable[[Any], Any]) -> Callable[[], Any]:
    """Evaluate in 50 digits, and keep them for the comparison."""

    def exact() -> Any:
        import mpmath as mp

        with mp.workdps(50):
            return np.asarray(expression(mp), dtype=object)[()]

    return exact


def heron(x: Any) -> Any:
    """A square root by Heron's iteration: a loop that ends when it has converged."""
    y = 1.0 + 0 * x
    while abs(y * y - x) > 1e-15 * abs(x):
        better = 0.5 * (y + x / y)
        if better == y:
            break
        y = better
    return y


def system(x: Any) -> Any:
    """A linear system and a determinant that depend on x."""
    a = MATRIX + x * np.eye(3)
    return np.dot(SIDE, np.linalg.solve(a, SIDE)) + np.log(np.linalg.det(a))


def exact_system(mp: Any) -> Any:
    """By Jacobi's formula and the derivative of an inverse, at x = 1/2."""
    inverse = (mp.matrix(MATRIX.tolist()) + mp.mpf(0.5) * mp.eye(3)) ** -1
    y = inverse * mp.matrix(SIDE.tolist())
    return -(y.T * y)[0] + sum(inverse[i, i] for i in range(3))


def special_functions(x: Any) -> Any:
    from scipy import special

    return special.erf(x) * special.j0(x)


def exact_special_functions(mp: Any) -> Any:
    x = mp.mpf(1.2)
    slope = 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)
    return slope * mp.besselj(0, x) - mp.erf(x) * mp.besselj(1, x)


def black_box(x: Any) -> float:
    """No NumPy inside: a number in, a number out, as from a compiled program."""
    return math.exp(-float(x)) * math.sin(3 * float(x))


def holomorphic(z: Any) -> Any:
    return z * np.exp(z)


def exact_tenth(mp: Any) -> Any:
    return mp.taylor(mp.tanh, mp.mpf(2), 10)[10] * mp.factorial(10)


def exact_complex(mp: Any) -> Any:
    return (2 + 1j) * mp.exp(mp.mpc(1, 1))


TASKS: dict[str, Task] = {
    "point": Task(
        "Derivative at a point", "In one line", np.tanh, 2.0,
        of_mpmath(lambda mp: mp.sech(2) ** 2),
        meaning="The slope of a function of one variable: a number in, a number out.",
        formula=r"f(x) = \tanh x, \qquad f'(2) = \frac{1}{\cosh^2 2}",
    ),
    "second": Task(
        "Second derivative", "Higher derivatives", np.tanh, 2.0,
        of_mpmath(lambda mp: -2 * mp.tanh(2) * mp.sech(2) ** 2), order=2,
        meaning="The second derivative at a point: how fast the slope changes.",
        formula=r"f(x) = \tanh x, \qquad f''(2) = -\frac{2 \tanh 2}{\cosh^2 2}",
    ),
    "tenth": Task(
        "Tenth derivative", "Higher derivatives", np.tanh, 2.0,
        of_mpmath(exact_tenth), order=10,
        meaning="A derivative of high order, where differences have no digits left.",
        formula=r"f(x) = \tanh x, \qquad f^{(10)}(2)",
    ),
    "array": Task(
        "Derivative on an array", "On arrays", np.tanh, GRID,
        of_mpmath(lambda mp: [mp.sech(x) ** 2 for x in GRID]),
        meaning="The slope at each item of an array, by one call and without a loop.",
        formula=r"f(x) = \tanh x, \qquad f'(x_i) = \frac{1}{\cosh^2 x_i}",
    ),
    "gradient": Task(
        "Gradient", "Several variables", rosenbrock, ROSENBROCK.at,
        lambda: rosenbrock_gradient(ROSENBROCK.at), "gradient",
        meaning="The partial derivatives of a scalar function by all its variables.",
        formula=rf"f(x) = {ROSENBROCK.title}, \qquad (\nabla f)_i = "
        r"\frac{\partial f}{\partial x_i}",
    ),
    "jacobian": Task(
        "Jacobian", "Several variables", polar, POLAR.at,
        lambda: polar_jacobian(POLAR.at), "jacobian",
        meaning="The matrix of the slopes of each result by each variable.",
        formula=rf"f(r, \varphi) = {POLAR.title}, \qquad J_{{ij}} = "
        r"\frac{\partial f_i}{\partial x_j}",
    ),
    "hessian": Task(
        "Hessian", "Several variables", rosenbrock, ROSENBROCK.at,
        lambda: rosenbrock_hessian(ROSENBROCK.at), "hessian",
        meaning="The matrix of the second partial derivatives of a scalar function.",
        formula=rf"f(x) = {ROSENBROCK.title}, \qquad H_{{ij}} = "
        r"\frac{\partial^2 f}{\partial x_i\, \partial x_j}",
    ),
    "hvp": Task(
        "Hessian-vector product", "Several variables", rosenbrock, ROSENBROCK.at,
        lambda: rosenbrock_hessian(ROSENBROCK.at) @ DIRECTION, "hvp",
        others=(DIRECTION,),
        meaning="The Hessian times a vector, for which nobody needs the whole matrix.",
        formula=rf"f(x) = {ROSENBROCK.title}, \qquad H(x)\, v = "
        r"\left.\frac{d}{dt} \nabla f(x + t v)\right|_{t=0}",
    ),
    "jvp": Task(
        "Directional derivative", "Several variables", rosenbrock, ROSENBROCK.at,
        lambda: rosenbrock_gradient(ROSENBROCK.at) @ DIRECTION, "jvp",
        others=(DIRECTION,),
        meaning="The rate of change along a vector: a Jacobian-vector product (JVP).",
        formula=rf"f(x) = {ROSENBROCK.title}, \qquad J(x)\, v = "
        r"\left.\frac{d}{dt} f(x + t v)\right|_{t=0}",
    ),
    "vjp": Task(
        "Weighted rows (VJP)", "Several variables", polar, POLAR.at,
        lambda: WEIGHT @ polar_jacobian(POLAR.at), "vjp", others=(WEIGHT,),
        meaning="A vector-Jacobian product (VJP): the rows of the Jacobian, weighted "
        "and summed, as backpropagation does.",
        formula=rf"f(r, \varphi) = {POLAR.title}, \qquad (w J)_j = "
        r"\sum_i w_i \frac{\partial f_i}{\partial x_j}",
    ),
    "loop": Task(
        "Branches and loops", "How it works", heron, 2.0,
        of_mpmath(lambda mp: 1 / (2 * mp.sqrt(2))),
        meaning="The slope through control flow: the loop ends when it has converged.",
        formula=r"f(x) = \sqrt{x} \text{ by Heron's iteration}, \qquad "
        r"f'(2) = \frac{1}{2 \sqrt 2}",
    ),
    "linear_algebra": Task(
        "A linear solve and a determinant", "Several variables", system, 0.5,
        of_mpmath(exact_system),
        meaning="The slope through a linear system and the determinant of a matrix.",
        formula=r"f(x) = b \cdot A_x^{-1} b + \log \det A_x, \quad A_x = A + x I, "
        r"\qquad f'(x) = -\lVert A_x^{-1} b \rVert^2 + \operatorname{tr} A_x^{-1}",
    ),
    "special": Task(
        "Special functions (erf, Bessel)", "Where it fails", special_functions, 1.2,
        of_mpmath(exact_special_functions),
        meaning="The slope through SciPy: the error function and a Bessel function.",
        formula=r"f(x) = \operatorname{erf}(x)\, J_0(x), \qquad f'(x) = \frac{2}"
        r"{\sqrt\pi} e^{-x^2} J_0(x) - \operatorname{erf}(x)\, J_1(x)",
    ),
    "kink": Task(
        "A kink: abs(x) at 0, mean slope 0", "Where it fails", np.abs, 0.0, lambda: 0.0,
        meaning="A point without a derivative, where methods follow conventions.",
        formula=r"f(x) = |x|, \qquad \tfrac12 \bigl(f'(0^-) + f'(0^+)\bigr) = 0",
    ),
    "black_box": Task(
        "A black box", "Where it fails", black_box, 0.4,
        of_mpmath(lambda mp: mp.diff(lambda x: mp.exp(-x) * mp.sin(3 * x),
        mp.mpf(0.4))),
        meaning="A function that takes a float and gives a float, and nothing else: "
        "compiled code, a simulation, the math module.",
        formula=r"f(x) = e^{-x} \sin 3x, \qquad "
        r"f'(x) = e^{-x} (3 \cos 3x - \sin 3x)",
    ),
    "far_out": Task(
        "Far out: tanh′(20)", "Where it fails", np.tanh, 20.0,
        of_mpmath(lambda mp: mp.sech(20) ** 2),
        meaning="A slope in the tail of a function, small beside the value and not 0.",
        formula=r"f(x) = \tanh x, \qquad f'(20) = \frac{1}{\cosh^2 20}",
    ),
    "complex": Task(
        "A function of a complex number", "Where it fails", holomorphic, 1 + 1j,
        of_mpmath(exact_complex),
        meaning="The complex derivative of a holomorphic function.",
        formula=r"f(z) = z e^z, \qquad f'(z) = (1 + z)\, e^z, \qquad z = 1 + i",
    ),
}  # fmt: skip


def attempt(task: Task, name: str) -> Cell:
    """Let a method do a task, and compare what comes out.

    Parameters
    ----------
    task : Task
        One out of `TASKS`.
    name : str
        A name out of `list_methods`.

    Returns
    -------
    Cell
        Value and error, or the reason why the method cannot do it.

    Examples
    --------
    >>> from diffmethods.tasks import TASKS, attempt
    >>> attempt(TASKS["far_out"], "dual_numbers").grade
    'exact'
    """
    method = get_or_explain(name)[1]
    if not isinstance(method, Method):
        return Cell(note=method)
    try:
        value = task.done_by(name)()
    except (DiffmethodsError, ModuleNotFoundError) as refusal:
        return Cell(note=str(refusal))
    relative, ulp = errors(value, task.exact())
    return Cell(value, ulp, relative)


def perform(task: Task, name: str, evaluation: float | None = None) -> Cell:
    """`attempt` the task, and time it relative to one evaluation of the function."""
    cell = attempt(task, name)
    if cell.grade == "none":
        return cell
    evaluation = evaluation or seconds(lambda: task.f(task.x))
    return replace(cell, time_ratio=seconds(task.done_by(name)) / evaluation)


@dataclass(frozen=True)
class Chrestomathy:
    """The table of tasks by methods, each cell made by doing the task."""

    cells: dict[str, dict[str, Cell]]
    methods: dict[str, Method | str]

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col"><a href="tasks/{key}.html">{escape(TASKS[key].title)}</a>'
            "</th>"
            for key in self.cells
        )
        body = "".join(
            f"<tr {about(name, method)}>{row_head(name, method)}"
            + "".join(
                html_cell(key, row[name], name, method)
                for key, row in self.cells.items()
            )
            + "</tr>"
            for name, method in self.methods.items()
        )
        return (
            '<div class="dm-table dm-chrestomathy" tabindex="0" role="region" '
            'aria-label="Methods by tasks"><table><thead><tr><th scope="col">Method'
            f"</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def chrestomathy() -> Chrestomathy:
    """Let every method do every task.

    Returns
    -------
    Chrestomathy
        A table that a notebook shows; ``cells[task][method]`` are its cells.
    """
    found = dict(sorted(map(get_or_explain, list_methods()), key=by_family))
    cells = {}
    for key, task in TASKS.items():
        try:
            own = seconds(functools.partial(task.f, task.x))
        except ModuleNotFoundError:  # what the function itself needs is missing
            own = None
        cells[key] = {name: perform(task, name, own) for name in found}
    return Chrestomathy(cells, found)


def by_family(found: tuple[str, Method | str]) -> int:
    """The place of a method's family; those that are not installed come last."""
    method = found[1]
    return len(FAMILIES) if isinstance(method, str) else FAMILIES.index(method.family)


def page(method: Method) -> str:
    """Where the gallery shows a method."""
    return f"auto_examples/{method.family}/plot_{method.name}.html"


def about(name: str, method: Method | str) -> str:
    """What a reader may choose a row by, as attributes."""
    if isinstance(method, str):
        return 'data-family="not installed"'
    return (
        f'data-family="{method.family}" data-exact="{method.exact}" '
        f'data-libraries="{" ".join(libraries(name))}"'
    )


def row_head(name: str, method: Method | str) -> str:
    """The method's name, linked to its page; or why it is not there."""
    if isinstance(method, str):
        shown_name = f'<abbr title="{escape(method)}">{escape(name)}</abbr>'
    else:
        shown_name = f'<a href="{page(method)}">{escape(method.title)}</a>'
    return f'<th scope="row">{shown_name}</th>'


def libraries(name: str) -> list[str]:
    """What a method's own module imports besides NumPy, Python's own, and ours."""
    origin = find_spec(f"{methods.__name__}.{name}")
    if origin is None or origin.origin is None:
        return [name]  # another package's method
    tree = ast.parse(Path(origin.origin).read_text("utf-8"))
    found = {
        module.partition(".")[0]
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    return sorted(found - sys.stdlib_module_names - {"numpy", "diffmethods"})


def tab(key: str, name: str) -> str:
    """The anchor of a method's tab on a task's page."""
    return f"{key}-{name}".replace("_", "-")


def html_cell(key: str, cell: Cell, name: str, method: Method | str) -> str:
    """Error and cost, linked to the task's page; or a dash that says why not."""
    if (
        cell.error_ulp is None
        or cell.time_ratio is None
        or not isinstance(method, Method)
    ):
        why = escape(cell.note, quote=True)
        return (
            '<td class="dm-none"><details>'
            f'<summary aria-label="Not done: why">–</summary>{why}</details></td>'
        )
    return (
        f'<td class="dm-{cell.grade}" data-error="{cell.relative_error:.3g}" '
        f'data-cost="{cell.time_ratio:.3g}">'
        f'<a href="tasks/{key}.html#{tab(key, name)}">{error(cell)}</a>'
        f"<small>{rounded(cell.time_ratio)} × f</small></td>"
    )


def error(cell: Cell) -> str:
    """An error that a reader takes in at a glance, or the value where 0 is exact."""
    ulp = cell.error_ulp or 0.0
    if math.isinf(ulp) or math.isnan(ulp):
        return f"gives {shown(cell.value)}"
    power = f"10<sup>{math.log10(max(ulp, 1.0)):.0f}</sup>"
    return f"{rounded(ulp) if ulp < 1e4 else power} ulp"


def rounded(number: float) -> str:
    """Two digits, without an exponent."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.2g}"
