"""Every figure that a notebook describes is on its page."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = [
    page.relative_to(DOCS).with_suffix("").as_posix()
    for page in sorted(DOCS.rglob("*.md"))
    if "    alt: " in page.read_text("utf-8")
]


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_the_figures_of_a_notebook(page, site):
    wanted = (DOCS / f"{page}.md").read_text("utf-8").count("    alt: ")
    text = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser")
    shown = text.select("article img[src*='_images/'][alt]:not([alt=''])")
    assert len(shown) >= wanted
