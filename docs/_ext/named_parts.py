"""Names and roles for those who hear the site: what theme and plug-ins leave unsaid."""

import re
from pathlib import Path

SUMMARY = re.compile(
    r'(<a class="[^"]*reference internal[^"]*" href="[^"]*">([^<]+)</a><details[^>]*>)'
    r"<summary>"
)
# docutils calls a bibliography a list whose entries are no items: neither role holds.
CITATIONS = re.compile(
    r'<div (?=[^>]*\bcitation)([^>]*?) ?role="(?:list|doc-biblioentry)"([^>]*)>'
)


def with_names(html: str) -> str:
    """Name each toggle of the sidebar after its page; drop roles that do not hold."""
    html = SUMMARY.sub(r'\1<summary aria-label="Pages under \2">', html)
    return CITATIONS.sub(r"<div \1\2>", html)


def name_parts(app, exception):
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        if (named := with_names(html)) != html:
            path.write_text(named, encoding="utf-8")


def setup(app):
    app.connect("build-finished", name_parts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
