"""What a reader copies runs: each method's first passage, and each task page's blocks.

Every method has an interpreter of its own, started for this test, and every block a
namespace of its own.  That is as good as an interpreter for each block: a block sees
no name of another, and the modules that an earlier one has imported are those that it
would import itself, as no call changes their global state (`test_global_state`).  The
blocks before this package comes in run first, and must not have loaded it.
"""

import functools
import importlib.util
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mpmath as mp
import pytest
from installed import METHODS
from test_gallery import METHOD_PAGES, passages

from diffmethods import get_method
from diffmethods.problems import PROBLEMS, rosenbrock_gradient
from diffmethods.tasks import TASKS, Chrestomathy, attempt

DOCS = Path(__file__).parents[1] / "docs"
sys.path[:0] = [str(DOCS), str(DOCS / "_ext")]
notebook_needs = importlib.import_module("notebook_needs")
perform = importlib.import_module("perform")
task_pages = importlib.import_module("task_pages")

RUN = r"""
import ast, contextlib, io, json, linecache, sys
import matplotlib
matplotlib.use("agg")


def run(pieces):
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        try:
            for piece in pieces:
                file = f"<block {hash(piece)}>"  # found by what reads its source
                linecache.cache[file] = (len(piece), None, piece.splitlines(True), file)
                *body, last = ast.parse(piece).body
                exec(compile(ast.Module(body, []), file, "exec"), names)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), "", "eval"), names)
                    if value is not None:
                        print(repr(value))
                else:
                    exec(compile(ast.Module([last], []), file, "exec"), names)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
    return printed.getvalue().rstrip()


asked = json.load(sys.stdin)
answers = {"native": run(asked["native"])}
answers["loaded"] = "diffmethods" in sys.modules
answers["whole"] = run(asked["whole"])
answers["tasks"] = {key: run([code]) for key, code in asked["tasks"].items()}
print(json.dumps(answers))
"""
# A warning is an error; what TensorFlow's C++ notes on the processor is none.
NOTED = re.compile(
    r"[IE]0000 .*|WARNING: All log messages before absl.*|To enable the following.*"
)
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
# The slopes of tanh and of the polynomial at 2, and its third derivative; of
# x y + sin x at (2, 3) by x; and of
# Rosenbrock's function at its point by the first variable.
KNOWN = (
    float(mp.sech(2) ** 2),
    17.0,
    6.0,
    3 + math.cos(2),
    float(rosenbrock_gradient(PROBLEMS["rosenbrock"].at)[0]),
)
PAGES = {script.stem.removeprefix("plot_"): script for script in METHOD_PAGES}


def installed(code):
    return all(map(importlib.util.find_spec, notebook_needs.imported(code)))


def runs_here(name):
    return installed("\n".join(passages(PAGES[name])["In one line"]))


RUNNING = [name for name in PAGES if runs_here(name)]


@functools.cache
def pages(name):
    """The task pages of one method, as the site writes them."""
    method = get_method(name)
    cells = {
        key: {name: replace(attempt(task, name), time_ratio=1.0)}
        for key, task in TASKS.items()
    }
    tasks = perform.tasks(Chrestomathy(cells, {name: method}))
    titles = {name: {"title": method.title, "family": method.family}}
    return cells, {
        key: task_pages.page(key, task, titles, DOCS / "absent")
        for key, task in tasks.items()
    }


def blocks(page):
    """The program of a task page, and what the page says that it prints."""
    found = re.findall(
        r"^ +\.\. code-block:: (python|none)\n\n((?: {9}.*\n|\n)+)", page, re.M
    )
    [(_, code), (_, output)] = found
    return tuple(
        re.sub(r"^ {9}", "", text, flags=re.M).strip() for text in (code, output)
    )


