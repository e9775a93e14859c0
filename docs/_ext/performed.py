"""What `docs/perform.py` finds, on the pages: one process for all of them.

It starts before the gallery does, and runs beside it; what it has written holds until
the package or a library changes.  In a page, ``{performed} name`` shows one of its
parts; other extensions ask `results`.
"""

import functools
import hashlib
import json
from importlib.metadata import distributions
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

import beside

DOCS = Path(__file__).parents[1]
SCRIPT = DOCS / "perform.py"
READS = (
    SCRIPT,
    DOCS / "silent_errors.py",
    DOCS / "silent_errors.toml",
    DOCS / "_ext" / "missing_libraries.py",
)


def path(app):
    """Where the results for this package and these libraries are."""
    libraries = sorted((d.name.lower(), d.version) for d in distributions())
    texts = [path.read_text("utf-8") for path in READS]
    said = f"{app.config.performed_package}{libraries}{texts}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:12]
    return DOCS.parent / "build" / "performed" / f"{digest}.json"


def start(app, config):
    target = app.performed = path(app)
    app.performing = None
    if not target.exists():
        log = target.with_suffix(".log")
        app.performing = beside.Program(SCRIPT, target, log=log)


def wait(app):
    if app.performing:
        app.performing.join()
        if app.performing.returncode:
            log = app.performing.log.read_text("utf-8")
            raise ExtensionError(f"docs/perform.py failed:\n{log[-4000:]}")


@functools.cache
def read(target):
    return json.loads(target.read_text("utf-8"))


def results(app):
    """Everything that was found, as `docs/perform.py` lays it out."""
    return read(app.performed)


class Performed(SphinxDirective):
    """One part of the results: HTML as it is, or MyST that is read where it stands."""

    required_arguments = 1

    def run(self):
        name, app = self.arguments[0], self.env.app
        self.env.note_dependency(str(app.performed))
        found = results(app)
        if name in found["html"]:
            return [nodes.raw("", found["html"][name], format="html")]
        if name not in found["markdown"]:
            known = ", ".join([*found["html"], *found["markdown"]])
            raise self.error(f"no part {name!r}; there are {known}")
        parent = nodes.Element()
        lines = StringList(found["markdown"][name].splitlines(), self.env.docname)
        self.state.nested_parse(lines, self.content_offset, parent, match_titles=True)
        return parent.children


def setup(app):
    app.add_config_value("performed_package", "", "")
    app.add_directive("performed", Performed)
    app.connect("config-inited", start)
    app.connect("builder-inited", wait, priority=900)  # after the gallery
    return {"parallel_read_safe": True, "parallel_write_safe": True}
