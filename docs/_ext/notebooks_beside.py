"""Notebooks run beside the gallery, into the cache where myst-nb then finds them.

Otherwise each would run when its page is read, while the other cores rest.  A notebook
that fails here runs once more when its page is read, and myst-nb says what is wrong.
"""

from pathlib import Path

from myst_nb.core.read import is_myst_markdown_notebook

import beside

SCRIPT = Path(__file__).parents[1] / "execute.py"


def start(app, config):
    cache = Path(config.nb_execution_cache_path)
    stamp = cache / "executed.log"
    last = stamp.stat().st_mtime if stamp.exists() else 0.0
    pages = [
        page
        for page in sorted(Path(app.srcdir).rglob("*.md"))
        if page.stat().st_mtime > last
        and page.relative_to(app.srcdir).as_posix()
        not in config.nb_execution_excludepatterns
        and is_myst_markdown_notebook(page.read_text("utf-8"))
    ]
    executes = config.nb_execution_mode == "cache"
    app.executing = (
        beside.Program(SCRIPT, cache, *pages, log=stamp, after=app.performing)
        if pages and executes
        else None
    )


def wait(app):
    if app.executing:
        app.executing.join()


def setup(app):
    app.connect("config-inited", start, priority=600)  # after `performed`
    app.connect("builder-inited", wait, priority=900)  # after the gallery
    return {"parallel_read_safe": True, "parallel_write_safe": True}
