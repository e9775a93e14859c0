"""The chrestomathy: each task's exact value is right, and no exact method misses it."""

import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
from installed import METHODS

import diffmethods as dm
from diffmethods.comparison import rounded
from diffmethods.tasks import (
    TASKS,
    Cell,
    Chrestomathy,
    Task,
    attempt,
    libraries,
    page,
    perform,
    tab,
)


@pytest.mark.parametrize("key", ["loop", "linear_algebra", "special", "black_box"])
def test_exact_values_of_one_variable(key):
    """Against a difference of order 8, which knows none of the formulas."""
    task, h = TASKS[key], 1 / 128
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    slope = sum(
        w * (task.f(task.x + k * h) - task.f(task.x - k * h))
        for k, w in weights.items()
    )
    np.testing.assert_allclose(rounded(task.exact()), slope / h, rtol=1e-11)


@pytest.mark.parametrize(("key", "order"), [("point", 1), ("second", 2), ("tenth", 10)])
def test_exact_values_of_higher_derivatives(key, order):
    with mp.workdps(60):
        want = mp.diff(mp.tanh, 2, order)
    assert float(abs(TASKS[key].exact() - want) / abs(want)) < 1e-20


def test_exact_value_of_the_complex_task():
    z, h = TASKS["complex"].x, 1e-4
    f = TASKS["complex"].f
    np.testing.assert_allclose(
        rounded(TASKS["complex"].exact()), (f(z + h) - f(z - h)) / (2 * h), rtol=1e-7
    )


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("key", TASKS)
def test_exact_methods_do_the_task_or_refuse(key, name):
    cell = attempt(TASKS[key], name)
    if cell.grade == "none":
        assert cell.note
    elif dm.get_method(name).exact and key not in ("far_out", "kink"):
        assert cell.grade in ("exact", "good"), cell


@pytest.mark.parametrize("key", TASKS)
def test_some_method_does_every_task(key):
    if key == "special":
        pytest.importorskip("scipy")  # its function is SciPy's
    names = ("dual_numbers", "sympy", "central_difference")
    assert any(attempt(TASKS[key], name).grade in ("exact", "good") for name in names)


@pytest.mark.parametrize(
    ("ulp", "relative", "grade"),
    [
        (0.0, 0.0, "exact"),
        (20.0, 1e-14, "good"),
        (1e8, 1e-8, "rough"),
        (1e15, 0.5, "wrong"),
    ],
)
def test_grades(ulp, relative, grade):
    assert Cell(1.0, ulp, relative, 1.0).grade == grade


def test_the_table_links_to_the_task_and_to_the_method():
    method = dm.get_method("dual_numbers")
    cells = {
        "point": {
            "dual_numbers": Cell(1.0, 0.5, 1e-17, 12.0),
            "absent": Cell(note="not here"),
        },
        "kink": {"dual_numbers": Cell(1.0, np.inf, np.inf, 3.0), "absent": Cell()},
    }
    html = Chrestomathy(
        cells, {"dual_numbers": method, "absent": "pip install it"}
    )._repr_html_()
    assert f'href="tasks/point.html#{tab("point", "dual_numbers")}"' in html
    assert 'href="tasks/point.html"' in html
    assert page(method) in html
    assert page(method).endswith("forward/plot_dual_numbers.html")
    assert 'data-family="forward" data-exact="True" data-libraries=""' in html
    assert "0.5 ulp" in html
    assert "gives 1" in html
    assert "not here" in html
    assert 'title="pip install it"' in html


@pytest.mark.parametrize("name", METHODS)
def test_a_method_without_libraries_is_found_by_what_it_imports(name):
    """What the registry cannot load without a library imports that library."""
    code = (
        "import sys\n"
        "for module in ('jax', 'scipy', 'sympy', 'torch', 'tensorflow', 'mpmath'):\n"
        "    sys.modules[module] = None\n"
        f"from diffmethods import get_method\nget_method({name!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    if done.returncode:
        assert libraries(name)
    if not libraries(name):
        assert done.returncode == 0


def test_a_task_says_what_it_is():
    assert all(task.meaning and task.formula for task in TASKS.values())


def test_a_method_that_is_not_installed_says_so(monkeypatch):
    monkeypatch.setattr(
        "diffmethods.tasks.get_or_explain", lambda name: (name, "pip install it")
    )
    assert attempt(TASKS["point"], "dual_numbers").note == "pip install it"


def test_a_task_is_timed():
    assert perform(TASKS["point"], "dual_numbers").time_ratio > 0
    assert perform(TASKS["black_box"], "dual_numbers").time_ratio is None


def test_large_errors_are_shown_by_their_power_of_ten():
    task = Task("", "On arrays", np.sin, 1.0, lambda: 1.0)
    assert task.operator == "derivative"
    from diffmethods.tasks import error, rounded

    assert error(Cell(1.0, 3e7, 1e-8, 1.0)) == "10<sup>7</sup> ulp"
    assert rounded(12345.0) == "12,000"
    assert rounded(1.234) == "1.2"
