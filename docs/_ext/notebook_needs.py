"""A downloaded notebook's first cell installs what that notebook needs, and no more.

The extras are those whose library it imports or whose method it names; what else it
imports and no extra brings is installed beside them.
"""

import ast
import importlib.metadata
import inspect
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

from sphinx_gallery import gen_rst

PLOTTING = "diffmethods.plotting"  # the one module of ours that needs more
PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@cache
def extras():
    """The distributions that each extra brings."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return {
        extra: {re.match(r"[\w.-]+", line)[0].lower() for line in lines}
        for extra, lines in project["optional-dependencies"].items()
        if extra not in ("all", "cli")
    }


@cache
def distributions():
    """The distribution that each module comes from."""
    found = importlib.metadata.packages_distributions()
    return {
        module: names[0].lower().replace("_", "-") for module, names in found.items()
    }


def imported(code):
    """The modules that a script imports, and those that our own among them need."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition(".")[0])
            if node.module == PLOTTING:
                found |= imported(inspect.getsource(importlib.import_module(PLOTTING)))
    return found - sys.stdlib_module_names - {"diffmethods", "numpy"}


def install_line(code):
    """The magic that installs what a script imports and names."""
    nodes = ast.walk(ast.parse(code))
    names = {node.value for node in nodes if isinstance(node, ast.Constant)}
    wanted = {distributions().get(module, module) for module in imported(code)}
    chosen = {extra for extra in extras() if extra in names}
    others = wanted.difference(*(extras()[extra] for extra in chosen))
    for library in sorted(others):
        brings = [extra for extra in extras() if library in extras()[extra]]
        chosen |= set(brings[:1])
        others -= {library} if brings else set()
    ours = f"diffmethods[{','.join(sorted(chosen))}]" if chosen else "diffmethods"
    return " ".join(["%pip install -q", f'"{ours}"', *sorted(others)])


def with_needs(write):
    """The gallery's writer of notebooks, with a first cell for each."""

    def jupyter_notebook(blocks, gallery_conf, target_dir):
        code = "\n".join(block[1] for block in blocks if block[0] == "code")
        needs = {"first_notebook_cell": install_line(code)}
        return write(blocks, {**gallery_conf, **needs}, target_dir)

    return jupyter_notebook


def setup(app):
    gen_rst.jupyter_notebook = with_needs(gen_rst.jupyter_notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
