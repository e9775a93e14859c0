"""What holds for all tests: no window is opened, JAX keeps to the processor.

A test that needs a library that is not installed is skipped, and says so.  Hypothesis
gives an example as long as it takes, since machines are busy; with CI in the
environment it draws the same examples in each run, by a profile of its own.
"""

import os
from importlib.util import find_spec

import hypothesis
import pytest

from diffmethods.errors import MissingLibraryError

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "agg")

if "CI" not in os.environ:
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except (MissingLibraryError, ModuleNotFoundError) as error:
        cause = error.__cause__ if isinstance(error, MissingLibraryError) else error
        name = str(getattr(cause, "name", "")).partition(".")[0]
        if name and find_spec(name) is None:
            pytest.skip(str(error))
        raise
