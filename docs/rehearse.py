"""Rehearse a build on Read the Docs: what .readthedocs.yaml says, step by step, here.

`nox -s readthedocs` runs this.  The commit is cloned into a new folder, each command
of the file runs in a new environment with the variables that Read the Docs sets, and
time and memory are held to its limits.  Then the pages are looked at: their canonical
addresses, the map of the site, and the page for what is not found.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import psutil
import typer
import yaml

ROOT = Path(__file__).parents[1]
MINUTES = 15
GIGABYTES = 7.0
CANONICAL = "https://diffmethods.readthedocs.io/en/latest/"
STEPS = ("post_checkout", "pre_install", "install", "post_install")
BETWEEN_LOOKS = 0.5  # seconds


class RehearsalError(Exception):
    """What Read the Docs would have failed with."""


class Machine:
    """A clean clone, the variables of Read the Docs, and the limits.

    Parameters
    ----------
    folder
        An empty folder for the clone, the environment and the output.
    """

    def __init__(self, folder: Path):
        self.checkout = folder / "checkouts" / "latest"
        self.output = folder / "output"
        environment = folder / "envs" / "latest"
        self.peak = 0.0  # gigabytes
        self.started = time.monotonic()
        kept = ("HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        kept_prefixes = ("PIP_", "UV_", "OPENBLAS_")  # this machine's own needs
        self.variables = {
            name: value
            for name, value in os.environ.items()
            if name in kept or name.startswith(kept_prefixes)
        } | {
            "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
            "VIRTUAL_ENV": str(environment),
            "CI": "True",
            "NO_COLOR": "1",
            "READTHEDOCS": "True",
            "READTHEDOCS_PROJECT": "diffmethods",
            "READTHEDOCS_LANGUAGE": "en",
            "READTHEDOCS_VERSION": "latest",
            "READTHEDOCS_VERSION_NAME": "latest",
            "READTHEDOCS_VERSION_TYPE": "branch",
            "READTHEDOCS_OUTPUT": str(self.output),
            "READTHEDOCS_CANONICAL_URL": CANONICAL,
            "READTHEDOCS_VIRTUALENV_PATH": str(environment),
        }
        for command in (
            ["git", "clone", "--quiet", str(ROOT), str(self.checkout)],
            [sys.executable, "-m", "venv", str(environment)],
        ):
            subprocess.run(command, check=True)

    def run(self, command: str) -> None:
        """Run a command as Read the Docs does, within the limits."""
        print(f"$ {command}", flush=True)
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.checkout,
            env=self.variables,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                self.peak = max(self.peak, memory(process.pid))
                if self.minutes > MINUTES:
                    raise RehearsalError(f"it takes more than {MINUTES} minutes")
                if self.peak > GIGABYTES:
                    raise RehearsalError(f"it takes more than {GIGABYTES} GB of memory")
                time.sleep(BETWEEN_LOOKS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            raise RehearsalError(f"exit status {process.returncode} of: {command}")

    @property
    def minutes(self) -> float:
        """How long it has taken so far."""
        return (time.monotonic() - self.started) / 60


def memory(pid: int) -> float:
    """Gigabytes that a process and all that it started hold; shared pages once each."""
    total = 0
    try:
        first = psutil.Process(pid)
        for process in [first, *first.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:  # it has ended
                continue
    except psutil.Error:
        return 0.0
    return total / 1e9


def commands(configuration: dict) -> list[str]:
    """The commands of the file, in the order in which they run."""
    jobs = configuration["build"]["jobs"]
    steps = [command for step in STEPS for command in jobs.get(step, [])]
    return steps + jobs["build"]["html"]


def problems(site: Path) -> list[str]:
    """What is wrong with the addresses in a built site."""
    found = []
    pages = {page.name: page.read_text("utf-8") for page in site.glob("*.html")}
    for name in ("index.html", "404.html", "chrestomathy.html"):
        if name not in pages:
            found.append(f"there is no {name}")
    canonical = re.compile(r'<link rel="canonical" href="([^"]+)"')
    for name, page in pages.items():
        if name in ("404.html", "genindex.html", "search.html"):
            continue
        if (link := canonical.search(page)) is None:
            found.append(f"{name} has no canonical address")
        elif link[1] not in (CANONICAL + name, CANONICAL):
            found.append(f"{name} has the canonical address {link[1]}")
    sitemap = site / "sitemap.xml"
    addresses = re.findall(r"<loc>(.+?)</loc>", sitemap.read_text("utf-8"))
    if not addresses or not all(each.startswith(CANONICAL) for each in addresses):
        found.append(f"sitemap.xml does not list pages under {CANONICAL}")
    root = urlsplit(CANONICAL).path
    links = re.findall(r'(?:href|src)="([^"#]+)"', pages.get("404.html", ""))
    for link in links:
        if not link.startswith((root, "https:", "data:", "mailto:")):
            found.append(
                f"404.html links to {link}, which depends on where it is shown"
            )
    return found


def main(
    keep: Annotated[
        Path | None, typer.Option(help="Leave the built site in this folder.")
    ] = None,
) -> None:
    """Build the site of the last commit as Read the Docs would."""
    with tempfile.TemporaryDirectory(prefix="readthedocs-") as folder:
        machine = Machine(Path(folder))
        configuration = yaml.safe_load(
            (machine.checkout / ".readthedocs.yaml").read_text("utf-8")
        )
        try:
            for command in commands(configuration):
                machine.run(command)
            wrong = problems(machine.output / "html")
            if wrong:
                raise RehearsalError("\n".join(wrong))
        except RehearsalError as error:
            print(f"The rehearsal failed: {error}", file=sys.stderr)
            raise typer.Exit(1) from error
        if keep:
            shutil.copytree(machine.output / "html", keep, dirs_exist_ok=True)
        print(
            f"\nThe rehearsal took {machine.minutes:.1f} of {MINUTES} minutes and at "
            f"most {machine.peak:.1f} of {GIGABYTES:.0f} GB.\n"
        )


if __name__ == "__main__":
    typer.run(main)
