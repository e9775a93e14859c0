"""Bring the small inventories up to date: the names stay, the pages may move.

Each NAME.inv lists the objects of a project that our pages refer to. To refer to one
more, add its line (`name kind page`) and run `nox -s inventories`.
"""

import tomllib
import urllib.request
from pathlib import Path

from sphinx.util.inventory import InventoryFile

HERE = Path(__file__).parent
HEAD = 3  # the lines before the first object


def refreshed(text: str, full: bytes) -> str:
    """Return the inventory with the pages that the project's full inventory gives."""
    *head, _ = text.split("\n", HEAD)
    known = InventoryFile.loads(full, uri="").data
    lines = []
    for line in text.splitlines()[HEAD:]:
        name, kind, _ = line.split(maxsplit=2)
        role = "py:module" if kind == "mod" else f"py:{kind}"
        if name not in known.get(role, {}):
            raise LookupError(f"{name} is no {role} of {head[1].removeprefix('# ')}")
        page = known[role][name].uri.partition("#")[0]
        lines.append(f"{name} {kind} {page}")
    return "\n".join([*head, *sorted(lines)]) + "\n"


def main():
    projects = tomllib.loads((HERE / "projects.toml").read_text())
    for name, url in projects.items():
        with urllib.request.urlopen(url + "objects.inv") as answer:
            full = answer.read()
        path = HERE / f"{name}.inv"
        path.write_text(refreshed(path.read_text(), full))
        print(f"{name}: {len(path.read_text().splitlines()) - HEAD} names")


if __name__ == "__main__":
    main()
