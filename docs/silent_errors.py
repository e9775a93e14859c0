"""The silent errors of libraries: each case of ``silent_errors.toml``, run and judged.

A case that is no longer wrong by the library alone, or no longer right or refused by
this package, is an `AssertionError`: the page would not be true.
"""

import ast
import linecache
import re
import sys
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffmethods.errors import DiffmethodsError

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from missing_libraries import missing_in

RTOL = 1e-9  # of what is right
WRONG = 1e-6  # more than rounding, also in float32
OWN_ERRORS = DiffmethodsError, IndexError  # the second is NumPy's, and right


@dataclass(frozen=True)
class Case:
    """A program in three parts, each with an answer as its last expression.

    Attributes
    ----------
    library
        Whose error it is.
    title, why
        What goes wrong, and the reason, in Markdown.
    written
        The passage of the library's part that goes wrong.
    native, right, ours
        The parts: the library alone, an independent reference, this package.
    source
        The library's own page about it, if there is one.
    """

    library: str
    title: str
    written: str
    why: str
    native: str
    right: str
    ours: str
    source: str = ""

    @property
    def anchor(self) -> str:
        words = re.findall(r"[a-z0-9]+", f"{self.library} {self.title}".lower())
        return "-".join(words)

    @property
    def missing(self) -> list[str]:
        """The modules that the program needs and that are not installed."""
        return missing_in(self.program)

    @property
    def program(self) -> str:
        """The three parts as one program that prints its three answers."""
        who = (self.library, "the reference", "diffmethods")
        parts = zip(who, (self.native, self.right, self.ours), strict=True)
        return "\n\n".join(f"# By {name}\n{printing(part)}" for name, part in parts)


@dataclass(frozen=True)
class Found:
    """What the three parts of a case answer: values, or the message of an error."""

    native: Any
    right: Any
    ours: Any


CASES = [
    Case(**{key: text.strip() for key, text in case.items()})
    for case in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))[
        "case"
    ]
]


def divided(part: str) -> tuple[str, str]:
    """What a part does first, and its last expression."""
    *_, last = ast.parse(part).body
    lines = part.splitlines()
    return "\n".join(lines[: last.lineno - 1]), "\n".join(lines[last.lineno - 1 :])


def printing(part: str) -> str:
    first, answer = divided(part)
    inner = answer if "\n" not in answer else f"\n{indented(answer)}\n"
    return f"{first}\nprint({inner})".strip()


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def run(case: Case) -> Found:
    """Run the three parts, and judge them.

    Raises
    ------
    AssertionError
        If the library is right or says something, or if this package is wrong.
    """
    space: dict[str, Any] = {"__name__": f"silent_errors.{case.anchor}"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # else it would not be silent
        warnings.simplefilter("ignore", DeprecationWarning)  # of what it uses itself
        native = plain(answer(case.native, space))
    right, ours = (told(part, space) for part in (case.right, case.ours))
    assert not agree(native, right, WRONG), f"{case.library} is right: {case.title}"
    if not isinstance(ours, str):
        assert agree(ours, right, RTOL), f"{case.title}: {ours}, not {right}"
    return Found(native, right, ours)


def answer(part: str, space: dict[str, Any]) -> Any:
    first, last = divided(part)
    path = f"<{space['__name__']} {hash(part)}>"  # found by what reads the source
    linecache.cache[path] = len(part), None, part.splitlines(True), path
    exec(compile(first, path, "exec"), space)
    return eval(compile(last, path, "eval"), space)


def told(part: str, space: dict[str, Any]) -> Any:
    """The answer, or what an error says."""
    try:
        return plain(answer(part, space))
    except OWN_ERRORS as error:
        return f"{type(error).__name__}: {error}"


def plain(value: Any) -> Any:
    """An answer in NumPy's numbers; None where a library has none."""
    return None if value is None else np.array(value, dtype=float)[()]


def agree(one: Any, other: Any, rtol: float) -> bool:
    if any(isinstance(each, str) or each is None for each in (one, other)):
        return False
    if np.shape(one) != np.shape(other):
        return False
    atol = rtol * np.max(np.abs(other))
    return bool(np.allclose(one, other, rtol, atol))


def shown(value: Any) -> str:
    """An answer in a cell of a table: six digits, or the start of an error."""
    if isinstance(value, str):
        words = value.split()
        return " ".join(words[:14]) + (" …" if len(words) > 14 else "")
    if value is None:
        return "None"
    numbers = np.vectorize(lambda number: f"{number + 0.0:.6g}", otypes=[object])(value)
    return str(numbers.tolist()).replace("'", "") if np.ndim(value) else numbers.item()
