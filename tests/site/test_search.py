"""The search answers on every kind of page, by dialog and by address."""

import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest

QUESTIONS = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))
WORDS = "complex step"


def results(page):
    links = page.locator(".site-search__results a")
    links.first.wait_for()
    return [link.inner_text() for link in links.all()]


def test_complex_step_is_among_the_first_results(open_page):
    visit = open_page(f"search.html?q={WORDS}")
    assert any("complex step" in title.lower() for title in results(visit.page)[:3])
    assert visit.elsewhere() == []
    assert visit.complaints == []
    visit.page.context.close()


def test_the_dialog_searches_and_leads_to_the_page(open_page, kind):
    if kind == "search.html":
        pytest.skip("the search page has no dialog: it is one")
    visit = open_page(kind)
    visit.page.locator("[data-search-open]:visible").first.click()
    visit.page.keyboard.type(WORDS)
    assert results(visit.page)
    with visit.page.expect_navigation():
        visit.page.locator(".site-search__results a").first.click()
    assert "step" in visit.page.locator("article").inner_text().lower()
    visit.page.context.close()


def test_nothing_found_is_said(open_page):
    visit = open_page("search.html?q=жжж")
    visit.page.get_by_text("Nothing found for “жжж”.").wait_for()
    visit.page.context.close()


@pytest.fixture(scope="module")
def search_page(open_page):
    visit = open_page("search.html")
    yield visit.page
    visit.page.context.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_its_page(search_page, base, question):
    search_page.goto(f"{base}search.html?q={quote(question)}")
    links = search_page.locator(".site-search__results a")
    links.first.wait_for()
    found = [link.get_attribute("href") for link in links.all()[:3]]
    files = [href + "index.html" * href.endswith("/") for href in found]
    pages = [name.partition("#")[0].removesuffix(".html") for name in files]
    answers = QUESTIONS[question]
    assert any(page.endswith(f"/{answer}") for page in pages for answer in answers), (
        found
    )


def test_the_answers_are_pages(site):
    """A question may name several pages; each of them is there."""
    answers = {answer for pages in QUESTIONS.values() for answer in pages}
    assert [a for a in sorted(answers) if not (site / f"{a}.html").exists()] == []
    assert len(QUESTIONS) >= 30
