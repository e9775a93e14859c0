"""Every row of the table, in order."""

from benchmarks import (
    accuracy,
    black_box,
    elementwise,
    gradients,
    matrices,
    overhead,
    site,
    taylor,
)

ROWS = tuple(
    sorted(
        (
            row
            for topic in (
                *(accuracy, black_box, elementwise, taylor, gradients),
                *(matrices, overhead, site),
            )
            for row in topic.ROWS
        ),
        key=lambda row: row.number,
    )
)
