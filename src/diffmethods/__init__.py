"""Every way to differentiate a Python function, behind one interface."""

from typing import Any

from diffmethods.method import Method, get_method, list_methods
from diffmethods.operators import (
    derivative,
    gradient,
    hessian,
    hvp,
    jacobian,
    jvp,
    sparse_hessian,
    sparse_jacobian,
    value_and_derivative,
    value_and_gradient,
    vjp,
)

__all__ = [
    "Capabilities",
    "Case",
    "Check",
    "Comparison",
    "CustomFunction",
    "Method",
    "Row",
    "Sweep",
    "capabilities",
    "check_gradient",
    "checkpoint",
    "compare",
    "custom_fixed_point",
    "custom_root",
    "custom_rule",
    "derivative",
    "derivative_tensor",
    "get_method",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "list_methods",
    "partial_derivative",
    "sparse_hessian",
    "sparse_jacobian",
    "sweep",
    "taylor",
    "to_source",
    "value_and_derivative",
    "value_and_gradient",
    "vjp",
]


COMPARING = (
    *("Capabilities", "Case", "Comparison", "Row", "Sweep"),
    *("capabilities", "compare", "sweep"),
)


def __getattr__(name: str) -> Any:
    """Load what costs time when it is first asked for."""
    if name == "checkpoint":
        from diffmethods.checkpointing import checkpoint

        return checkpoint
    if name in ("Check", "check_gradient"):
        from diffmethods import checking

        return getattr(checking, name)
    if name in ("CustomFunction", "custom_rule"):
        from diffmethods import custom_rules

        return getattr(custom_rules, name)
    if name in ("custom_root", "custom_fixed_point"):
        from diffmethods import implicit

        return getattr(implicit, name)
    if name == "to_source":
        from diffmethods.source import to_source

        return to_source
    if name == "taylor":
        from diffmethods.methods.taylor_series import taylor

        return taylor
    if name in ("derivative_tensor", "partial_derivative"):
        from diffmethods import directions

        return getattr(directions, name)
    if name in COMPARING:
        from diffmethods import comparison

        return getattr(comparison, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("diffmethods")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
