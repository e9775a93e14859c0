"""What holds for all tests: no window is opened, and JAX keeps to the processor."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "agg")
