"""Pagefind as the site's search: an index beside the pages, read by our own script.

Sphinx's own index is not built. Only pages whose article carries `data-pagefind-body`
are indexed: see `_templates/layout.html`, which also hands over the other words for a
page that `docs/aliases.toml` has.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)
# Said once by the page, not to be found in it: link signs and formulas drawn twice.
NOISE = ".headerlink, .katex, .sphx-glr-download, .prompt"
# The interfaces that Pagefind ships; ours is `_static/search.js`.
UNUSED = ("pagefind-ui.*", "pagefind-modular-ui.*", "pagefind-component-ui.*")


def replace_sphinx_search(app):
    if app.builder.format == "html":
        app.builder.search = False
        app.config.html_additional_pages["search"] = "search.html"


def read_aliases(app):
    path = Path(app.srcdir, "aliases.toml")
    app.aliases = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def warn_of_strangers(app, env):
    """Say which aliases belong to no page."""
    for name in sorted(set(app.aliases) - set(env.found_docs)):
        logger.warning("docs/aliases.toml names %r, and there is no such page", name)


def hand_over_aliases(app, pagename, templatename, context, doctree):
    context["aliases"] = app.aliases.get(pagename, "")


def build_index(app, exception):
    if exception or app.builder.name != "html":
        return
    command = [sys.executable, "-m", "pagefind", "--site", str(app.outdir)]
    options = ["--root-selector", "article", "--exclude-selectors", NOISE]
    run = subprocess.run([*command, *options], capture_output=True, text=True)
    if run.returncode:
        raise ExtensionError(f"pagefind failed:\n{run.stdout}{run.stderr}")
    for pattern in (*UNUSED, "pagefind-highlight.js"):
        for path in Path(app.outdir, "pagefind").glob(pattern):
            path.unlink()
    found = next((x for x in run.stdout.splitlines() if "Indexed" in x), "Indexed")
    logger.info("search: %s", found.strip())


def setup(app):
    app.connect("builder-inited", replace_sphinx_search)
    app.connect("builder-inited", read_aliases)
    app.connect("env-updated", warn_of_strangers)
    app.connect("html-page-context", hand_over_aliases)
    app.connect("build-finished", build_index, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
