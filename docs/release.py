"""Make a release: check tag and changelog, build, and try the wheel by itself.

`nox -s release` runs this; nothing is uploaded.  With `--dry-run` the commit needs no
tag, and the changelog's section of what is unreleased stands for the version's.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
FORMULA = ("compare", "tanh(x)", "--at", "2")
QUICK = ("tests/test_operators.py", "tests/test_method.py", "tests/test_import.py")
TESTS = ("hypothesis", "mpmath", "pytest")


class ReleaseError(Exception):
    """A reason not to release."""


def version_of(tag: str) -> Version:
    """The version that a tag names."""
    try:
        version = Version(tag.removeprefix("v"))
    except InvalidVersion:
        version = None
    if not tag.startswith("v") or version is None or f"v{version}" != tag:
        raise ReleaseError(f"the tag {tag!r} is not v and a version, as v1.2.3")
    return version


def tag_here() -> str:
    """The tag of the commit."""
    done = run("git", "describe", "--tags", "--exact-match", "HEAD", quiet=True)
    if done.returncode:
        raise ReleaseError("this commit has no tag: git tag v1.2.3")
    return done.stdout.strip()


def section(changelog: str, title: str) -> str:
    """What the changelog says of a version."""
    pattern = rf"^## \[?{re.escape(title)}(?:\]| |$).*?\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, changelog, re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md says nothing under '## {title}'")
    return found[1].strip()


def run(*command: str | Path, quiet: bool = False, cwd: Path = ROOT):
    """Run a command; its failure is a reason not to release, unless it is quiet."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, text=True, capture_output=quiet, check=False
    )
    if done.returncode and not quiet:
        raise ReleaseError(f"{' '.join(map(str, command))} failed")
    return done


def build(folder: Path) -> tuple[Path, Path]:
    """Build both archives of the commit, and have them checked."""
    run(sys.executable, "-m", "build", "--outdir", folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    return sdist, wheel


def try_alone(sdist: Path, wheel: Path, folder: Path) -> None:
    """The wheel in an environment of its own passes quick tests out of the sdist."""
    constraints = ROOT / "constraints.txt"
    run(sys.executable, "-m", "venv", folder / "env")
    python = folder / "env" / "bin" / "python"
    install = (python, "-m", "pip", "install", "--quiet", "--constraint", constraints)
    run(*install, f"{wheel}[cli]", *TESTS)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = (path for path in folder.glob("diffmethods-*") if path.is_dir())
    shutil.rmtree(source / "src")  # so that the wheel is tested, not the source
    run(python, "-m", "pytest", "-q", *QUICK, cwd=source)
    run(python, "-m", "diffmethods", *FORMULA, cwd=folder)


def main(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Without a tag, from any commit.")
    ] = False,
    output: Annotated[Path, typer.Option(help="Where the archives go.")] = ROOT
    / "dist",
) -> None:
    """Check, build and try a release."""
    try:
        changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
        if dry_run:
            section(changelog, "Unreleased")
        else:
            if run("git", "status", "--porcelain", quiet=True).stdout:
                raise ReleaseError("there are changes that are not committed")
            section(changelog, str(version_of(tag_here())))
        with tempfile.TemporaryDirectory(prefix="release-") as name:
            sdist, wheel = build(Path(name) / "dist")
            if not dry_run and f"-{version_of(tag_here())}-" not in wheel.name:
                raise ReleaseError(f"{wheel.name} has not the version of the tag")
            try_alone(sdist, wheel, Path(name))
            output.mkdir(exist_ok=True)
            for archive in (sdist, wheel):
                shutil.copy(archive, output)
                print(output / archive.name)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
