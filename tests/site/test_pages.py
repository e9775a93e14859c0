"""Every page by itself: nothing from elsewhere, nothing broken, nothing too wide."""

import gzip
from urllib.parse import unquote, urlsplit

import pytest
from conftest import NARROW

HEAVIEST = 250  # kilobytes, compressed


@pytest.fixture(scope="session")
def opened(open_page, address):
    """The page on the smallest screen, and all that was asked for to open it."""
    visit = open_page(address, width=NARROW)
    visit.page.wait_for_load_state("networkidle")
    return visit, set(visit.requests)


@pytest.fixture(scope="session")
def visit(opened):
    """The same page, scrolled to its end so that the rest is asked for."""
    visit, _ = opened
    visit.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    visit.page.wait_for_load_state("networkidle")
    yield visit
    visit.page.context.close()


def kilobytes(urls, site, prefix):
    """What a server that compresses would have sent."""
    total = 0
    for url in urls:
        name = unquote(urlsplit(url).path).removeprefix(prefix)
        path = site / (name or "index.html")
        if path.is_file():
            data = path.read_bytes()
            packed = path.suffix in (".png", ".woff2")
            total += len(data if packed else gzip.compress(data, 6))
    return total / 1024


def test_the_page_is_light(opened, site, canonical):
    _, urls = opened
    assert kilobytes(urls, site, urlsplit(canonical).path) < HEAVIEST


def test_no_request_to_another_host(visit):
    assert visit.elsewhere() == []


def test_the_console_is_silent(visit):
    assert visit.complaints == []


def test_no_sideways_scrolling(visit):
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW, visit.page.evaluate(
        """limit => [...document.querySelectorAll("body *")]
            .filter(e => e.getBoundingClientRect().right > limit)
            .map(e => e.tagName + "." + e.className).slice(0, 20)""",
        NARROW,
    )


def test_the_chrestomathy_is_one_click_away(visit):
    """On the smallest screen too, where the header's menu is folded away."""
    links = visit.page.locator("header a[href*='chrestomathy.html']:visible")
    assert links.count() or visit.page.url.endswith("chrestomathy.html")


def test_every_figure_has_words(soup, address):
    """A thumbnail in the gallery has none: the name of its link is beside it."""
    figures = soup(address).select("article img:not(.sphx-glr-thumbcontainer img)")
    assert [figure["src"] for figure in figures if not figure.get("alt")] == []
