"""Nobody's global settings change, whichever method runs whichever operator."""

import os
import sys
import warnings

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import MissingLibraryError


def numpys(np):
    return np.geterr(), str(np.get_printoptions())


def jaxs(jax):
    return (
        jax.config.jax_enable_x64,
        jax.config.jax_default_device,
        jax.config.jax_debug_nans,
    )


def pytorchs(torch):
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_warn_always_enabled(),
    )


def tensorflows(tensorflow):
    x = tensorflow.constant([1.0])
    return (
        tensorflow.keras.backend.floatx(),
        tensorflow.executing_eagerly(),
        tensorflow.config.functions_run_eagerly(),
        tensorflow.config.threading.get_intra_op_parallelism_threads(),
        hasattr(x, "astype"),  # NumPy's behaviour of tensors, once enabled
    )


SETTINGS = {
    "numpy": numpys,
    "jax": jaxs,
    "torch": pytorchs,
    "tensorflow": tensorflows,
    "mpmath": lambda mpmath: (mpmath.mp.dps, mpmath.mp.pretty),
}


def state():
    """Every setting of the libraries that are loaded."""
    loaded = {name: sys.modules[name] for name in SETTINGS if name in sys.modules}
    of_libraries = {name: SETTINGS[name](module) for name, module in loaded.items()}
    of_python = list(warnings.filters), dict(os.environ), sys.getrecursionlimit()
    return of_libraries | {"python": of_python}


@pytest.mark.parametrize("name", dm.list_methods())
def test_no_operator_changes_a_global_setting(name):
    try:
        method = dm.get_method(name)
    except MissingLibraryError as error:
        pytest.skip(str(error))
    before = state()
    f = lambda x: np.sum(np.tanh(x) ** 3)
    x = np.array([1.0, 2.0])
    dm.derivative(np.tanh, method=name)(x)
    dm.value_and_derivative(np.tanh, method=name)(0.5)
    dm.gradient(f, method=name)(x)
    dm.value_and_gradient(f, method=name)(x)
    dm.jacobian(np.tanh, method=name)(x)
    dm.jvp(f, method=name)(x, x)
    dm.vjp(f, method=name)(x, 1.0)
    dm.compare(np.tanh, 0.5, methods=[name])
    if method.max_order != 1:
        dm.derivative(np.tanh, method=name, order=2)(0.5)
        dm.hessian(f, method=name)(x)
        dm.hvp(f, method=name)(x, x)
    with pytest.raises(ZeroDivisionError):
        dm.derivative(lambda x: x / (1 // 0), method=name)(0.5)
    after = state()
    assert {library: after[library] for library in before} == before
