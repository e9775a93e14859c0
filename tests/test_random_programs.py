"""Random programs: every exact method gives the derivative that mpmath gives."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from installed import EXACT
from random_programs import programs

import diffmethods as dm
from diffmethods.errors import DiffmethodsError

TOLERANCE = 1e-10  # of values and slopes of moderate size, after at most nine steps
# What is written here takes every program; others may refuse some of them.
ENGINES = ["dual_numbers", "taylor_series", "reverse_tape", "numpy_source"]


def check(program, seed, methods, operators=("jvp", "gradient")):
    v = np.random.default_rng(seed).standard_normal(program.x.shape)
    want = program.slope(v)
    f = program.function()
    for name in methods:
        slopes = {}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                if "jvp" in operators:
                    slopes["jvp"] = dm.jvp(f, method=name)(program.x, v)
                slopes["gradient"] = dm.gradient(f, method=name)(program.x) @ v
            except DiffmethodsError:
                if name in ENGINES:
                    raise
        for operator, slope in slopes.items():
            error = abs(slope - want) / max(1.0, abs(want))
            assert error < TOLERANCE, f"{operator} by {name}: {slope}, not {want}"


SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(SLOW, max_examples=2000)
@given(programs(), st.integers(0, 2**32 - 1))
def test_the_engines_written_here(program, seed):
    check(program, seed, ENGINES)


def others(symbolic):
    """The methods of other libraries that make formulas, or that do not."""
    return [
        name
        for name in EXACT
        if name not in ENGINES
        and (dm.get_method(name).family == "symbolic") == symbolic
    ]


@pytest.mark.parametrize("name", others(symbolic=False))
@settings(SLOW, max_examples=60)
@given(programs(), st.integers(0, 2**32 - 1))
def test_other_methods(name, program, seed):
    check(program, seed, [name], operators=["gradient"])


@pytest.mark.parametrize("name", others(symbolic=True))
@settings(SLOW, max_examples=60)
@given(programs(deepest=3), st.integers(0, 2**32 - 1))
def test_symbolic_methods(name, program, seed):
    """Of short programs, as formulas swell."""
    check(program, seed, [name], operators=["gradient"])
