"""What an import costs, and what a call leaves behind: nothing."""

import subprocess
import sys

import numpy as np
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
        "libraries = ('jax', 'sympy', 'scipy', 'mpmath', 'rich');"
        "print(*[m for m in libraries if m in sys.modules])"
    )
    assert loaded == ""


def test_the_public_names_are_there():
    for name in dm.__all__:
        assert getattr(dm, name)
    assert dm.__version__
    with pytest.raises(AttributeError, match="nonsense"):
        dm.nonsense  # noqa: B018


def state():
    import jax
    import mpmath

    return {
        "jax_enable_x64": jax.config.jax_enable_x64,
        "jax_default_device": jax.config.jax_default_device,
        "numpy_errors": np.geterr(),
        "numpy_print": str(np.get_printoptions()),
        "mpmath": mpmath.mp.dps,
    }


@pytest.mark.parametrize("name", dm.list_methods())
def test_no_call_changes_a_global_setting(name):
    before = state()
    f = lambda x: np.sum(x**3)
    x = np.array([1.0, 2.0])
    dm.gradient(f, method=name)(x)
    dm.jvp(f, method=name)(x, x)
    dm.vjp(f, method=name)(x, 1.0)
    dm.compare(np.tanh, 0.5, methods=[name])
    if dm.get_method(name).max_order != 1:
        dm.hessian(f, method=name)(x)
    assert state() == before
