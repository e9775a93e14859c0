"""Central differences: as many evaluations on either side, and odd errors cancel."""

import functools
from typing import Any

import numpy as np

from diffmethods.differences import Differences
from diffmethods.errors import OptionError
from diffmethods.stencils import Stencil


@functools.lru_cache(typed=True)
def stencil(order: int, accuracy: Any) -> Stencil:
    """The fewest nodes around x that give the derivative with that accuracy."""
    whole = isinstance(accuracy, (int, np.integer)) and not isinstance(accuracy, bool)
    if not whole or accuracy < 2 or accuracy % 2:
        raise OptionError(
            "the accuracy of central_difference is an even number from 2, "
            f"not {accuracy!r}"
        )
    side = (order + 1) // 2 - 1 + accuracy // 2
    return Stencil.on(range(-side, side + 1), order, accuracy)


# Accuracy 2 evaluates f within 4e-6 of x, accuracy 4 within 1e-3: two digits more where
# f is smooth on that scale, none where it is not (log at 0.001), for twice the cost.
differences = Differences(stencil, accuracy=2)

METHOD = differences.method(
    title="Central difference",
    summary="Evaluate f on both sides of x, so that the largest error cancels.",
    rtol=1e-8,
)
