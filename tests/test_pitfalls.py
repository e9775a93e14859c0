"""Each pitfall has the same headings, and asserts a wrong value and a right one."""

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "gallery" / "pitfalls"
if not FOLDER.is_dir():
    pytest.skip("the gallery is in the repository alone", allow_module_level=True)

WRONG, RIGHT = "What comes out", "What to do instead"
HEADINGS = ["What you would write", WRONG, "Why", RIGHT, "See also"]
PAGES = sorted(FOLDER.glob("plot_*.py"))


def sections(page):
    """The source under each heading, in order."""
    parts = re.split(r"^# (.+)\n# -{3,}\n", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def assertions(source):
    return [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)
    ]


@pytest.fixture(params=PAGES, ids=lambda page: page.stem)
def page(request):
    return request.param


def test_there_are_pitfalls():
    assert len(PAGES) >= 16


def test_a_pitfall_has_the_headings_in_their_order(page):
    assert list(sections(page)) == HEADINGS


@pytest.mark.parametrize("heading", [WRONG, RIGHT])
def test_a_pitfall_asserts_what_is_wrong_and_what_is_right(page, heading):
    assert assertions(sections(page)[heading])


def test_a_pitfall_imports_without_conditions(page):
    """So that a page whose library is missing can be left out before it is run."""
    inside = {
        id(node)
        for block in ast.parse(page.read_text("utf-8")).body
        if not isinstance(block, (ast.Import, ast.ImportFrom))
        for node in ast.walk(block)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert not inside
