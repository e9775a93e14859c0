"""The built site, served as its host serves it, and a chromium that meets no other."""

import functools
import http.server
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)
# What makes a page of another kind than its neighbours in the same folder.
MARKS = (
    ".sphx-glr-example-title",
    ".sphx-glr-thumbnails",
    ".cell_input",
    "dl.py",
    ".citation",
    "dl.glossary",
    "table",
    "article figure, article img",
    ".admonition",
    ".sd-card",
)
NARROW, WIDE = 360, 1280


def pytest_addoption(parser):
    parser.addoption("--site", type=Path, default=Path("build/html"))


def site_of(config):
    site = config.getoption("--site").resolve()
    if not (site / "index.html").exists():
        raise pytest.UsageError(f"no site in {site}: build it with `nox -s docs`")
    return site


@functools.cache
def read(path):
    return BeautifulSoup(path.read_bytes(), "html.parser")


@functools.cache
def pages_of(site):
    """Return the pages that a reader meets, as addresses below the site's root."""
    return sorted(
        path.relative_to(site).as_posix()
        for path in site.rglob("*.html")
        if path.relative_to(site).parts[0] not in ("_static", "_downloads", "pagefind")
    )


@functools.cache
def kinds_of(site):
    """Return for each kind of page, folder and marks, its longest page."""
    kinds = {}
    for page in pages_of(site):
        soup = read(site / page)
        marks = tuple(mark for mark in MARKS if soup.select_one(mark))
        folder = page.partition("/")[0] if "/" in page else ""
        alone = page if page in ("index.html", "search.html", "404.html") else ""
        kinds.setdefault((folder, alone, marks), []).append(page)
    return sorted(
        max(pages, key=lambda page: (site / page).stat().st_size)
        for pages in kinds.values()
    )


def pytest_generate_tests(metafunc):
    if "address" in metafunc.fixturenames:
        site = site_of(metafunc.config)
        metafunc.parametrize("address", pages_of(site), scope="session")
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", kinds_of(site_of(metafunc.config)))


@pytest.fixture(scope="session")
def site(pytestconfig):
    return site_of(pytestconfig)


@pytest.fixture(scope="session")
def soup(site):
    """A function from a page's address to its parsed HTML."""
    return lambda address: read(site / address)


@pytest.fixture(scope="session")
def canonical(soup):
    """The address that the site believes to be published at."""
    href = soup("index.html").select_one("link[rel=canonical]")["href"]
    return href.removesuffix("index.html")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files below the site's prefix; 404.html for whatever is not there."""

    prefix = "/"

    def translate_path(self, path):
        path = urlsplit(path).path
        if not path.startswith(self.prefix):
            return os.devnull + "/nothing"
        return super().translate_path("/" + path.removeprefix(self.prefix))

    def send_error(self, code, message=None, explain=None):
        body = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def base(site, canonical):
    """The address of the served site, below the same prefix as the published one."""
    prefix = urlsplit(canonical).path
    handler = type("SiteHandler", (Handler,), {"prefix": prefix})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(site))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{prefix}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise pytest.UsageError("no chromium: set CHROMIUM to the path of one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page that is open, and what it asked for and complained about."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def elsewhere(self):
        hosts = {urlsplit(url).hostname for url in self.requests}
        return sorted(hosts - {None, "127.0.0.1"})


@pytest.fixture(scope="session")
def open_page(chromium, base):
    """A function that opens an address in a window of a given width and theme."""

    def is_here(url):
        return urlsplit(url).hostname in (None, "127.0.0.1")

    def guard(route):
        url = route.request.url
        route.continue_() if is_here(url) else route.abort()

    def open_page(address, width=WIDE, theme="light"):
        context = chromium.new_context(
            color_scheme=theme, viewport={"width": width, "height": 800}
        )
        context.route("**/*", guard)
        visit = Visit(context.new_page())
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on(
            "console",
            lambda message: (
                visit.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        visit.page.goto(base + address, wait_until="load")
        return visit

    return open_page
