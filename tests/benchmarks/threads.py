"""One thread for every library, so that a ratio of times is a ratio of work."""

import os
import sys

VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}


def pin() -> None:
    """Set the variables that libraries read once, when they are loaded."""
    if loaded := {"numpy", "jax", "torch"} & sys.modules.keys():
        raise RuntimeError(
            f"pin threads before {', '.join(sorted(loaded))} is imported"
        )
    os.environ.update(VARIABLES)
