"""The command line: what it prints, its exit status, its messages."""

import json
import math
import runpy
import subprocess
import sys

import mpmath
import pytest

import diffmethods as dm

pytest.importorskip("rich")
pytest.importorskip("typer")

from typer.testing import CliRunner

from diffmethods import __main__ as command_line
from diffmethods.errors import MissingLibraryError
from diffmethods.method import FAMILIES, Method

POLYNOMIAL = "x**3 + 2*x**2 - 3*x + 1"


def run(*arguments):
    runner = CliRunner(env={"FORCE_COLOR": None})
    return runner.invoke(command_line.app, list(arguments))


def installed():
    found = []
    for name in dm.list_methods():
        try:
            dm.get_method(name)
        except MissingLibraryError:
            continue
        found.append(name)
    return found


def test_list_has_a_row_a_method():
    result = run("list")
    assert result.exit_code == 0
    for name in installed():
        method = dm.get_method(name)
        row = next(line for line in result.stdout.splitlines() if f" {name} " in line)
        assert method.title in row
        assert method.family in row
        assert ("yes" if method.exact else "no") in row
    assert result.stderr == ""


def test_list_as_json_has_every_method():
    rows = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in rows] == dm.list_methods()
    assert all(row["family"] in FAMILIES for row in rows if row["installed"])


def test_list_says_what_to_install(monkeypatch):
    message = "the method 'jax' needs jax: pip install \"diffmethods[jax]\""

    def missing(name):
        raise MissingLibraryError(message)

    monkeypatch.setattr(dm, "get_method", missing)
    result = run("list")
    assert result.exit_code == 0
    assert message in result.stdout
    row = json.loads(run("list", "--json").stdout)[0]
    assert row["installed"] is False
    assert row["note"] == message
    assert row["title"] is None


def test_compare_lists_every_method_within_its_stated_error():
    result = run("compare", POLYNOMIAL, "--at", "2", "--json")
    assert result.exit_code == 0, result.output
    tree = json.loads(result.stdout)
    assert tree["formula"] == POLYNOMIAL
    assert (tree["at"], tree["order"], tree["exact"]) == (2.0, 1, 17.0)
    assert [row["method"] for row in tree["rows"]] == dm.list_methods()
    for row in tree["rows"]:
        if row["method"] not in installed():
            assert "not installed" in row["note"]
        elif row["method"] == "tangent":  # it reads source, and a formula has none
            assert "reads source" in row["note"]
        else:
            assert row["value"] == pytest.approx(17.0, rel=row["stated_error"])
            assert row["evaluations"] > 0


def test_compare_prints_a_table():
    result = run("compare", "tanh(x)", "--at", "2", "--methods", "dual_numbers")
    assert result.exit_code == 0
    assert dm.get_method("dual_numbers").title in result.stdout
    assert str(float(mpmath.sech(2) ** 2))[:16] in result.stdout
    assert "mpmath" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("formula", ["-x**2", "-exp(x)", "--x", "- sin(x)"])