@functools.cache
def answers(name):
    """What the blocks of a method print in an interpreter of their own."""
    pieces = passages(PAGES[name])["In one line"]
    ours = next(i for i, piece in enumerate(pieces) if "import diffmethods" in piece)
    tasks = (
        {k: blocks(p)[0] for k, p in pages(name)[1].items()} if is_method(name) else {}
    )
    asked = {"native": pieces[:ours], "whole": pieces, "tasks": tasks}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    noise = [line for line in done.stderr.splitlines() if not NOTED.fullmatch(line)]
    assert noise == []
    return json.loads(done.stdout)


def reason(text):
    """A message without its list of other methods: those that are loaded already."""
    return re.sub(r"take it: .*", "take it", text, flags=re.S)


def is_method(name):
    return name in METHODS


def says_a_known_value(text):
    found = [float(number) for number in NUMBER.findall(text)]
    return any(math.isclose(n, want, rel_tol=1e-3) for n in found for want in KNOWN)


@pytest.mark.parametrize("name", RUNNING)
def test_the_native_idiom_prints_the_slope_without_this_package(name):
    assert says_a_known_value(answers(name)["native"]), answers(name)["native"]
    assert not answers(name)["loaded"]


@pytest.mark.parametrize("name", RUNNING)
def test_the_first_passage_prints_the_slope(name):
    added = answers(name)["whole"].removeprefix(answers(name)["native"])
    assert says_a_known_value(added), added


@pytest.mark.parametrize("name", [name for name in RUNNING if is_method(name)])
def test_a_block_of_a_task_page_prints_what_the_page_says(name):
    cells, texts = pages(name)
    for key, page in texts.items():
        cell = cells[key][name]
        said = blocks(page)[1]
        assert reason(answers(name)["tasks"][key]) == reason(said), key
        if cell.grade == "none":
            assert said.endswith(cell.note), key
        else:
            assert said == str(cell.value), key


@pytest.mark.parametrize("key", TASKS)
def test_a_block_needs_nothing_that_it_does_not_define(key):
    """Names that a program reads are its own, Python's, or those of its imports."""
    code = perform.snippet(TASKS[key], "dual_numbers")
    assert "import diffmethods as dm" in code
    assert perform.run(code)[0]  # what it prints, or a refusal; never a NameError


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("import numpy as np\nimport math", '%pip install -q "diffmethods"'),
        ('dm.derivative(f, method="jax")', '%pip install -q "diffmethods[jax]"'),
        ("from scipy import special", '%pip install -q "diffmethods[sparse]"'),
        (
            "from diffmethods.plotting import draw",
            '%pip install -q "diffmethods" matplotlib',
        ),
    ],
)
def test_a_notebook_installs_what_it_needs(code, line):
    assert notebook_needs.install_line(code) == line


GALLERY_PAGE = """\
.. GENERATED FROM PYTHON SOURCE LINES 9-12

In one line
-----------
The idiom.

.. GENERATED FROM PYTHON SOURCE LINES 12-16

.. code-block:: Python


    import jax


.. GENERATED FROM PYTHON SOURCE LINES 16-18

Ours.

.. GENERATED FROM PYTHON SOURCE LINES 18-20

.. code-block:: Python


    import diffmethods as dm

.. GENERATED FROM PYTHON SOURCE LINES 20-22

How it works
------------
"""


def test_the_idiom_ends_before_this_package():
    text = task_pages.idiom(GALLERY_PAGE)
    assert text.startswith("The idiom.")
    assert "import jax" in text
    assert "Ours" not in text
    assert "diffmethods" not in text


def test_the_verdict_names_the_most_accurate_and_the_quickest():
    def done(ulp, cost, grade):
        return {"error_ulp": ulp, "time_ratio": cost, "grade": grade}

    tabs = {
        "a": done(0.5, 100.0, "exact"),
        "b": done(1e9, 2.0, "rough"),
        "c": done(3.0, 20.0, "exact"),
        "d": done(None, None, "none"),
    }
    methods = {name: {"title": name.upper()} for name in tabs}
    text = task_pages.verdict(tabs, methods)
    assert "Of 4 methods 3 do it, 2 of them" in text
    assert "Most accurate: A" in text
    assert "Quickest: B" in text
    assert "Quickest of those within 16 ulp: C" in text
