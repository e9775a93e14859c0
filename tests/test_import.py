"""What an import costs, and what a call leaves behind: nothing."""

import subprocess
import sys

import pytest

import diffmethods as dm


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_import_loads_numpy_alone():
    loaded = run(
        "import sys, numpy; before = set(sys.modules); import diffmethods;"
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}"
        "      - set(sys.stdlib_module_names)))"
    )
    assert set(loaded.split()) <= {"diffmethods", "numpy"}


def test_a_method_loads_only_its_own_library():
    loaded = run(
        "import sys, diffmethods as dm; dm.derivative(lambda x: x * x)(1.0);"
        "libraries = ('jax', 'torch', 'tensorflow', 'sympy', 'scipy', 'mpmath');"
        "print(*[m for m in libraries if m in sys.modules])"
    )
    assert loaded == ""


def test_the_public_names_are_there():
    for name in dm.__all__:
        assert getattr(dm, name)
    assert dm.__version__
    with pytest.raises(AttributeError, match="nonsense"):
        dm.nonsense  # noqa: B018
