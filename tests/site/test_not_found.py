"""A wrong address, however deep, shows our page with its style and its links whole."""

import pytest


@pytest.mark.parametrize("missing", ["nowhere.html", "a/b/c/nowhere"])
def test_a_wrong_address_leads_back(open_page, base, missing):
    visit = open_page(missing)
    page = visit.page
    sheets = page.evaluate("[...document.styleSheets].map(s => s.href)")
    assert any("site.css" in (href or "") for href in sheets)
    assert all("404" in line for line in visit.complaints)
    assert len(visit.complaints) == 1  # the page itself, nothing that it loads
    with page.expect_navigation():
        page.locator("header a.navbar-brand").click()
    assert page.url.startswith(base)
    assert page.locator("article h1").is_visible()
    page.context.close()
