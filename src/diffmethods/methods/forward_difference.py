"""Forward differences: one evaluation beside f(x), and a subtraction."""

import functools
from typing import Any

import numpy as np

from diffmethods.differences import Differences
from diffmethods.errors import OptionError
from diffmethods.stencils import Stencil


@functools.lru_cache(typed=True)
def stencil(order: int, accuracy: Any) -> Stencil:
    """The fewest nodes from x upwards that give the derivative with that accuracy."""
    whole = isinstance(accuracy, (int, np.integer)) and not isinstance(accuracy, bool)
    if not whole or accuracy < 1:
        raise OptionError(
            "the accuracy of forward_difference is a whole number from 1, "
            f"not {accuracy!r}"
        )
    return Stencil.on(range(order + accuracy), order, accuracy)


# Accuracy 1 is what sets the method apart: a gradient in n + 1 evaluations.
differences = Differences(stencil, accuracy=1)

METHOD = differences.method(
    title="Forward difference",
    summary="Move x a little, and divide the change of f by the move.",
    rtol=1e-6,
)
