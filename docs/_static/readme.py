"""Draw the README's figure by running the front page's own code."""

import re
from pathlib import Path

HERE = Path(__file__).parent
CELL = r"```{code-cell} ipython3\n:tags: \[remove-input\]\n(.*?)```"
THEMES = (
    "<style>svg { color: #14181e } "
    "@media (prefers-color-scheme: dark) { svg { color: #e6e8ea } }</style>"
)

page = (HERE.parent / "index.md").read_text("utf-8")
cell = re.search(CELL, page, re.S)
names: dict[str, object] = {}
exec(cell[1], names)
drawn = re.sub(r"(<svg[^>]*>)", rf"\1{THEMES}", names["svg"])
(HERE / "readme.svg").write_text(drawn + "\n", "utf-8")
