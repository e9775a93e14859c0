"""Pages whose libraries are missing: shown with their code, and said not to have run.

What a page needs is what it imports, what the methods import that it names, and what
all those require.  A site can so be built with any part of the libraries, and says
where it is not whole.
"""

import ast
import importlib.metadata
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
METHODS = ROOT / "src" / "diffmethods" / "methods"
CELL = re.compile(  # the code of a cell, without its options
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?\n---\n|(?::[^\n]*\n)*)(.*?)^```", re.M | re.S
)


@cache
def missing(page):
    """Name the modules that a script or a notebook needs and that are not there."""
    text = Path(page).read_text("utf-8")
    if Path(page).suffix == ".md":
        text = "\n".join(map(without_magic, CELL.findall(text)))
    return missing_in(text)


def missing_in(code):
    """Name the modules that some code needs and that are not there."""
    nodes = list(ast.walk(ast.parse(code)))
    lacking = set().union(*map(absent, imported(nodes)))
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            lacking |= behind(node.value)
    return sorted(lacking)


@cache
def absent(module):
    """What is not there for a module to be imported."""
    if is_ours(module):
        return set()
    if not find_spec(module):
        return {module}
    return unmet(distributions().get(module, ()))


def unmet(wanted):
    """Which of some distributions and of what they require are not there."""
    known, lacking, wanted = set(), set(), list(wanted)
    while wanted:
        name = wanted.pop()
        if name not in known:
            known.add(name)
            try:
                wanted += requirements(name)
            except importlib.metadata.PackageNotFoundError:
                lacking.add(name)
    return lacking


@cache
def distributions():
    return importlib.metadata.packages_distributions()


@cache
def requirements(distribution, extra=""):
    """The distributions that one requires here, with an extra or without."""
    lines = importlib.metadata.requires(distribution) or ()
    found = map(Requirement, lines)
    return [
        canonicalize_name(each.name)
        for each in found
        if not each.marker or each.marker.evaluate({"extra": extra})
    ]


def needing(name):
    """A distribution, and all that cannot be without it but this package."""
    found = {canonicalize_name(name)}
    every = {canonicalize_name(d.name) for d in importlib.metadata.distributions()}
    needs = {n: set(requirements(n)) for n in every - {"diffmethods"}}
    while more := {n for n in needs.keys() - found if found & needs[n]}:
        found |= more
    return sorted(found)


def imported(nodes):
    """The modules of import statements."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@cache
def behind(word):
    """What is not there for a method of this name to be used."""
    module = METHODS / f"{word}.py"
    if not (word.isidentifier() and module.exists()):
        return set()
    modules = imported(ast.parse(module.read_text("utf-8")).body)
    lacking = set().union(*map(absent, modules))
    return lacking or unmet(requirements("diffmethods", word))


def is_ours(name):
    """Whether a page finds the module in the repository."""
    homes = (ROOT / "tests", ROOT / "docs" / "_ext")
    return any(
        (home / each).exists() for home in homes for each in (name, f"{name}.py")
    )


def without_magic(code):
    return re.sub(r"^\s*[%!].*$", "", code, flags=re.M)


def to_run(gallery):
    """A pattern of the gallery's scripts that can run here."""
    scripts = [s for s in sorted(Path(gallery).rglob("plot_*.py")) if not missing(s)]
    return "|".join(f"/{s.stem}\\.py$" for s in scripts) or "^$"


def not_to_run(docs):
    """The notebooks of a folder that cannot run here, by their paths in it."""
    pages = [page for page in sorted(Path(docs).rglob("*.md")) if missing(page)]
    return [page.relative_to(docs).as_posix() for page in pages]


def say_so(app, docname, source):
    """Put a note under the title of a page that has not run."""
    page = Path(app.env.doc2path(docname))
    is_notebook = page.suffix == ".md"
    script = page if is_notebook else page.with_suffix(".py")
    if not (is_notebook or page.name.startswith("plot_")) or not script.exists():
        return
    if lacking := missing(script):
        words = (
            f"This page has not run: the site was built without {', '.join(lacking)}."
        )
        note = WARNING[is_notebook].format(words)
        title = TITLE[is_notebook].search(source[0]).end()
        text = source[0][:title] + note + source[0][title:]
        source[0] = text.replace(*LANGUAGE, 1) if is_notebook else text


# By whether a page is a notebook in Markdown.
TITLE = {True: re.compile(r"^# .+\n", re.M), False: re.compile(r"^.+\n=+\n", re.M)}
WARNING = {True: "\n:::{{warning}}\n{}\n:::\n", False: "\n.. warning::\n\n   {}\n\n"}
# A notebook that runs learns its language from the kernel.
LANGUAGE = ("\nkernelspec:\n", "\nkernelspec:\n  language: python\n")


def setup(app):
    app.connect("source-read", say_so)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
