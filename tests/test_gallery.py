"""Every method has one page, with the parts that make pages comparable."""

import ast
import re
from pathlib import Path

import pytest

from diffmethods import get_method, methods
from diffmethods.errors import MissingLibraryError
from diffmethods.method import FAMILIES

GALLERY = Path(__file__).parents[1] / "gallery"
if not GALLERY.is_dir():
    pytest.skip("the gallery is in the repository alone", allow_module_level=True)

HEADINGS = [
    "In one line",
    "How it works",
    "Higher derivatives",
    "On arrays",
    "Several variables",
    "Where it fails",
    "Cost",
    "See also",
]
SCRIPTS = sorted(GALLERY.glob("*/*.py"))
METHOD_PAGES = [script for script in SCRIPTS if script.parent.name in FAMILIES]
METHODS = sorted(path.stem for path in Path(methods.__path__[0]).glob("[!_]*.py"))
REFERENCE = "analytic"  # what the methods are measured against has a page, too


def each(name, paths):
    return pytest.mark.parametrize(name, paths, ids=lambda path: path.stem)


def passages(script):
    """The pieces of code under each heading, in order."""
    found = {}
    for cell in re.split(r"^# %%.*\n", script.read_text("utf-8"), flags=re.MULTILINE)[
        1:
    ]:
        text = re.match(r"(?:#.*\n)*", cell)[0]
        if title := re.match(r"# (.+)\n# -{3,}\n", text):
            found[title[1]] = code = []
        code.append(cell[len(text) :].strip())
    return found


def tree(script):
    return ast.parse(script.read_text("utf-8"))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_one_page_in_the_folder_of_its_family(name):
    try:
        family = get_method(name).family
    except MissingLibraryError as error:
        pytest.skip(str(error))
    pages = [script for script in SCRIPTS if script.stem == f"plot_{name}"]
    assert pages == [GALLERY / family / f"plot_{name}.py"]


@each("script", METHOD_PAGES)
def test_a_method_page_has_a_method(script):
    assert script.stem.removeprefix("plot_") in [*METHODS, REFERENCE]


@each("script", METHOD_PAGES)
def test_a_method_page_has_the_headings_in_their_order(script):
    assert list(passages(script)) == HEADINGS


@each("folder", sorted({GALLERY} | {script.parent for script in SCRIPTS}))
def test_a_folder_has_a_header_with_a_title(folder):
    header = (folder / "GALLERY_HEADER.rst").read_text("utf-8")
    assert re.match(r"(.+)\n[=-]{3,}\n\n\S", header)


@each("script", SCRIPTS)
def test_a_page_has_a_title_and_says_its_idea(script):
    title, underline, blank, idea, *_ = ast.get_docstring(tree(script)).split("\n")
    assert underline == "=" * len(title)
    assert not blank
    assert idea


@each("script", SCRIPTS)
def test_a_page_has_a_figure_with_a_title(script):
    calls = [node for node in ast.walk(tree(script)) if isinstance(node, ast.Call)]
    named = {keyword.arg for call in calls for keyword in call.keywords}
    called = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert "title" in named or called & {"set_title", "suptitle", "title"}


@each("script", SCRIPTS)
def test_a_page_uses_what_it_imports(script):
    nodes = list(ast.walk(tree(script)))
    imports = [n for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom))]
    bound = {(a.asname or a.name).split(".")[0] for n in imports for a in n.names}
    assert bound <= {node.id for node in nodes if isinstance(node, ast.Name)}
