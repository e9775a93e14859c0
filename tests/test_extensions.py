"""The site's small Sphinx extensions, each by itself."""

import importlib
import importlib.metadata
import io
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import mpmath
import numpy as np
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

DOCS = Path(__file__).parents[1] / "docs"
EXTENSIONS = sorted(path.stem for path in (DOCS / "_ext").glob("*.py"))


@pytest.fixture(autouse=True)
def extensions_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    yield
    for name in EXTENSIONS:
        sys.modules.pop(name, None)


def load(name):
    return importlib.import_module(name)


@pytest.fixture
def build(tmp_path):
    """A function that builds a small site of one page and returns its folder."""

    def build(text, *extensions, **config):
        source = tmp_path / "source"
        source.mkdir()
        (source / "index.rst").write_text(text, encoding="utf-8")
        out = tmp_path / "out"
        warnings = io.StringIO()
        options = {"extensions": list(extensions), "project": "p", **config}
        with patch_docutils(), docutils_namespace():
            Sphinx(
                *(source, None, out, tmp_path / "doctrees", "html"),
                confoverrides=options,
                status=None,
                warning=warnings,
            ).build()
        return warnings.getvalue().splitlines(), out

    return build


def test_math_becomes_html_with_mathml_inside(build):
    text = (
        "Title\n=====\n\nA formula :math:`x^2` inline.\n\n"
        ".. math::\n   :label: slope\n\n   f'(x) = \\frac{f(x+h)}{h}\n\n"
        ".. math::\n\n   a &= b \\\\\n   c &= d\n"
    )
    warnings, out = build(text, "prekatex", html_math_renderer="prekatex")
    page = BeautifulSoup((out / "index.html").read_bytes(), "html.parser")
    assert warnings == []
    assert len(page.select("math")) == 3
    assert page.select_one("span.math annotation").get_text() == "x^2"
    assert "(1)" in page.select_one("#equation-slope .eqno").get_text()
    assert not [s for s in page.select("script[src]") if "math" in s["src"].lower()]


def test_math_that_is_no_tex_is_a_warning(build):
    warnings, out = build(
        "T\n=\n\n:math:`\\frac{1}`\n", "prekatex", html_math_renderer="prekatex"
    )
    assert "Unexpected end of input" in warnings[0]
    assert len(warnings) == 1
    assert "katex-error" in (out / "index.html").read_text(encoding="utf-8")


def test_the_style_sheet_of_katex_has_all_its_fonts():
    folder = DOCS / "_static" / "katex"
    sheet = (folder / "katex.min.css").read_text(encoding="utf-8")
    named = set(re.findall(r"url\(([^)]+)\)", sheet))
    assert named == {f"fonts/{path.name}" for path in folder.glob("fonts/*")}


