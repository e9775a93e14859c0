"""Rows 18 and 19: the site itself, which two other sessions measure."""

from benchmarks.table import Quantity, Row

BUILD = "see the time that `nox -s docs` takes"
PAGE = "see `nox -s browser`"

ROWS = (
    Row(
        18,
        "Building the site",
        (
            Quantity("everything", "s", at_most=180),
            Quantity("nothing changed", "s", at_most=5),
            Quantity("one script changed", "s", at_most=8),
        ),
        elsewhere=BUILD,
    ),
    Row(
        19,
        "A page",
        (
            Quantity("weight, compressed", "KB", at_most=250),
            Quantity("requests to other hosts", at_most=0),
        ),
        elsewhere=PAGE,
    ),
)
