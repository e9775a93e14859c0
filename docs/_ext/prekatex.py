"""Math rendered by KaTeX at build time: the reader's browser runs no script for it."""

import functools

import pykatex
from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)


@functools.cache
def render(tex: str, display: bool) -> str:
    """Return HTML for the eye and MathML for the ear; raise on what is not TeX."""
    return pykatex.renderToString(tex, displayMode=display)


def wrapped(tex: str) -> str:
    """Give lines and paragraphs of a block the environments that Sphinx promises."""
    parts = [part for part in tex.split("\n\n") if part.strip()]
    parts = [
        rf"\begin{{split}}{part}\end{{split}}"
        if r"\\" in part and r"\begin" not in part
        else part
        for part in parts
    ]
    if len(parts) == 1:
        return parts[0]
    return r"\begin{gathered}" + r"\\".join(parts) + r"\end{gathered}"


def rendered(translator, node, tex: str, display: bool) -> str:
    try:
        return render(tex, display)
    except pykatex.ParseError as error:
        logger.warning("KaTeX: %s in %r", error, tex, location=node, type="prekatex")
        return f'<code class="katex-error">{translator.encode(tex)}</code>'


def visit_inline(translator, node):
    html = rendered(translator, node, node.astext(), display=False)
    translator.body.append(f'<span class="math notranslate nohighlight">{html}</span>')
    raise nodes.SkipNode


def visit_block(translator, node):
    tex = node.astext()
    if not node.get("no-wrap", node.get("nowrap", False)):
        tex = wrapped(tex)
    body = translator.body
    body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        body.append("</span>")
    body.append(rendered(translator, node, tex, display=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("prekatex", (visit_inline, None), (visit_block, None))
    app.add_css_file("katex/katex.min.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
