"""What the pages show of all methods, computed in one process and written as JSON.

Only this process and the gallery's load every library: ``python docs/perform.py FILE``.
`docs/_ext/performed.py` runs it once for a version of the package and its libraries.
"""

import contextlib
import inspect
import io
import json
import linecache
import math
import re
import shlex
import sys
import time
from dataclasses import asdict
from html import escape
from pathlib import Path
from types import ModuleType

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy_expressions as corpus
import silent_errors
from benchmarks import sweep
from benchmarks.table import Effort, shown
from typer.testing import CliRunner

import diffmethods as dm
from diffmethods.__main__ import app
from diffmethods.comparison import get_or_explain, html_table, plain, rounded
from diffmethods.errors import DiffmethodsError
from diffmethods.expression import CONSTANTS, FUNCTIONS, SPECIAL
from diffmethods.method import Method
from diffmethods.tasks import TASKS, Task, chrestomathy, libraries

WHOLE = 53 * math.log10(2)  # the decimal digits of a float64
OURS = "import diffmethods as dm"
ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "gallery"
COMMANDS = {  # what the page of the command line shows, and the exit status of each
    "command-compare": ('compare "x**3 + 2*x**2 - 3*x + 1" --at 2', 0),
    "command-order": (
        'compare "sin(x)" --at pi/3 --order 2 --methods sympy,dual_numbers',
        0,
    ),
    "command-json": ('compare "tanh(x)" --at 2 --methods dual_numbers --json', 0),
    "command-list": ("list", 0),
    "command-error": ('compare "x^2" --at 2', 2),
}
SHORT = Effort(rounds=3, span=0.0005, largest=1_000, samples=1, patience=0.02)


# The task pages: a snippet for each task and method, and what it prints


def snippet(task: Task, name: str) -> str:
    """A program that does a task by a method, and needs nothing around it."""
    imports, constants, source, f = defined(task)
    given, data = [repr(task.x)], []
    if isinstance(task.x, np.ndarray):
        given, data = ["x"], [assigned("x", task.x)]
    for other in task.others:
        letter = "w" if task.operator == "vjp" else "v"
        given.append(letter)
        data.append(assigned(letter, other))
    options = f', method="{name}"' + (f", order={task.order}" if task.order else "")
    call = f"print(dm.{task.operator}({f}{options})({', '.join(given)}))"
    passages = ["\n".join(constants), source, "\n".join([*data, call])]
    if any(re.search(r"\bnp\.", passage) for passage in passages):
        imports.add("import numpy as np")
    head = "\n\n".join(filter(None, ["\n".join(sorted(imports)), OURS]))
    above, below = filter(None, [head, passages[0]]), passages[2]
    gap = "\n\n\n"  # around a function
    return "\n\n".join(above) + (f"{gap}{source}{gap}" if source else "\n\n") + below


def defined(task: Task) -> tuple[set[str], list[str], str, str]:
    """The imports, constants and source of a task's function, and how to call it."""
    if isinstance(task.f, np.ufunc):
        return set(), [], "", f"np.{task.f.__name__}"
    imports, data = set(), []
    for name, value in inspect.getclosurevars(task.f).globals.items():
        if isinstance(value, ModuleType):
            alias = f" as {name}" if name != value.__name__ else ""
            imports.add(f"import {value.__name__}{alias}")
        else:
            data.append(assigned(name, value))
    source = inspect.getsource(task.f).rstrip()
    head, _, body = source.partition(":\n")
    head = re.sub(r": \w+|( -> \w+)", "", source[: source.index(":\n")])
    return imports, data, f"{head}:\n{body}", task.f.__name__


def assigned(name: str, value: np.ndarray) -> str:
    start = f"{name} = np.array("
    return f"{start}{np.array2string(value, separator=', ', prefix=start)})"


def run(code: str) -> tuple[str, bool]:
    """What a snippet prints, or the message of its refusal; and which of the two."""
    printed, name = io.StringIO(), f"<snippet {hash(code)}>"
    # Methods that read a function's source find it, as they do in a file.
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, name, "exec"), {"__name__": "__main__"})
    except (DiffmethodsError, ModuleNotFoundError) as refusal:
        return f"{type(refusal).__name__}: {refusal}", False
    return printed.getvalue().rstrip(), True


