"""Publishing, against a server on this machine that answers like Read the Docs."""

import importlib.util
import itertools
import json
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("requests")
typer_testing = pytest.importorskip("typer.testing")

SCRIPT = Path(__file__).parents[1] / "docs" / "publish.py"
if not SCRIPT.is_file():
    pytest.skip("publishing is in the repository alone", allow_module_level=True)
TOKEN = "f00d-secret"
STATES = ["triggered", "cloning", "installing", "building", "uploading", "finished"]


@pytest.fixture(scope="module")
def publishing():
    spec = importlib.util.spec_from_file_location("publish", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["publish"] = module
    spec.loader.exec_module(module)
    return module


class Answers(BaseHTTPRequestHandler):
    """Answers like the API; `server.first` holds what comes before the usual ones."""

    def log_message(self, *args):
        pass

    def reply(self, status, content=None, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if status == 204:
            body = b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        server = self.server
        length = int(self.headers.get("Content-Length") or 0)
        server.seen.append((self.command, self.path, self.rfile.read(length)))
        if server.first:
            first = server.first.pop(0)
            if callable(first):
                return first(self)
            return self.reply(first[0], {"detail": "..."}, **first[1])
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return self.reply(401, {"detail": "Invalid token."})
        path = self.path.removeprefix("/api/v3/projects/")
        project, _, rest = path.partition("/")
        if project == "forbidden":
            return self.reply(403, {"detail": "No permission."})
        if project != "diffmethods":
            return self.reply(404, {"detail": "Not found."})
        return self.about(rest)

    do_GET = do_POST = do_PATCH = answer

    def about(self, rest):
        server = self.server
        match self.command, rest.strip("/").split("/"):
            case "GET", [""]:
                return self.reply(200, {"slug": "diffmethods"})
            case "POST", ["sync-versions"]:
                server.hidden_for = 1
                return self.reply(202, {"triggered": True})
            case "GET", ["versions", name]:
                if name in server.hidden and server.hidden_for != 0:
                    server.hidden_for -= 1
                    return self.reply(404, {"detail": "Not found."})
                return self.reply(200, {"slug": name, "active": name in server.active})
            case "PATCH", ["versions", name]:
                server.active.add(name)
                return self.reply(204)
            case "POST", ["versions", "skipped", "builds"]:
                return self.reply(400, {"triggered": False, "build": {}})
            case "POST", ["versions", name, "builds"]:
                urls = {"documentation": f"https://docs.example/en/{name}/"}
                return self.reply(
                    202,
                    {
                        "triggered": True,
                        "build": self.build("triggered"),
                        "version": {"slug": name, "urls": urls},
                    },
                )
            case "GET", ["builds", "3", "notifications"]:
                bodies = [{"message": {"body": reason}} for reason in server.reasons]
                return self.reply(200, {"results": bodies})
            case "GET", ["builds", "3"]:
                return self.reply(200, self.build(next(server.states)))
        return self.reply(404, {"detail": "Not found."})

    def build(self, state):
        return {
            "id": 3,
            "state": {"code": state, "name": state.title()},
            "success": self.server.success if state == "finished" else None,
            "error": "",
            "urls": {"build": "https://app.example/builds/3/"},
        }


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    server.first, server.seen, server.reasons = [], [], []
    server.states, server.success = iter(STATES), True
    server.active, server.hidden, server.hidden_for = {"latest", "skipped"}, set(), -1
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(publishing, server, monkeypatch):
    """Run the command with pauses that take no time; return its result."""
    monkeypatch.setattr(publishing, "PAUSE", 0.01)
    monkeypatch.setattr(publishing, "BACKOFF", (0.01, 0.05))
    monkeypatch.setenv("READTHEDOCS_TOKEN", TOKEN)
    app = publishing.typer.Typer()
    app.command()(publishing.main)

    def command(*options, api=None):
        address = api or f"http://127.0.0.1:{server.server_port}/api/v3/"
        arguments = ["--api-url", address, "--timeout", "5", *options]
        result = typer_testing.CliRunner().invoke(app, arguments)
        assert TOKEN not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return command


def test_a_build_is_followed_to_its_end(run, server):
    result = run()
    assert result.exit_code == 0
    assert result.stdout == "https://docs.example/en/latest/\n"
    for state in STATES[1:]:
        assert state in result.stderr
    assert [verb for verb, *_ in server.seen].count("POST") == 1


def test_a_failed_build_says_why(run, server):
    server.success = False
    server.reasons = ["sphinx-build exited with 2", "the disk is full"]
    result = run()
    assert result.exit_code == 1
    assert "sphinx-build exited with 2" in result.stderr
    assert "the disk is full" in result.stderr


def test_a_cancelled_build(run, server):
    server.states = iter(["building", "cancelled"])
    result = run()
    assert result.exit_code == 12
    assert "cancelled" in result.stderr


def test_a_new_tag_is_fetched_and_made_active(run, server):
    server.hidden = {"v1.0"}
    result = run("--version", "v1.0")
    assert result.exit_code == 0
    assert result.stdout == "https://docs.example/en/v1.0/\n"
    done = [(verb, path.rpartition("diffmethods/")[2]) for verb, path, _ in server.seen]
    assert ("POST", "sync-versions/") in done
    assert ("PATCH", "versions/v1.0/") in done
    (body,) = (json.loads(body) for verb, _, body in server.seen if verb == "PATCH")
    assert body == {"active": True}


def test_a_tag_that_is_not_there(run, server):
    server.hidden = {"v9.9"}
    server.first = [(404, {}), lambda h: h.reply(200, {"slug": "diffmethods"})]
    server.first += [lambda h: h.reply(202, {})]
    server.first += [(404, {})] * 10_000
    result = run("--version", "v9.9", "--timeout", "1")
    assert result.exit_code == 9
    assert "is the tag pushed" in result.stderr


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--project", "nobody"], 6, "no such project"),
        (["--project", "forbidden"], 5, "maintainer"),
        (["--version", "skipped"], 11, "did not start a build"),
    ],
)
def test_refusals(run, options, status, words):
    result = run(*options)
    assert result.exit_code == status
    assert words in result.stderr


