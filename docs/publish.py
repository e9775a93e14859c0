"""Publish the site: have Read the Docs build a version, and follow it to the end.

`nox -s publish` runs this.  It speaks version 3 of the API: the build is triggered,
then asked for until it is over.  A version that the project does not know yet, as that
of a new tag, is fetched from the repository and made active first.

Each kind of failure has its own exit status, so that a script can tell them apart; see
`Failure`.
"""

import enum
import ipaddress
import os
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import quote, urljoin, urlsplit

import requests
import typer
from rich.console import Console

API = "https://app.readthedocs.org/api/v3/"
ENDED = ("finished", "cancelled")
PATIENCE = 30  # seconds for one answer
PAUSE = 5.0  # seconds between two looks at a build
BACKOFF = 1.0, 30.0  # seconds before the first and before any later try again


class Failure(enum.IntEnum):
    """What went wrong, as an exit status (0 is success, 2 a wrong option)."""

    BUILD_FAILED = 1
    NO_TOKEN = 3
    UNAUTHORIZED = 4
    FORBIDDEN = 5
    NOT_FOUND = 6
    THROTTLED = 7
    UNREACHABLE = 8
    TIMED_OUT = 9
    SERVER_ERROR = 10
    NOT_TRIGGERED = 11
    CANCELLED = 12
    NOT_UNDERSTOOD = 13


class PublishError(Exception):
    """A reason not to be published, with the exit status that tells it."""

    def __init__(self, failure: Failure, message: str):
        super().__init__(message)
        self.failure = failure


MEANING = {
    401: (
        Failure.UNAUTHORIZED,
        "Read the Docs does not accept the token: make a new one under Settings, "
        "API tokens, and put it into the environment",
    ),
    403: (
        Failure.FORBIDDEN,
        "the token's owner may not do this: it takes a maintainer of the project",
    ),
    404: (
        Failure.NOT_FOUND,
        "there is no such project or version on Read the Docs: look at --project and "
        "--version",
    ),
}
TRANSIENT = (requests.ConnectionError, requests.Timeout)


class Token(requests.auth.AuthBase):
    """The header that says who asks; it stands before anything in a .netrc file."""

    def __init__(self, token: str):
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self._token}"
        return request


