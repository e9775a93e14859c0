"""The checks before a release, and those after a rehearsal of the site's build."""

import importlib.util
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
if not (DOCS / "release.py").is_file():
    pytest.skip("releases are made in the repository alone", allow_module_level=True)


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


release, rehearse = script("release"), script("rehearse")


@pytest.mark.parametrize("tag", ["v1.2.3", "v0.1", "v1.0rc1"])
def test_tags(tag):
    assert f"v{release.version_of(tag)}" == tag


@pytest.mark.parametrize("tag", ["1.2.3", "version", "v1.2.3-final-2", "v", "v01.2"])
def test_tags_that_are_no_versions(tag):
    with pytest.raises(release.ReleaseError, match="is not v and a version"):
        release.version_of(tag)


CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n## 1.0.1 (2026-01-02)\n\n- B\n\n## 1.0\n\n- A\n"
)


def test_sections_of_the_changelog():
    assert release.section(CHANGELOG, "1.0.1") == "- B"
    assert release.section(CHANGELOG, "1.0") == "- A"


@pytest.mark.parametrize("title", ["Unreleased", "2.0", "1"])
def test_nothing_in_the_changelog(title):
    with pytest.raises(release.ReleaseError, match=f"nothing under '## {title}'"):
        release.section(CHANGELOG, title)


def test_the_changelog_has_something_to_release():
    assert release.section((DOCS.parent / "CHANGELOG.md").read_text(), "Unreleased")


def test_a_failing_command_ends_the_release():
    with pytest.raises(release.ReleaseError, match="failed"):
        release.run(sys.executable, "-c", "raise SystemExit(3)")


def test_the_commands_of_read_the_docs():
    import yaml

    configuration = yaml.safe_load((DOCS.parent / ".readthedocs.yaml").read_text())
    commands = rehearse.commands(configuration)
    assert commands[-1].startswith("nox ")
    assert '"$READTHEDOCS_OUTPUT/html"' in commands[-1]
    assert any(command.startswith("pip install") for command in commands)


def site(folder, link, address=rehearse.CANONICAL):
    for name in ("index.html", "chrestomathy.html"):
        head = f'<link rel="canonical" href="{link + name}" />'
        (folder / name).write_text(head)
    (folder / "404.html").write_text(f'<a href="{address}index.html">front page</a>')
    (folder / "sitemap.xml").write_text(f"<loc>{link}index.html</loc>")
    return rehearse.problems(folder)


def test_addresses(tmp_path):
    assert site(tmp_path, rehearse.CANONICAL) == []


def test_wrong_addresses(tmp_path):
    found = site(tmp_path, "https://elsewhere.example/", "relative/")
    assert [line.partition(" ")[0] for line in found] == [
        "index.html",
        "chrestomathy.html",
        "sitemap.xml",
        "404.html",
    ] or len(found) == 4
    (tmp_path / "404.html").unlink()
    (tmp_path / "index.html").write_text("")
    assert any("no 404.html" in line for line in rehearse.problems(tmp_path))
    assert any("no canonical" in line for line in rehearse.problems(tmp_path))