def test_images_load_when_they_are_near(build, tmp_path):
    (tmp_path / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    _, out = build("T\n=\n\n.. image:: ../dot.svg\n   :alt: A dot\n", "lazy_images")
    page = BeautifulSoup((out / "index.html").read_bytes(), "html.parser")
    assert page.select_one("img[alt='A dot']")["loading"] == "lazy"


TIMINGS = """
.. container::

  .. raw:: html

    <style scoped>
    <link href="https://cdn.example/bootstrap.css" rel="stylesheet" />
    </style>
    <script src="https://cdn.example/jquery.js"></script>
    <script type="text/javascript" class="init">
    </script>

  .. list-table::
   :header-rows: 1

   * - Example
     - Time
"""


def test_timings_lose_their_remote_scripts():
    source = [TIMINGS]
    load("local_timings").drop_remote_scripts(None, "a/sg_execution_times", source)
    assert "://" not in source[0]
    assert ".. list-table::" in source[0]


def test_other_pages_keep_their_addresses():
    source = ["`a <https://example.org>`_"]
    load("local_timings").drop_remote_scripts(None, "index", source)
    assert source == ["`a <https://example.org>`_"]


def test_timings_of_another_shape_are_refused():
    source = ['.. raw:: html\n\n   <script src="https://cdn.example/x.js"></script>']
    with pytest.raises(ValueError, match="still names another host"):
        load("local_timings").drop_remote_scripts(None, "sg_execution_times", source)


def test_toggles_of_the_sidebar_are_named():
    html = (
        '<li><a class="reference internal" href="a.html">Numerical</a>'
        "<details><summary><i></i></summary></details></li>"
    )
    named = load("named_parts").with_names(html)
    summary = BeautifulSoup(named, "html.parser").summary
    assert summary["aria-label"] == "Pages under Numerical"


def test_bibliographies_lose_the_roles_that_do_not_hold():
    html = (
        '<div role="list" class="citation-list">'
        '<div class="citation" id="a" role="doc-biblioentry">x</div></div>'
        '<div role="list" class="other"></div>'
    )
    page = BeautifulSoup(load("named_parts").with_names(html), "html.parser")
    assert [tag["class"] for tag in page.select("[role]")] == [["other"]]
    assert page.select_one("#a")["class"] == ["citation"]


def test_rules_of_absent_icons_go():
    sheet = (
        "a{color:red}.fa-bars{--fa:'\\f0c9'}.fa-car,.fa-sun{--fa:'\\f185'}"
        ".fa-car{--fa:'\\f1b9'}.fa-lg,a.b{x:y}"
        "@font-face{src:url(fa-brands-400.woff2)}"
        "@font-face{src:url(fa-solid-900.woff2)}"
    )
    lean = load("lean_theme").without_absent_icons(sheet, {"fa-bars", "fa-sun"})
    assert lean == (
        "a{color:red}.fa-bars{--fa:'\\f0c9'}.fa-sun{--fa:'\\f185'}a.b{x:y}"
        "@font-face{src:url(fa-solid-900.woff2)}"
    )
    assert load("lean_theme").signs_of(lean + '"\uf0f3"') == {0xF0C9, 0xF185, 0xF0F3}


def test_the_icon_font_keeps_what_is_named(build):
    _, out = build(
        "T\n=\n\n.. note:: N\n", "lean_theme", html_theme="pydata_sphinx_theme"
    )
    fonts = out / "_static/vendor/fontawesome/webfonts"
    assert [path.name for path in fonts.iterdir()] == ["fa-solid-900.woff2"]
    with TTFont(fonts / "fa-solid-900.woff2") as font:
        signs = font.getBestCmap().keys()
    bars, bell, car = 0xF0C9, 0xF0F3, 0xF1B9
    assert {bars, bell} <= signs
    assert car not in signs
    assert not list((out / "_static").rglob("*.map"))


def test_pagefind_indexes_the_pages(build, tmp_path):
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "search.html").write_text("ours", encoding="utf-8")
    _, out = build(
        "T\n=\n\nThe complex step.\n",
        "pagefind_search",
        templates_path=[str(templates)],
        html_theme="pydata_sphinx_theme",
    )
    assert (out / "pagefind" / "pagefind.js").exists()
    assert list((out / "pagefind" / "index").iterdir())
    assert (out / "search.html").read_text(encoding="utf-8") == "ours"
    assert not (out / "searchindex.js").exists()


@pytest.fixture
def scrape(tmp_path):
    """A function that hands the open figures to the scraper."""

    def scrape():
        paths = (str(tmp_path / f"figure_{n}.png") for n in range(1, 9))
        rst = load("gallery_hooks").light_dark(
            None,
            {"image_path_iterator": paths, "src_file": "plot_x.py"},
            {"src_dir": str(tmp_path)},
        )
        return rst, sorted(tmp_path.glob("*.svg"))

    yield scrape
    plt.close("all")


def test_a_figure_is_saved_in_two_inks(scrape):
    _, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], color="tab:blue")
    axes.set(title="It rises: $x^1$", xlabel="x")
    rst, (light, dark) = scrape()
    hooks = load("gallery_hooks")
    assert rst.count(":alt: It rises: x^1") == 2
    assert rst.index("only-light") < rst.index("only-dark")
    for path, ink, other in ((light, "light", "dark"), (dark, "dark", "light")):
        svg = path.read_text(encoding="utf-8")
        assert hooks.INKS[ink] in svg
        assert hooks.INKS[other] not in svg
        assert "#1f77b4" in svg
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_file(scrape):
    files = []
    for _ in range(2):
        plt.figure().suptitle("Nothing moves")
        files.append([path.read_bytes() for path in scrape()[1]])
    assert files[0] == files[1]


def test_a_figure_without_a_title_is_refused(scrape):
    plt.subplots()
    with pytest.raises(ValueError, match=r"plot_x\.py has no title"):
        scrape()


def test_globals_are_put_back():
    floats = np.geterr()
    np.set_printoptions(precision=3)
    np.seterr(all="raise")
    mpmath.mp.dps = 50
    with plt.rc_context():  # the gallery's style stays in the gallery
        load("gallery_hooks").reset_all({}, "plot_x.py", "before")
    assert np.get_printoptions()["precision"] == 8
    assert np.geterr() == floats
    assert mpmath.mp.dps == 15