def tasks(table) -> dict:
    """For each task what its page says, and for each method its tab."""
    pages = {}
    for key, task in TASKS.items():
        tabs = {}
        for name, cell in table.cells[key].items():
            code = snippet(task, name)
            output, done = run(code)
            numbers = {k: v for k, v in asdict(cell).items() if k != "value"}
            tabs[name] = numbers | {
                "grade": cell.grade,
                "code": code,
                "output": output,
                "done": done,
            }
        pages[key] = {
            "title": task.title,
            "section": task.section,
            "operator": task.operator,
            "meaning": task.meaning,
            "formula": task.formula,
            "exact": str(rounded(task.exact())),
            "tabs": tabs,
        }
    return pages


# Parts of other pages, by the name that `{performed}` asks for


def digits(comparison) -> str:
    """The front page's figure: a bar of correct digits for each method."""
    rows = [row for row in comparison.rows if row.value is not None]
    count = {
        row.method: min(WHOLE, -math.log10(max(row.relative_error, 1e-99)))
        for row in rows
    }
    exact = [count[m] for m in count if dm.get_method(m).exact]
    others = [count[m] for m in count if not dm.get_method(m).exact]
    finding = (
        f"Correct digits of the slope of tanh at 2, by {len(count)} methods: the exact "
        f"ones keep {int(min(exact))} or more, the others {int(min(others))} to "
        f"{int(max(others))}"
    )
    bars = "".join(
        f'<text x="0" y="{26 * i + 16}">{escape(dm.get_method(name).title)}</text>'
        f'<rect x="200" y="{26 * i + 6}" width="{155 * number / WHOLE:.1f}" height="11"'
        ' rx="2" style="fill: var(--pst-color-primary, #0a7d91)"/>'
        f'<text x="400" y="{26 * i + 16}" text-anchor="end">{number:.1f}</text>'
        for i, (name, number) in enumerate(sorted(count.items(), key=lambda p: p[1]))
    )
    return (
        '<figure style="max-width: 30rem; margin: 1.5rem 0; padding: 0">'
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" font-family="sans-serif" '
        f'viewBox="0 0 400 {26 * len(count)}" aria-label="{finding}" font-size="14" '
        f'fill="currentColor">{bars}</svg><figcaption style="text-align: left; '
        f'padding: 0">{finding}.</figcaption></figure>'
    )


def supported() -> tuple[str, str]:
    """How many NumPy expressions each method takes, and what it refuses, and why."""
    found = [m for name in dm.list_methods() if is_method(m := get_or_explain(name)[1])]
    verdicts = {m.title: corpus.support(m.name) for m in found}
    wrong = [
        (title, str(expression), verdict)
        for title, column in verdicts.items()
        for expression, verdict in column.items()
        if verdict.startswith("wrong")
    ]
    assert not wrong, wrong

    def row(head, members):
        counts = [sum(v[e] == "right" for e in members) for v in verdicts.values()]
        return [f"{head} ({len(members)})", *map(str, counts)]

    categories = dict.fromkeys(e.category for e in corpus.EXPRESSIONS)
    rows = [
        row(c, [e for e in corpus.EXPRESSIONS if e.category == c]) for c in categories
    ]
    rows.append(row("all", corpus.EXPRESSIONS))
    caption = "Expressions differentiated right, by category"
    if missing := [name for name, m in explained().items() if not is_method(m)]:
        caption += "; not installed at this build: " + ", ".join(missing)
    refused = [
        [str(expression), title, verdict.removeprefix("refused: ")]
        for expression in corpus.EXPRESSIONS
        for title, column in verdicts.items()
        if (verdict := column[expression]) != "right"
    ]
    return (
        html_table(["Category", *verdicts], rows, caption),
        html_table(
            ["Expression", "Method", "Reason"], refused, f"{len(refused)} refusals"
        ),
    )


def explained() -> dict[str, Method | str]:
    return dict(map(get_or_explain, dm.list_methods()))


def is_method(found: Method | str) -> bool:
    return isinstance(found, Method)


def link(method: Method) -> str:
    """A reference to the method's page in the gallery, in MyST."""
    page = f"{method.family}/plot_{method.name}.py"
    if not (GALLERY / page).exists():
        return method.title
    label = f"sphx_glr_auto_examples_{page.replace('/', '_')}"
    return f"{{ref}}`{method.title} <{label}>`"


