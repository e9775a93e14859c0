"""Every link and every anchor within the site leads somewhere; no network is asked."""

from urllib.parse import unquote, urlsplit

ATTRIBUTES = {
    "a": "href",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
}


def references(soup):
    for tag, attribute in ATTRIBUTES.items():
        for element in soup.find_all(tag):
            if (url := element.get(attribute)) is not None:
                yield element, url


def anchors(soup):
    ids = {element["id"] for element in soup.select("[id]")}
    return ids | {element["name"] for element in soup.select("a[name]")} | {""}


def broken(url, page, site, canonical, soup):
    """Say whether a reference of a page points to a file or anchor that is missing."""
    if url.startswith(canonical):
        url = urlsplit(canonical).path + url.removeprefix(canonical)
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return False
    path, prefix = unquote(parts.path), urlsplit(canonical).path
    if path.startswith("/"):
        if not path.startswith(prefix):
            return True
        target = site / path.removeprefix(prefix)
    else:
        target = (site / page).parent / path if path else site / page
    target = target.resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return True
    if target.suffix != ".html" or not parts.fragment:
        return False
    return unquote(parts.fragment) not in anchors(soup(target.relative_to(site)))


def test_no_broken_link_or_anchor(address, site, canonical, soup):
    wrong = {
        url
        for _, url in references(soup(address))
        if broken(url, address, site, canonical, soup)
    }
    assert wrong == set()


def test_nothing_is_loaded_from_another_host(address, canonical, soup):
    """Read in the source: a browser asks only for what its screen needs."""
    loaded = [
        url
        for element, url in references(soup(address))
        if element.name != "a"
        and not {"canonical", "prev", "next", "search"} & {*element.get("rel", [])}
    ]
    hosts = {urlsplit(url).netloc for url in loaded}
    assert hosts - {"", urlsplit(canonical).netloc} == set()