@pytest.fixture
def refresh(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_inv"))
    yield load("refresh")
    sys.modules.pop("refresh", None)


INVENTORY = "# Sphinx inventory version 1\n# Project: P\n# Version: 1\n"


def test_an_inventory_follows_its_project(refresh):
    full = (INVENTORY + "p.f function new.html\np mod index.html\n").encode()
    old = INVENTORY + "p.f function old.html\n"
    assert refresh.refreshed(old, full) == INVENTORY + "p.f function new.html\n"


def test_a_name_that_is_gone_is_said(refresh):
    with pytest.raises(LookupError, match=r"p\.f is no py:function of P"):
        refresh.refreshed(INVENTORY + "p.f function old.html\n", INVENTORY.encode())


def test_thumbnails_keep_their_drawing_and_lose_its_digits():
    lightened = importlib.import_module("light_thumbnails").lightened
    svg = '<svg>\n   <path d="M 1.2345 -0.51 \nL 20.9 3" x="1.25"/>'
    text = "<text>0.0706</text>\n</svg>"
    words = '\n   <g id="text_1">\n    <g>\n    </g>\n   </g>'
    light = '<svg>\n<path d="M 1 -1 \nL 21 3" x="1.25"/>'
    assert lightened(svg + words + text) == light + text


NOTEBOOK = """\
# Title

```{code-cell} ipython3
:tags: [remove-input]

import numpy
%matplotlib inline
```

```{code-cell}
---
tags: [hide-cell]
---
from lost.part import thing
import os.path, also_lost as other
```

```python
import not_run
```
"""


def test_a_page_needs_what_the_methods_that_it_names_import(tmp_path, monkeypatch):
    pages = load("missing_libraries")
    monkeypatch.setattr(
        pages, "find_spec", lambda name: None if name == "torch" else name
    )
    page = tmp_path / "plot_page.py"
    page.write_text(
        'import numpy\nfor method in ("reverse_tape", "pytorch"):\n    pass\n'
    )
    assert pages.missing(page) == ["torch"]
    page = tmp_path / "plot_other.py"
    page.write_text('import numpy\nmethod = "reverse_tape"\ntext = "torch"\n')
    assert pages.missing(page) == []


def test_a_page_needs_what_its_libraries_require(tmp_path, monkeypatch):
    pages = load("missing_libraries")
    page = tmp_path / "plot_page.py"
    page.write_text("import matplotlib\n")
    assert pages.missing(page) == []
    pages.missing.cache_clear()
    pages.absent.cache_clear()
    required = {"matplotlib": ["numpy"], "numpy": ["lost", "matplotlib"]}

    def requirements(name):
        if name not in required:
            raise importlib.metadata.PackageNotFoundError
        return required[name]

    monkeypatch.setattr(pages, "requirements", requirements)
    assert pages.missing(page) == ["lost"]


def test_what_needs_a_library_goes_with_it():
    pages = load("missing_libraries")
    assert {"packaging", "matplotlib", "sphinx"} <= set(pages.needing("packaging"))
    assert "sphinx" in pages.needing("Jinja2")  # however a name is written
    assert "diffmethods" not in pages.needing("numpy")
    assert "myst-nb" in pages.needing("sphinx")


def test_pages_without_their_libraries_say_so(tmp_path):
    pages = load("missing_libraries")
    whole, notebook = tmp_path / "plot_whole.py", tmp_path / "notebook.md"
    whole.write_text('"""Title"""\nimport numpy\nimport numpy_expressions\n')
    notebook.write_text(NOTEBOOK)
    lost = tmp_path / "plot_lost.py"
    lost.write_text("def f():\n    import lost\n")
    assert pages.missing(whole) == []
    assert pages.missing(notebook) == ["also_lost", "lost"]
    assert pages.not_to_run(tmp_path) == ["notebook.md"]
    pattern = re.compile(pages.to_run(tmp_path))
    assert pattern.search(str(whole))
    assert not pattern.search(str(lost))
    lost.with_suffix(".rst").write_text("")

    class App:
        class env:
            doc2path = staticmethod(lambda name: tmp_path / name)

    for page, text in {
        "notebook.md": NOTEBOOK,
        "plot_lost.rst": ".. _label:\n\nTitle\n=====\n\nText\n",
        "plot_whole.rst": "Title\n=====\n",
        "other.rst": "Title\n=====\n",
    }.items():
        source = [text]
        pages.say_so(App, page, source)
        said = "has not run: the site was built without" in source[0]
        assert said == (page in ("notebook.md", "plot_lost.rst"))


def test_nothing_to_run(tmp_path):
    assert not re.search(load("missing_libraries").to_run(tmp_path), "/plot_a.py")