class ReadTheDocs:
    """The API, asked again where that may help, until a deadline.

    Parameters
    ----------
    api
        The address of the API, with a slash at its end.
    token
        Who asks.
    timeout
        Seconds until everything must be over.
    clock, sleep
        Where the time comes from.
    """

    def __init__(
        self,
        api: str,
        token: str,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.api = api
        self.session = requests.Session()
        self.session.auth = Token(token)
        self.session.headers["User-Agent"] = "diffmethods-publish"
        self.clock, self.sleep = clock, sleep
        self.deadline = clock() + timeout

    def ask(self, verb: str, path: str, json: Any = None, known: int = 200) -> Any:
        """What the API answers, as a dictionary; an error for any other answer."""
        wait, longest = BACKOFF
        while True:
            failure, pause = Failure.UNREACHABLE, wait
            try:
                answer = self.session.request(
                    verb,
                    urljoin(self.api, path),
                    json=json,
                    timeout=max(1.0, min(PATIENCE, self.left())),
                    allow_redirects=False,
                )
            except TRANSIENT as error:
                said = f"cannot reach {urlsplit(self.api).netloc}: {kind_of(error)}"
            else:
                if answer.status_code == 429:
                    failure = Failure.THROTTLED
                    said = "Read the Docs answers that there were too many requests"
                    pause = retry_after(answer) or wait
                elif answer.status_code >= 500:
                    failure = Failure.SERVER_ERROR
                    said = f"Read the Docs answers with the error {answer.status_code}"
                else:
                    return understood(answer, known)
            if pause > self.left():
                raise PublishError(
                    failure, f"{said}; no time is left to try again: raise --timeout"
                )
            self.sleep(pause)
            wait = min(2 * wait, longest)

    def left(self) -> float:
        """Seconds before the deadline."""
        return self.deadline - self.clock()

    def pause(self, what: str) -> None:
        """Wait before looking again."""
        if self.left() < PAUSE:
            raise PublishError(
                Failure.TIMED_OUT,
                f"{what}: it may still end well; look at its page, or raise --timeout",
            )
        self.sleep(PAUSE)


def kind_of(error: Exception) -> str:
    """What happened to a connection, without the addresses in requests' own words."""
    return (
        "no answer in time" if isinstance(error, requests.Timeout) else "no connection"
    )


def retry_after(answer: requests.Response) -> float | None:
    """How long the server wants us to wait: seconds, or a date."""
    said = answer.headers.get("Retry-After", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def understood(answer: requests.Response, known: int) -> Any:
    """The content of an answer with a status that was to be expected."""
    status = answer.status_code
    if status in MEANING:
        raise PublishError(*MEANING[status])
    if 300 <= status < 400:
        raise PublishError(
            Failure.NOT_UNDERSTOOD,
            "the API has moved: give its new address by --api-url "
            "(redirects are not followed with a token)",
        )
    if status == 204:
        return {}
    try:
        content = answer.json()
    except requests.JSONDecodeError:
        content = None
    if status == known and isinstance(content, dict):
        return content
    if (
        status == 400
        and isinstance(content, dict)
        and content.get("triggered") is False
    ):
        raise PublishError(
            Failure.NOT_TRIGGERED,
            "Read the Docs did not start a build: is the project set to skip builds, "
            "or the version inactive?",
        )
    raise PublishError(
        Failure.NOT_UNDERSTOOD,
        f"an answer that is not the API's (status {status}): is --api-url right?",
    )


def publish(
    docs: ReadTheDocs, project: str, version: str, tell: Callable[[str], None]
) -> str:
    """Build a version, and return the address where it can be read."""
    home = f"projects/{quote(project, safe='')}/"
    its = f"{home}versions/{quote(version, safe='')}/"
    activate(docs, home, its, version, tell)
    tell("asking for a build")
    begun = docs.ask("POST", f"{its}builds/", known=202)
    try:
        build = f"{home}builds/{int(begun['build']['id'])}/"
        address = begun["version"]["urls"]["documentation"]
        page = begun["build"]["urls"]["build"]
    except (KeyError, TypeError, ValueError) as error:
        raise PublishError(
            Failure.NOT_UNDERSTOOD, f"the answer about the new build lacks {error}"
        ) from error
    for state in states(docs, build, page):
        tell(f"{state['state']['name'].lower()}: {page}")
    if state["state"]["code"] == "cancelled":
        raise PublishError(Failure.CANCELLED, f"the build was cancelled: {page}")
    if not state["success"]:
        why = "".join(f"\n- {reason}" for reason in reasons(docs, build))
        raise PublishError(Failure.BUILD_FAILED, f"the build failed: {page}{why}")
    return str(address)


def activate(
    docs: ReadTheDocs, home: str, its: str, version: str, tell: Callable[[str], None]
) -> None:
    """Make sure that Read the Docs knows the version, and builds it."""
    try:
        found = docs.ask("GET", its)
    except PublishError as error:
        if error.failure is not Failure.NOT_FOUND:
            raise
        docs.ask("GET", home)  # the project, at least, must be there
        tell(f"looking for {version} in the repository")
        docs.ask("POST", f"{home}sync-versions/", known=202)
        found = awaited(docs, its, version)
    if not found.get("active"):
        tell(f"activating {version}")
        docs.ask("PATCH", its, json={"active": True}, known=204)


def awaited(docs: ReadTheDocs, its: str, version: str) -> Any:
    """The version, once it has been found in the repository."""
    while True:
        try:
            return docs.ask("GET", its)
        except PublishError as error:
            if error.failure is not Failure.NOT_FOUND:
                raise
            docs.pause(f"Read the Docs has not found {version}: is the tag pushed?")


def states(docs: ReadTheDocs, build: str, page: str) -> Iterator[Any]:
    """The build as it goes on, until it has ended."""
    while True:
        state = docs.ask("GET", build)
        try:
            code, _, _ = (
                state["state"]["code"],
                state["state"]["name"],
                state["success"],
            )
        except (KeyError, TypeError) as error:
            raise PublishError(
                Failure.NOT_UNDERSTOOD, f"the answer about the build lacks {error}"
            ) from error
        yield state
        if code in ENDED:
            return
        docs.pause(f"the build has not ended: {page}")


def reasons(docs: ReadTheDocs, build: str) -> Iterator[str]:
    """Why a build failed; its own field for that is always empty."""
    found = docs.ask("GET", f"{build}notifications/").get("results", [])
    for notification in found:
        message = notification.get("message", {})
        yield message.get("body") or message.get("header") or "no reason given"


def checked_address(api: str) -> str:
    """The API's address; a token goes out encrypted, or not off this machine."""
    parts = urlsplit(api)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise typer.BadParameter(f"not an address: {api}", param_hint="--api-url")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise typer.BadParameter(
            f"{parts.hostname} by plain http would show the token to everybody on the "
            "way: use https",
            param_hint="--api-url",
        )
    return api if api.endswith("/") else f"{api}/"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_from(variable: str) -> str:
    """The token in an environment variable, fit for a header."""
    token = os.environ.get(variable, "").strip()
    if not token:
        raise PublishError(
            Failure.NO_TOKEN,
            f"the environment variable {variable} holds no token: set it, or name "
            "another one by --token-env",
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise PublishError(
            Failure.NO_TOKEN,
            f"what {variable} holds is not a token: there are spaces or other "
            "characters in it",
        )
    return token


def main(
    project: Annotated[
        str, typer.Option(help="The project's name in its address.")
    ] = "diffmethods",
    version: Annotated[
        str, typer.Option(help="A branch or tag, as Read the Docs names it.")
    ] = "latest",
    api_url: Annotated[str, typer.Option(help="Where the API is.")] = API,
    token_env: Annotated[
        str, typer.Option(help="The environment variable with the token.")
    ] = "READTHEDOCS_TOKEN",
    timeout: Annotated[
        float, typer.Option(min=1.0, help="Seconds until the build must be over.")
    ] = 1200.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; ask nobody.")
    ] = False,
) -> None:
    """Have Read the Docs build a version, and print where to read it."""
    console = Console(stderr=True, highlight=False)
    api = checked_address(api_url)
    try:
        if dry_run:
            rehearse(api, project, version, token_env)
            return
        docs = ReadTheDocs(api, token_from(token_env), timeout)
        with console.status("") as line:
            address = publish(docs, project, version, follower(console, line))
    except PublishError as error:
        console.print(f"publish: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(error.failure) from error
    print(address)


def follower(console: Console, line: Any) -> Callable[[str], None]:
    """A progress line on a terminal; elsewhere a line for each change."""
    start, last = time.monotonic(), ""

    def tell(what: str) -> None:
        nonlocal last
        line.update(f"{time.monotonic() - start:4.0f} s  {what}")
        if what != last and not console.is_terminal:
            console.print(f"{time.monotonic() - start:4.0f} s  {what}", soft_wrap=True)
        last = what

    return tell


def rehearse(api: str, project: str, version: str, variable: str) -> None:
    """Print the requests that would be made."""
    home = f"{api}projects/{project}/"
    there = "set" if os.environ.get(variable, "").strip() else "not set"
    print(
        f"Would ask, with the token in {variable} ({there}):\n"
        f"  GET   {home}versions/{version}/\n"
        f"  POST  {home}sync-versions/   if there is no such version yet\n"
        f"  PATCH {home}versions/{version}/   if it is not active\n"
        f"  POST  {home}versions/{version}/builds/\n"
        f"  GET   {home}builds/.../   until it has ended"
    )


if __name__ == "__main__":
    typer.run(main)
