"""For machines that read: ``llms.txt``, the pages' sources, and the results as JSON.

`llms.txt <https://llmstxt.org>`_ is one Markdown page that names all others; each leads
to a page's source in Markdown or reStructuredText, which Sphinx copies to
``_sources``.
"""

import json
import re
from pathlib import Path

SUMMARY = (
    "Every way to differentiate a Python function, side by side: for each method a "
    "page with its native idiom, for each task a page with a program by every method, "
    "and what each printed. The code is plain NumPy; the package is `pip install "
    "diffmethods`, imported as `dm`."
)
LEFT_OUT = re.compile(r"(^|/)(sg_execution_times|search|404|genindex)$")


def entries(env, docname, seen):
    """A page and all below it in the table of contents, in order."""
    if docname in seen or LEFT_OUT.search(docname) or docname not in env.titles:
        return
    seen.add(docname)
    yield docname
    for below in env.toctree_includes.get(docname, []):
        yield from entries(env, below, seen)


def contents(app):
    """The text of ``llms.txt``: a section for each entry of the front page."""
    env, home = app.env, app.config.html_baseurl
    seen = {app.config.root_doc}
    lines = [f"# {app.config.project}", f"> {SUMMARY}"]
    for part in env.toctree_includes[app.config.root_doc]:
        lines.append(f"## {env.titles[part].astext()}")
        lines.append(
            "\n".join(line(env, home, name) for name in entries(env, part, seen))
        )
    lines.append(
        f"## Optional\n\n- [Results as JSON]({home}results.json): every cell of the "
        "chrestomathy: program, output, error, cost"
    )
    return "\n\n".join(lines) + "\n"


def line(env, home, name):
    suffix = Path(env.doc2path(name)).suffix
    return f"- [{env.titles[name].astext()}]({home}_sources/{name}{suffix}.txt)"


def write(app, exception):
    if exception is None and app.builder.name == "html":
        Path(app.outdir, "llms.txt").write_text(contents(app), "utf-8")
        found = app.performed.read_text("utf-8")
        # JSON has no infinity, which is the relative error of 1 where 0 is right.
        plain = json.dumps(json.loads(found, parse_constant=lambda constant: None))
        Path(app.outdir, "results.json").write_text(plain, "utf-8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
