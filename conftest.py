"""Examples of README and pages as tests: every code block in Markdown runs, by Sybil.

The doctests of docstrings are pytest's own (`--doctest-modules`). A block that cannot
run by itself is left out by a comment before it: `% skip: next` in a page of the site,
`<!-- skip: next -->` in the README.
"""

import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers import myst
from sybil.parsers.myst.lexers import DirectiveLexer

FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE


# Sphinx's own files are no modules of the package.
collect_ignore_glob = ["docs/*.py"]


class CodeCellParser:
    """The cells of a MyST notebook, run in order in one namespace."""

    lexer = DirectiveLexer("code-cell")
    evaluator = PythonEvaluator()

    def __call__(self, document):
        for region in self.lexer(document):
            region.parsed = region.lexemes["source"]
            region.evaluator = self.evaluator
            yield region


def close_figures(namespace):
    """Leave no figures to the next page."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


pytest_collect_file = Sybil(
    parsers=[
        CodeCellParser(),
        myst.DocTestDirectiveParser(optionflags=FLAGS),
        myst.PythonCodeBlockParser(doctest_optionflags=FLAGS),
        myst.SkipParser(),
    ],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    teardown=close_figures,
).pytest()