def test_a_wrong_token(run, monkeypatch):
    monkeypatch.setenv("READTHEDOCS_TOKEN", "another-secret")
    result = run()
    assert result.exit_code == 4
    assert "does not accept the token" in result.stderr
    assert "another-secret" not in result.output


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nfeed", "ümlaut"])
def test_no_token(run, monkeypatch, server, token):
    monkeypatch.setenv("READTHEDOCS_TOKEN", token)
    result = run()
    assert result.exit_code == 3
    assert "READTHEDOCS_TOKEN" in result.stderr
    assert not token.strip() or token not in result.output
    assert not server.seen


def test_the_token_of_another_variable(run, monkeypatch):
    monkeypatch.delenv("READTHEDOCS_TOKEN")
    monkeypatch.setenv("OTHER_TOKEN", TOKEN)
    assert run("--token-env", "OTHER_TOKEN").exit_code == 0


def test_a_netrc_file_does_not_replace_the_token(run, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert run().exit_code == 0


@pytest.mark.parametrize("wait", ["0", "0.02", "date", "soon", None])
def test_throttled_requests_are_made_again(run, server, wait):
    header = {"Retry_After": formatdate(time.time(), usegmt=True)} if wait else {}
    if wait and wait != "date":
        header = {"Retry_After": wait}
    server.first = [(429, header)] * 2
    assert run().exit_code == 0


def test_throttled_for_longer_than_there_is_time(run, server):
    server.first = [(429, {"Retry_After": "3600"})]
    start = time.monotonic()
    result = run()
    assert result.exit_code == 7
    assert "too many requests" in result.stderr
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_of_the_server_are_asked_again(run, server, status):
    server.first = [(status, {})] * 2
    assert run().exit_code == 0


def test_a_server_that_stays_broken(run, server):
    server.first = [(500, {})] * 10_000
    result = run("--timeout", "1")
    assert result.exit_code == 10
    assert "500" in result.stderr


def hang_up(handler):
    handler.close_connection = True
    handler.connection.close()


def test_lost_connections_are_made_again(run, server):
    server.first = [hang_up] * 2
    assert run().exit_code == 0


def test_nobody_answers(run):
    result = run("--timeout", "1", api="http://127.0.0.1:9/api/v3/")
    assert result.exit_code == 8
    assert "cannot reach 127.0.0.1:9" in result.stderr


def test_a_slow_answer(run, server, publishing, monkeypatch):
    monkeypatch.setattr(publishing, "PATIENCE", 0.2)
    release = threading.Event()
    server.first = [lambda handler: release.wait(3)]
    result = run()
    release.set()
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "body", [b"<html>not the API</html>", b"[]", b'{"id"', b"null"]
)
def test_answers_that_are_not_the_apis(run, server, body):
    server.first = [lambda handler: handler.reply(200, body)]
    result = run()
    assert result.exit_code == 13
    assert "not the API's" in result.stderr


@pytest.mark.parametrize("lacking", [{}, {"build": {"id": "x"}}, {"build": None}])
def test_answers_that_lack_something(run, server, lacking):
    server.first = [lambda handler: handler.reply(200, {"active": True})]
    server.first += [lambda handler: handler.reply(202, lacking)]
    result = run()
    assert result.exit_code == 13
    assert "lacks" in result.stderr


def test_a_build_without_a_state(run, server):
    server.states = iter([])
    usual = Answers.about

    def about(handler, rest):
        if rest == "builds/3/":
            return handler.reply(200, {"state": {}})
        return usual(handler, rest)

    server.RequestHandlerClass = type("Other", (Answers,), {"about": about})
    result = run()
    assert result.exit_code == 13


def test_redirects_are_not_followed(run, server):
    server.first = [(301, {"Location": "http://127.0.0.1:9/"})]
    result = run()
    assert result.exit_code == 13
    assert "moved" in result.stderr


def test_a_build_that_never_ends(run, server):
    server.states = itertools.repeat("building")
    result = run("--timeout", "1")
    assert result.exit_code == 9
    assert "has not ended" in result.stderr


@pytest.mark.parametrize(
    "api",
    [
        "http://example.org/api/v3/",
        "http://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "nowhere",
    ],
)
def test_addresses_that_are_refused(run, server, api):
    result = run(api=api)
    assert result.exit_code == 2
    assert not server.seen


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "example.org", "128.0.0.1"]
)
def test_loopback(publishing, host):
    assert publishing.is_loopback(host) == (host not in ("example.org", "128.0.0.1"))


def test_a_dry_run_asks_nobody(run, server):
    result = run("--dry-run", "--version", "v1.0")
    assert result.exit_code == 0
    assert "versions/v1.0/builds/" in result.stdout
    assert "(set)" in result.stdout
    assert not server.seen
