"""The registry: a file is a method, and so is an entry point."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import diffmethods as dm
from diffmethods import method as registry
from diffmethods.comparison import capabilities
from diffmethods.errors import MissingLibraryError, OptionError, UnknownMethodError

THROW_AWAY = '''
"""Two evaluations, and nothing else."""

from diffmethods.method import Method


def jvp(f, x, v):
    return (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6


METHOD = Method(
    title="Throw-away",
    family="numerical",
    summary="Two evaluations.",
    exact=False,
    rtol=1e-8,
    jvp=jvp,
)
'''


@pytest.fixture
def fresh_registry():
    """Forget what was found, before and after."""
    for cached in (registry.get_method, registry._foreign):
        cached.cache_clear()
    yield
    for cached in (registry.get_method, registry._foreign):
        cached.cache_clear()


def test_the_folder_is_the_list():
    folder = registry.methods.__path__[0]
    files = {name[:-3] for name in os.listdir(folder) if name.endswith(".py")}
    assert files - {"__init__"} <= set(dm.list_methods())
    assert dm.list_methods() == sorted(dm.list_methods())


@pytest.mark.parametrize("name", dm.list_methods())
def test_every_method_says_what_it_is(name):
    method = dm.get_method(name)
    assert method.name == name
    assert method.title
    assert method.summary.endswith(".")
    assert method.references
    assert 0 < method.rtol < 1e-3
    assert any(getattr(method, operator) for operator in registry.OPERATORS)
    assert all(method.options.values())


def test_a_file_is_all_that_a_method_needs(tmp_path, monkeypatch, fresh_registry):
    (tmp_path / "throw_away.py").write_text(THROW_AWAY)
    monkeypatch.setattr(
        registry.methods, "__path__", [*registry.methods.__path__, str(tmp_path)]
    )
    assert "throw_away" in dm.list_methods()
    assert dm.derivative(np.sin, method="throw_away")(0.0) == pytest.approx(1.0)
    assert dm.hessian(lambda x: np.sum(x**2), method="throw_away")(
        np.ones(2)
    ).shape == (2, 2)
    assert capabilities().table["throw_away"]["jvp"] == "native"
    table = dm.compare(np.tanh, 2.0, methods=["throw_away"])
    assert table.rows[0].relative_error < 1e-8
    monkeypatch.delitem(sys.modules, "diffmethods.methods.throw_away")


def test_an_entry_point_is_all_that_a_third_party_needs(tmp_path):
    (tmp_path / "third_party.py").write_text(THROW_AWAY)
    info = tmp_path / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[diffmethods.methods]\nborrowed = third_party:METHOD\n"
    )
    script = """
        import numpy as np
        import diffmethods as dm
        assert "borrowed" in dm.list_methods()
        assert abs(dm.derivative(np.sin, method="borrowed")(0.0) - 1) < 1e-9
        assert dm.get_method("borrowed").name == "borrowed"
        assert dm.capabilities().table["borrowed"]["vjp"] == "derived"
        assert "Throw-away" in str(dm.compare(np.sin, 1.0, methods=["borrowed"]).rows)
        """
    subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=True,
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cental_difference", "central_difference"),
        ("dual_number", "dual_numbers"),
        ("Sympy", "sympy"),
        ("jaxx", "jax"),
    ],
)
def test_an_unknown_name_meets_its_neighbours(typed, meant):
    with pytest.raises(
        UnknownMethodError, match=f"no method named '{typed}'; did you mean .*'{meant}'"
    ):
        dm.get_method(typed)


def test_a_name_without_neighbours():
    with pytest.raises(
        UnknownMethodError, match=r"'qqq' \(diffmethods\.list_methods\(\)"
    ):
        dm.get_method("qqq")


def test_a_missing_library_says_how_to_get_it(monkeypatch, fresh_registry):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "diffmethods.methods.jax", raising=False)
    with pytest.raises(MissingLibraryError, match=r'pip install "diffmethods\[jax\]"'):
        dm.derivative(np.sin, method="jax")
    assert set(capabilities().table["jax"].values()) == {"not installed"}
    row = dm.compare(np.sin, 1.0, methods=["jax"]).rows[0]
    assert row.value is None
    assert 'pip install "diffmethods[jax]"' in row.note


def test_a_family_must_exist():
    with pytest.raises(OptionError, match="the families are numerical"):
        registry.Method(title="", family="magic", summary="", exact=True, rtol=1e-9)


def test_options_are_checked():
    with pytest.raises(
        OptionError, match=r"dual_numbers has no option 'step' \(its options: none\)"
    ):
        dm.derivative(np.sin, method="dual_numbers", step=1e-3)