def markdown_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def registry() -> dict[str, str]:
    """The tables of the reference: methods, their ideas, their options."""
    methods = [m for m in explained().values() if isinstance(m, Method)]
    missing = [name for name, m in explained().items() if not is_method(m)]
    note = f"\n\nNot installed at this build: {', '.join(missing)}." if missing else ""
    return {
        "methods": markdown_table(
            ("Method", "Name", "Family", "Exact", "Digits", "Order"),
            [
                (
                    link(m),
                    f"`{m.name}`",
                    m.family,
                    "yes" if m.exact else "no",
                    str(round(-math.log10(m.rtol))),
                    str(m.max_order or "any"),
                )
                for m in methods
            ],
        )
        + note,
        "ideas": markdown_table(
            ("Method", "Idea", "Sources"),
            [
                (
                    m.title,
                    m.summary,
                    f"{{cite:t}}`{','.join(m.references)}`" if m.references else "",
                )
                for m in methods
            ],
        ),
        "options": markdown_table(
            ("Method", "Option", "Meaning"),
            [
                (m.title, f"`{option}`", meaning)
                for m in methods
                for option, meaning in m.options.items()
            ],
        ),
    }


def commands() -> dict[str, str]:
    """Commands and their output as a terminal shows them; the names in formulas."""
    found = {}
    for name, (arguments, status) in COMMANDS.items():
        done = CliRunner().invoke(app, shlex.split(arguments), prog_name="diffmethods")
        assert done.exit_code == status, done.output
        found[name] = f"```console\n$ diffmethods {arguments}\n{done.output}```"
    names = {"functions": FUNCTIONS, "special": SPECIAL, "constants": CONSTANTS}
    for name, members in names.items():
        found[f"formula-{name}"] = ", ".join(f"`{each}`" for each in sorted(members))
    return found


def measured() -> str:
    """Some costs, measured now, beside those of the recorded run of the benchmarks."""
    record = ROOT / "docs" / "_static" / "benchmarks.json"
    recorded = json.loads(record.read_text("utf-8"))["sweeps"]
    ours = [name for name in dm.list_methods() if not libraries(name)]
    rows = []
    for title in sweep.SWEEPS:
        now = sweep.ratios(title, ours, SHORT, everyone=False)
        for who, curve in sorted(now.items()):
            n = max(curve)
            then = recorded[title].get(who, {}).get(str(n))
            figures = (shown(then, "") if then else "", shown(curve[n], ""))
            rows.append((title, who, f"{n:,}", *figures))
    return markdown_table(("Task", "Method", "n", "Recorded", "Now"), rows)


def silent() -> dict[str, str]:
    """What libraries answer without a word: the table, and the programs."""
    rows, passages, library = [], [], ""
    for case in silent_errors.CASES:
        title = f"[{case.title}](#{case.anchor})"
        written = f"`{case.written}`"
        if case.missing:
            cells = (f"not run: built without {', '.join(case.missing)}", "", "")
        else:
            found = silent_errors.run(case)
            answers = (found.native, found.right, found.ours)
            cells = tuple(map(silent_errors.shown, answers))
        row = (case.library, title, written, *cells)
        rows.append(tuple(cell.replace("|", r"\|") for cell in row))
        if case.library != library:
            library = case.library
            passages.append(f"## {library}")
        more = f" {library} on it: <{case.source}>." if case.source else ""
        passages += [
            f"({case.anchor})=\n### {case.title}",
            case.why + more,
            f"```python\n{case.program}\n```",
        ]
    head = ("Library", "Error", "What you write", "It says", "Right", "diffmethods")
    return {
        "silent-errors": markdown_table(head, rows),
        "silent-error-programs": "\n\n".join(passages),
    }


def everything() -> dict:
    table = chrestomathy()
    comparison = dm.compare(np.tanh, 2.0)
    support, refusals = supported()
    html = {
        "chrestomathy": table._repr_html_(),
        "capabilities": dm.capabilities()._repr_html_(),
        "comparison": comparison._repr_html_(),
        "digits": digits(comparison),
        "support": support,
        "refusals": refusals,
    }
    methods = {
        name: {"title": m.title, "family": m.family}
        if isinstance(m, Method)
        else {"title": name, "family": "", "missing": m}
        for name, m in table.methods.items()
    }
    return {
        "html": html,
        "markdown": {
            **registry(),
            **commands(),
            **silent(),
            "measured": measured(),
        },
        "methods": methods,
        "tasks": tasks(table),
    }


if __name__ == "__main__":
    start = time.perf_counter()
    result = everything()
    target = Path(sys.argv[1])
    new = target.with_suffix(".new")
    new.write_text(json.dumps(result, default=plain), "utf-8")
    new.replace(target)
    took, used = time.perf_counter() - start, time.process_time()
    print(f"performed in {took:.0f} s, {used:.0f} s of the processor's time")