def test_formula_may_begin_with_a_minus_sign(formula):
    result = run("compare", formula, "--at", "1", "--methods", "dual_numbers", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["formula"] == formula


@pytest.mark.parametrize(
    ("at", "value"),
    {"-1.5": -1.5, "pi/2": math.pi / 2, "-pi": -math.pi, "1e-3": 1e-3}.items(),
)
def test_point_is_a_number_or_a_constant_formula(at, value):
    arguments = ("--at", at, "--methods", "dual_numbers", "--json")
    tree = json.loads(run("compare", "sin(x)", *arguments).stdout)
    assert tree["at"] == value
    assert tree["rows"][0]["value"] == pytest.approx(float(mpmath.cos(value)))


def test_order_and_methods_are_those_asked_for():
    result = run(
        *("compare", "tanh(x)", "--at", "2", "--order", "2"),
        *("--methods", "dual_numbers, central_difference", "--json"),
    )
    tree = json.loads(result.stdout)
    assert [r["method"] for r in tree["rows"]] == ["dual_numbers", "central_difference"]
    exact = float(mpmath.diff(mpmath.tanh, 2, 2))
    assert tree["exact"] == pytest.approx(exact, rel=1e-13)
    assert tree["rows"][0]["value"] == pytest.approx(exact, rel=1e-13)


def test_json_has_null_where_a_number_is_not_finite(monkeypatch):
    class Odd:
        def to_dict(self):
            return {
                "exact": math.nan,
                "rows": [{"value": [math.inf, 1.0]}, (-math.inf,)],
            }

    monkeypatch.setattr(dm, "compare", lambda *args, **kwargs: Odd(), raising=False)
    tree = json.loads(run("compare", "x", "--at", "0", "--json").stdout)
    assert tree["exact"] is None
    assert tree["rows"] == [{"value": [None, 1.0]}, [None]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x^2", "--at", "2"), "cannot read 'x^2' at character 2: write ** for powers"),
        (("x.real", "--at", "2"), "a point stands only inside a number"),
        (("sinn(x)", "--at", "2"), "did you mean 'sin'"),
        (("x", "--at", "two"), "no function or constant is named 'two'"),
        (("x", "--at", "x"), "--at x holds x: it must be a number"),
        (("x", "--at", "1/0"), "this constant is inf"),
        (
            ("x", "--at", "2", "--methods", "cental_difference"),
            "no method named 'cental_difference'; did you mean 'central_difference'",
        ),
    ],
)
def test_error_is_one_line_on_stderr(arguments, message):
    result = run("compare", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.startswith("diffmethods: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "x"),
        ("compare", "--at", "2"),
        ("compare", "x", "--at", "2", "--order", "0"),
        ("compare", "x", "--at", "2", "--order", "one"),
        ("compare", "x", "--at", "2", "--metods", "jax"),
        ("list", "--jsn"),
        ("lst",),
    ],
)
def test_wrong_usage_has_status_2_and_no_traceback(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--help" in result.stderr


def test_version_is_the_packages():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"diffmethods {dm.__version__}\n"


def test_help_names_the_commands_and_their_options():
    assert {"list", "compare"} <= set(run("--help").stdout.split())
    options = set(run("compare", "--help").stdout.split())
    assert {"--at", "--order", "--methods", "--json"} <= options


def test_methods_of_other_packages_are_listed(monkeypatch):
    mine = Method(title="Mine", family="forward", summary="", exact=True, rtol=1e-14)
    monkeypatch.setattr(dm, "list_methods", lambda: ["mine"])
    monkeypatch.setattr(dm, "get_method", lambda name: mine)
    assert "Mine" in run("list").stdout


class Terminal:
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def __init__(self):
        self.written = ""

    def write(self, text):
        self.written += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_progress_is_drawn_on_a_terminal_only(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as notebooks set it
    assert list(command_line.with_bar(["a", "b"])) == ["a", "b"]
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(command_line.with_bar(["first method", "b"])) == ["first method", "b"]
    assert "first method" in sys.stderr.written
    assert capsys.readouterr().out == ""


def test_module_runs_as_a_program():
    command = [sys.executable, "-m", "diffmethods", "compare", "x**3", "--at", "2"]
    done = subprocess.run(
        [*command, "--methods", "dual_numbers", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["rows"][0]["value"] == 12.0
    assert done.stderr == ""


@pytest.mark.parametrize("library", ["typer", "rich.console"])
def test_missing_library_is_named_with_what_to_install(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "diffmethods.__main__")
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("diffmethods", run_name="__main__")
    message = caught.value.code  # Python prints it on stderr, and exits with status 1
    assert f"needs {library}, which is not installed" in message
    assert message.endswith('pip install "diffmethods[cli]"')


def test_entry_point_prints_the_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["diffmethods", "--version"])
    with pytest.raises(SystemExit) as caught:
        command_line.main()
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"diffmethods {dm.__version__}\n"
