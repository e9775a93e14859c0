"""Each silent error of a library is one, and this package is right there or refuses."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"
if not DOCS.is_dir():
    pytest.skip("the pages are in the repository alone", allow_module_level=True)
sys.path.insert(0, str(DOCS))
silent_errors = importlib.import_module("silent_errors")

CASES = silent_errors.CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.anchor)
def test_the_library_is_wrong_and_this_package_is_not(case):
    if case.missing:
        pytest.skip(f"not installed: {', '.join(case.missing)}")
    found = silent_errors.run(case)
    if isinstance(found.ours, str):
        assert re.match(r"[A-Z]\w+Error: .{20}", found.ours)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.anchor)
def test_a_case_is_a_program_that_prints_three_answers(case):
    compile(case.program, case.anchor, "exec")
    assert len(re.findall(r"^print\(", case.program, re.M)) == 3
    assert case.written in case.native


def test_there_are_cases_of_many_libraries():
    assert len(CASES) >= 12
    assert len({case.library for case in CASES}) >= 5
    assert len({case.anchor for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("native", "ours"),
    [
        ("2.0", "2.0"),  # mended by the library
        ("0.0", "1.0"),  # wrong by ours
        ("0.0", "[2.0]"),  # of another shape
        ("__import__('warnings').warn('no slope')", "2.0"),  # not silent
    ],
)
def test_a_case_that_is_not_true_is_an_error(native, ours):
    case = silent_errors.Case("L", "T", "", "W", native, "2.0", ours)
    with pytest.raises((AssertionError, UserWarning)):
        silent_errors.run(case)


def test_what_is_shown():
    shown = silent_errors.shown
    assert shown(np.array([1.0, -0.0, 1e-17])) == "[1, 0, 1e-17]"
    assert shown(np.float64(2 / 3)) == "0.666667"
    assert shown(None) == "None"
    assert shown("Error: " + "word " * 20).endswith("word …")


def test_a_library_that_is_not_there_is_named(monkeypatch):
    perform = importlib.import_module("perform")
    case = silent_errors.Case("L", "T", "", "W", "import no_such\n1.0", "2.0", "2.0")
    assert case.missing == ["no_such"]
    monkeypatch.setattr(silent_errors, "CASES", [case])
    parts = perform.silent()
    assert "not run: built without no_such" in parts["silent-errors"]
    assert "import no_such" in parts["silent-error-programs"]
