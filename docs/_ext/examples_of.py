"""Under each function of the reference, the gallery's pages that use it."""

from pathlib import Path


def add_examples(app, what, name, obj, options, lines):
    folder = app.config.sphinx_gallery_conf["backreferences_dir"]
    path = Path(app.srcdir, folder, f"{name}.examples")
    if what == "function" and path.exists() and path.stat().st_size:
        lines += [
            "",
            ".. dropdown:: Examples in the gallery",
            "",
            f"   .. minigallery:: {name}",
            "",
        ]


def setup(app):
    app.connect("autodoc-process-docstring", add_examples, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
