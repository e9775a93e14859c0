"""A page for each task: what it is, and a tab for each method with code and output.

Everything comes from `diffmethods.tasks` by way of `docs/perform.py`, and from the
gallery's pages; nothing is written twice.
"""

import math
import re
from pathlib import Path
from textwrap import dedent, indent

from diffmethods.tasks import rounded, tab
from performed import results

INDEX = """\
By task
=======

A page for each thing that you may want: what it is, and for each method a program to
copy, with what it printed when this site was built. The same tasks are the columns of
:doc:`the chrestomathy </chrestomathy>`.

.. toctree::
   :maxdepth: 1

"""
PIECE = re.compile(r"^\.\. GENERATED FROM PYTHON SOURCE LINES .*\n", re.M)
HEADING = re.compile(r"^(.+)\n-{3,}\n", re.M)
SEE_ALSO = re.compile(r"^See also\n-{3,}\n", re.M)


def write_pages(app):
    found = results(app)
    folder = Path(app.srcdir, "tasks")
    pages = {"index": INDEX + "".join(f"   {key}\n" for key in found["tasks"])}
    for key, task in found["tasks"].items():
        pages[key] = page(key, task, found["methods"], Path(app.srcdir))
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def page(key, task, methods, docs):
    tabs = {name: task["tabs"][name] for name in methods}
    parts = [
        heading(task["title"], "="),
        task["meaning"],
        f".. math::\n\n   {task['formula']}",
        "From 50 digits, rounded to float64, it is",
        block("none", task["exact"]),
        *(idioms(methods, docs) if key == "point" else []),
        heading("By method"),
        f"By :func:`diffmethods.{task['operator']}`: each program runs as it stands, "
        "and below it is what came out when this page was built.",
        tab_set(
            tab_item(key, name, methods[name], done, task["section"], best(tabs))
            for name, done in tabs.items()
        ),
        heading("Which one?"),
        verdict(tabs, methods),
        ":doc:`/choosing` asks what your function is like; :doc:`/chrestomathy` sets "
        "all methods against all tasks.",
    ]
    return "\n\n".join(parts) + "\n"


def heading(text, line="-"):
    return f"{text}\n{line * len(text)}"


def block(language, text):
    return f".. code-block:: {language}\n\n{indent(text, '   ')}"


def tab_set(items):
    return ".. tab-set::\n   :sync-group: method\n\n" + indent(
        "\n\n".join(items), "   "
    )


def tab_item(key, name, method, done, section, opened):
    body = [
        block("python", done["code"]),
        "It prints" if done["done"] else "It refuses",
    ]
    body += [block("none", done["output"]), link(name, method, section)]
    if done["grade"] != "none":
        body.insert(-1, measured(done))
    head = f".. tab-item:: {method['title']}\n   :name: {tab(key, name)}"
    options = f"   :sync: {name}" + ("\n   :selected:" if name == opened else "")
    return f"{head}\n{options}\n\n{indent(body_text(body), '   ')}"


def body_text(parts):
    return "\n\n".join(filter(None, parts))


def measured(done):
    return f"Error: {ulp(done)}. Time: {rounded(done['time_ratio'])} times that of f."


def ulp(done):
    error = done["error_ulp"]
    if not math.isfinite(error):
        return "without bound"
    if error < 1e4:
        return f"{rounded(error)} :term:`ulp`"
    return f":math:`10^{{{math.log10(error):.0f}}}` :term:`ulp`"


def link(name, method, section):
    """To the passage on the method's own page."""
    if not method["family"]:
        return ""
    anchor = section.lower().replace(" ", "-")
    address = f"../auto_examples/{method['family']}/plot_{name}.html#{anchor}"
    return f"`{method['title']}: {section} <{address}>`__"


def best(tabs):
    """The quickest of the most accurate, which the page shows first."""
    grades = ("exact", "good", "rough", "wrong", "none")

    def rank(name):
        return grades.index(tabs[name]["grade"]), tabs[name]["time_ratio"] or 0.0

    return min(tabs, key=rank)


def verdict(tabs, methods):
    """The most accurate and the quickest, as measured."""
    done = {name: each for name, each in tabs.items() if each["grade"] != "none"}

    def told(name):
        each = done[name]
        cost = rounded(each["time_ratio"])
        title = methods[name]["title"]
        return f"{title} ({ulp(each)}, {cost} times the time of f)"

    if not done:
        return "None of the methods that are installed does it."
    accurate = min(done, key=lambda n: (done[n]["error_ulp"], done[n]["time_ratio"]))
    quick = min(done, key=lambda n: done[n]["time_ratio"])
    exact = [name for name in done if done[name]["grade"] == "exact"]
    lines = [
        f"Of {len(tabs)} methods {len(done)} do it, {len(exact)} of them to within 16 "
        "ulp.",
        f"- Most accurate: {told(accurate)}.",
        f"- Quickest: {told(quick)}.",
    ]
    if exact:
        lines.append(f"- Quickest of those within 16 ulp: {told(best(tabs))}.")
    return lines[0] + "\n\n" + "\n".join(lines[1:])


# Between these pages and the gallery


def idioms(methods, docs):
    """Each method's native idiom: its page's first passage, as the gallery ran it."""
    items = []
    for name, method in methods.items():
        path = docs / "auto_examples" / method["family"] / f"plot_{name}.rst"
        if method["family"] and path.exists():
            text = indent(idiom(path.read_text("utf-8")), "   ")
            head = f".. tab-item:: {method['title']}\n   :sync: {name}"
            items.append(f"{head}\n\n{text}")
    if not items:
        return []
    said = "What each method's own page starts with needs nothing of this package."
    return [heading("In its own words"), said, tab_set(items)]


def idiom(gallery_page):
    """What stands under "In one line" before this package comes in."""
    pieces = iter(PIECE.split(gallery_page))
    passage = [next(p for p in pieces if p.lstrip().startswith("In one line\n---"))]
    passage[0] = HEADING.sub("", passage[0], count=1)
    for piece in pieces:
        if HEADING.search(piece):
            break
        if ".. code-block:: Python" in piece and "    import diffmethods" in piece:
            passage.pop()  # the sentence about this package
            break
        passage.append(piece)
    return dedent("\n".join(passage)).strip()


def link_back(app, docname, source):
    """On a method's page, name the tasks that it does."""
    folder, _, name = docname.rpartition("/plot_")
    if not folder.startswith("auto_examples/"):
        return
    found = results(app)
    if name not in found["methods"]:
        return
    links = ", ".join(
        f":ref:`{task['title']} <{tab(key, name)}>`"
        for key, task in found["tasks"].items()
        if task["tabs"][name]["grade"] != "none"
    )
    said = f"\nBeside the other methods, by task: {links}.\n\n" if links else ""
    source[0] = SEE_ALSO.sub(lambda match: match[0] + said, source[0], count=1)


def setup(app):
    app.connect("builder-inited", write_pages, priority=950)  # after the results
    app.connect("source-read", link_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
