"""Every kind of page can be read by ear, by keyboard and with weak eyes: axe agrees."""

import pytest
from axe_playwright_python.sync_playwright import Axe

RULES = "wcag2a wcag2aa wcag21a wcag21aa wcag22aa best-practice".split()


def violations(page):
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    response = Axe().run(page, options=options).response
    return [
        f"{found['id']}: {node['target']} {node['html'][:160]}"
        for found in response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page, kind, theme):
    visit = open_page(kind, theme=theme)
    assert visit.page.locator("html").get_attribute("data-theme") == theme
    assert violations(visit.page) == []
    visit.page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_an_open_search(open_page, theme):
    visit = open_page("index.html", width=360, theme=theme)
    visit.page.keyboard.press("Control+k")
    visit.page.keyboard.type("derivative")
    visit.page.locator(".site-search__results li").first.wait_for()
    assert violations(visit.page) == []
    visit.page.context.close()
