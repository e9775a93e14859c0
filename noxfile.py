"""Every task of the project; `nox --list` shows what each one does."""

import argparse
import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_external_run = True
nox.options.sessions = ["tests"]

ROOT = Path(__file__).parent
SITE = ROOT / "build" / "html"
PARALLEL = ("--numprocesses=logical", "--dist=worksteal")
SPHINX = ("sphinx-build", "-W", "-n", "-b", "html")
# constraints.txt is made for 3.11; where that is missing, the running Python will do.
PINNED = sys.version_info[:2] == (3, 11) or shutil.which("python3.11")
PYTHON = "3.11" if PINNED else None


def install(session: nox.Session, *what: str) -> None:
    """Install with the versions of constraints.txt, whichever installer nox picked."""
    constraints = str(ROOT / "constraints.txt")
    env = {"PIP_CONSTRAINT": constraints, "UV_CONSTRAINT": constraints}
    if links := os.environ.get("PIP_FIND_LINKS"):
        env["UV_FIND_LINKS"] = links  # uv does not read pip's variable
    session.install(*what, env=env)


def output(session: nox.Session) -> tuple[Path, list[str]]:
    """Return the site's folder (`--output DIR` or build/html) and other arguments."""
    parser = argparse.ArgumentParser(prog=f"nox -s {session.name} --")
    parser.add_argument("--output", type=Path, default=SITE, metavar="DIR")
    known, rest = parser.parse_known_args(session.posargs)
    return (Path(session.invoked_from) / known.output).resolve(), rest


@nox.session(python=PYTHON)
def tests(session: nox.Session) -> None:
    """Run the tests and measure what they cover of the package."""
    install(session, "-e.[all]", "--group=tests")
    partial = ["--cov-fail-under=0"] if session.posargs else []
    session.run("pytest", *PARALLEL, "--cov", *partial, *session.posargs)


@nox.session(python=PYTHON)
def minimal(session: nox.Session) -> None:
    """Run the tests and build the site with NumPy and SymPy alone."""
    install(session, "-e.[sympy]", "--group=tests")
    session.run("pytest", *PARALLEL, *session.posargs)
    session.run(*SPHINX, "-d", "build/minimal/doctrees", "docs", "build/minimal/html")


@nox.session(python=PYTHON)
def without(session: nox.Session) -> None:
    """Build the site without one library and what needs it: `-- scipy torch`."""
    if not session.posargs:
        session.error("name what to leave out: `nox -s without -- jax torch`")
    for name in session.posargs:
        install(session, "pip", "-e.[all]", "--group=docs")
        code = f"from missing_libraries import needing; print(*needing({name!r}))"
        env = {"PYTHONPATH": str(ROOT / "docs" / "_ext")}
        gone = str(session.run("python", "-c", code, env=env, silent=True)).split()
        session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", *gone)
        folder = ROOT / "build" / f"without-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        clean = ("git", "clean", "-qfdX", "--", "docs")
        session.run(*clean, external=True)  # no page of another build stays
        session.run(*SPHINX, "-d", f"{folder}/doctrees", "docs", f"{folder}/html")


@nox.session(python=PYTHON)
def doctests(session: nox.Session) -> None:
    """Run every example of the docstrings, the README and the pages of docs."""
    install(session, "-e.[all]", "--group=doctests")
    session.run(
        "pytest",
        "--doctest-modules",
        *(session.posargs or ["src", "README.md", "docs"]),
        env={"MPLBACKEND": "agg"},
    )


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Build the site into build/html, or into DIR with `-- --output DIR`."""
    folder, _ = output(session)
    install(session, "-e.[all]", "--group=docs")
    options = os.environ.get("SPHINXOPTS", "").split()
    session.run(*SPHINX, "-d", "build/doctrees", *options, "docs", str(folder))
    print(f"\nThe site is built. Open it in a browser:\n\n    {folder}/index.html\n")


@nox.session(python=PYTHON, requires=["docs"])
def browser(session: nox.Session) -> None:
    """Test the built site in chromium: access, links, weight, search, small screens."""
    folder, rest = output(session)
    install(session, "--group=browser")
    session.run(
        *("pytest", *PARALLEL, "tests/site", "--confcutdir=tests/site"),
        *(f"--site={folder}", *rest),
        env={"CHROMIUM": find_chromium(session)},
    )


def find_chromium(session: nox.Session) -> str:
    """Return a chromium's path, installed by apt-get where that is possible."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    if found := next(filter(None, map(shutil.which, names)), None):
        return found
    if shutil.which("apt-get") and os.geteuid() == 0:
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        session.run("apt-get", "update", "-q", external=True, silent=True)
        command = ("apt-get", "install", "-qy", "--no-install-recommends", "chromium")
        session.run(*command, external=True, silent=True, env=env)
        if found := shutil.which("chromium"):
            return found
    session.error(
        "no chromium on the path: install one, "
        "on Debian by `sudo apt-get install chromium`"
    )


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Check style, types, spelling and the two files that others read by a schema."""
    install(session, "-e.[cli]", "--group=lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("codespell")
    for schema, file in (
        ("vendor.readthedocs", ".readthedocs.yaml"),
        ("vendor.citation-file-format", "CITATION.cff"),
    ):
        session.run("check-jsonschema", "--builtin-schema", schema, file)


@nox.session(python=PYTHON)
def live(session: nox.Session) -> None:
    """Serve the site at http://127.0.0.1:8000 and rebuild it when a file changes."""
    install(session, "-e.[all]", "--group=live")
    ignored = (
        *("docs/auto_examples", "docs/generated", "docs/tasks"),
        "docs/sg_execution_times.rst",
    )
    session.run(
        *("sphinx-autobuild", "-n", "-d", "build/doctrees", "--watch=src"),
        *("--watch=gallery", *(f"--ignore={ROOT / path}" for path in ignored)),
        *(*session.posargs, "docs", str(SITE)),
    )


@nox.session(python=PYTHON)
def benchmarks(session: nox.Session) -> None:
    """Print the table of speed and accuracy; `--peers` adds PyTorch and algopy."""
    peers = ["--group=peers"] if "--peers" in session.posargs else []
    options = [option for option in session.posargs if option != "--peers"]
    install(session, "-e.[all]", "--group=benchmarks", *peers)
    session.run("python", "tests/benchmarks/run.py", *options)


@nox.session(python=PYTHON)
def publish(session: nox.Session) -> None:
    """Have Read the Docs build the site; `-- --dry-run` says what would be asked."""
    install(session, "--group=publish")
    session.run("python", "docs/publish.py", *session.posargs)


@nox.session(python=PYTHON)
def release(session: nox.Session) -> None:
    """Check the tag, build the archives into dist, and try the wheel by itself."""
    install(session, "--group=release")
    session.run("python", "docs/release.py", *session.posargs)


@nox.session(python=PYTHON)
def readthedocs(session: nox.Session) -> None:
    """Rehearse a build on Read the Docs, within its limits of time and memory."""
    install(session, "--group=rehearsal")
    session.run("python", "docs/rehearse.py", *session.posargs)


@nox.session(python=PYTHON)
def inventories(session: nox.Session) -> None:
    """Refresh the addresses of other projects' pages in docs/_inv (needs a network)."""
    install(session, "sphinx")
    session.run("python", "docs/_inv/refresh.py", *session.posargs)
