"""Images that load when the reader comes near: a long gallery opens as a short one."""

from docutils import nodes


def load_lazily(app, doctree, docname):
    for image in doctree.findall(nodes.image):
        image.setdefault("loading", "lazy")


def setup(app):
    app.connect("doctree-resolved", load_lazily)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
