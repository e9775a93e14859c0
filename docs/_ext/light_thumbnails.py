"""Thumbnails without words, drawn to the nearest point: nobody reads them so small."""

import re
from pathlib import Path

NUMBER = re.compile(r"-?\d+\.\d+")
WORDS = re.compile(r'\n( *)<g id="text_\d+">.*?\n\1</g>', re.DOTALL)
PATH = re.compile(r' d="[^"]*"')


def lightened(svg):
    """The same drawing without its words, its coordinates rounded to whole points."""
    svg = WORDS.sub("", svg)
    whole = PATH.sub(lambda d: NUMBER.sub(lambda n: f"{float(n[0]):.0f}", d[0]), svg)
    return re.sub(r"\n\s+", "\n", whole)


def lighten(app, error):
    if error is None and app.builder.format == "html":
        for path in Path(app.outdir, "_images").glob("*_thumb.svg"):
            path.write_text(lightened(path.read_text("utf-8")), "utf-8")


def setup(app):
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
