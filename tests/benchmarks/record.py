"""A run as JSON: the rows, the sweeps, the date, the machine and the versions."""

import datetime
import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.table import Outcome

RECORDED = Path(__file__).parents[2] / "docs" / "_static" / "benchmarks.json"
PACKAGES = (
    *("diffmethods", "numpy", "scipy", "numdifftools", "autograd", "jax", "torch"),
    *("casadi", "algopy", "num-dual", "autoray", "sympy"),
)


def machine() -> dict[str, Any]:
    """What a reader needs to know of the computer."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def processor() -> str:
    """The processor's own name where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions of what is installed, of this package and of the peers."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def to_dict(
    outcomes: Sequence[Outcome], sweeps: dict[str, Any], started: dict[str, Any]
) -> dict[str, Any]:
    """All of a run in plain lists and numbers."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": started,
        "versions": versions(),
        "rows": [outcome.to_dict() for outcome in outcomes],
        "sweeps": sweeps,
    }


def write(path: Path, run: dict[str, Any]) -> None:
    path.write_text(
        json.dumps(plain(run), indent=1, ensure_ascii=False) + "\n", "utf-8"
    )


def plain(tree: Any) -> Any:
    """JSON has no infinity: it becomes a word; floats keep the digits that count."""
    if isinstance(tree, dict):
        return {str(key): plain(branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(branch) for branch in tree]
    if isinstance(tree, float):
        return float(f"{tree:.4g}") if abs(tree) < float("inf") else str(tree)
    return tree
