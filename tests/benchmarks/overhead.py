"""Rows 16 and 17: what the package itself costs, before anything is differentiated."""

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks import functions
from benchmarks.table import Effort, Figure, Quantity, Row
from benchmarks.timing import side_by_side
from diffmethods.lifted import Library, Lifted

CALL = "np.tanh of three numbers, more than NumPy's own"
SAME = "programs whose jaxpr is that of native code"
LIFTED = (Quantity(CALL, "µs", at_most=6e-6), Quantity(SAME, "of 5", at_least=5))

# The same program through plain NumPy, and in JAX's own words.
PROGRAMS = (
    functions.tanh,
    functions.cubic,
    functions.rosenbrock,
    functions.perceptron,
    lambda xp: lambda x: xp.exp(-xp.cos(x) / 4) * xp.sqrt(xp.abs(x)),
)

IMPORT = "more than NumPy"
FRAMEWORKS = "libraries loaded besides NumPy"
IMPORTING = (Quantity(IMPORT, "ms", at_most=30e-3), Quantity(FRAMEWORKS, at_most=0))
LIBRARIES = ("scipy", "sympy", "jax", "torch", "tensorflow", "autograd", "matplotlib")
MODULES = {
    "diffmethods": False,
    "numdifftools": True,
    "autograd": True,
    "jax": True,
    "torch": True,
    "sympy": True,
}


def lifted(effort: Effort, names: list[str]) -> Iterator[Figure]:
    x = np.array([0.1, 0.2, 0.3])
    stand_in = Lifted(x, Library("numpy", {"np": np}, asarray=np.asarray))
    runs = {
        "diffmethods": functools.partial(np.tanh, stand_in),
        "autoray": autoray_call(x),
    }
    native = functools.partial(np.tanh, x)
    present = {who: run for who, run in runs.items() if callable(run)}
    # The base as a candidate, too: its own time is what is subtracted.
    timings = side_by_side(
        native, present | {"": native}, effort.rounds, effort.span, effort.patience
    )
    for who in runs:
        extra = timings[who].seconds - timings[""].seconds if who in timings else None
        value = "not installed" if extra is None else extra
        yield Figure(CALL, who, value, who != "diffmethods")
    yield Figure(SAME, "diffmethods", same_programs())


def autoray_call(x: Any) -> Any:
    try:
        import autoray
    except ModuleNotFoundError:
        return None
    return functools.partial(autoray.do, "tanh", x)


def same_programs() -> float | str:
    """How many programs JAX traces alike through lifted arrays and natively."""
    try:
        import jax
        import jax.numpy as jnp

        from diffmethods.methods.jax import LIBRARY
    except ModuleNotFoundError:
        return "JAX is not installed"
    count = 0
    with jax.enable_x64(True):
        for make in PROGRAMS:
            x = jnp.asarray(functions.start(32 * 32).reshape(32, 32))
            through = functools.partial(through_numpy, LIBRARY, make(np))
            same = jax.make_jaxpr(through)(x), jax.make_jaxpr(make(jnp))(x)
            count += len(set(map(str, same))) == 1
    return count


def through_numpy(library: Library, f: Any, x: Any) -> Any:
    return library.lower(library.call(f, x, x))


def importing(effort: Effort, names: list[str]) -> Iterator[Figure]:
    """Imports in fresh interpreters that have imported NumPy already."""
    for module, peer in MODULES.items():
        if find_spec(module) is None:
            yield Figure(IMPORT, module, "not installed", peer)
            continue
        seconds = min(fresh_import(module) for _ in range(effort.rounds // 3))
        yield Figure(IMPORT, module, seconds, peer)
    yield Figure(FRAMEWORKS, "diffmethods", loaded_by("diffmethods"))


def fresh_import(module: str) -> float:
    """Seconds that an import takes when NumPy is there."""
    code = "import numpy, time; start = time.perf_counter(); "
    code += f"import {module}; print(time.perf_counter() - start)"
    return float(output_of(code))


def loaded_by(module: str) -> int:
    """How many of the known libraries an import brings along."""
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    return len(set(LIBRARIES) & set(json.loads(output_of(code))))


def output_of(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


ROWS = (
    Row(16, "A lifted NumPy call", LIFTED, measure=lifted),
    Row(17, "import diffmethods", IMPORTING, measure=importing),
)
