"""The theme without what no page shows: icons, their font and script, source maps.

Of an icon font of 1,900 signs the site uses about 20. The files that Sphinx has copied
are rewritten after each build: the style sheet loses the rules of absent icons and the
font keeps the signs that the sheet still names.
"""

import re
from pathlib import Path

from fontTools import subset
from sphinx.errors import ExtensionError

RULE = re.compile(r"[^{}]+\{[^{}]*\}")
ICON = re.compile(r"\.(fa-[a-z0-9-]+)")
SIGN = re.compile(r"\\([0-9a-f]{4})(?![0-9a-f])|([\ue000-\uf8ff])")
SHEET = Path("_static/styles/pydata-sphinx-theme.css")
FONTS = Path("_static/vendor/fontawesome/webfonts")
KEPT = "fa-solid-900.woff2"


def without_absent_icons(sheet: str, used: set[str]) -> str:
    """Drop each rule that is only about icons that no page uses."""

    def kept(match: re.Match[str]) -> str:
        rule = match[0]
        selectors = rule[: rule.index("{")].split(",")
        if "@font-face" in selectors[-1]:
            return rule if KEPT in rule else ""
        alive = [
            selector
            for selector in selectors
            if not (names := ICON.findall(selector)) or set(names) <= used
        ]
        return ",".join(alive) + rule[rule.index("{") :] if alive else ""

    return RULE.sub(kept, sheet)


def signs_of(sheet: str) -> set[int]:
    """Return the code points that a style sheet names, as escapes or as they are."""
    return {int(code, 16) if code else ord(sign) for code, sign in SIGN.findall(sheet)}


def keep_signs(path: Path, signs: set[int]) -> None:
    """Rewrite a font with these code points alone."""
    options = subset.Options(flavor="woff2", layout_features=[], hinting=False)
    with subset.load_font(str(path), options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=signs)
        subsetter.subset(font)
        subset.save_font(font, str(path), options)


def slim(app, exception):
    if exception or app.builder.name != "html":
        return
    root = Path(app.outdir)
    if not (root / SHEET).exists() or not (root / FONTS / KEPT).exists():
        raise ExtensionError(f"the theme has no {SHEET} or {KEPT}: change this module")
    pages = "".join(path.read_text(encoding="utf-8") for path in root.rglob("*.html"))
    script = (root / "_static/scripts/pydata-sphinx-theme.js").read_text("utf-8")
    used = set(re.findall(r"\bfa-[a-z0-9-]+", pages + script))
    sheet = without_absent_icons((root / SHEET).read_text("utf-8"), used)
    sheet = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", sheet)
    (root / SHEET).write_text(sheet, encoding="utf-8")
    keep_signs(root / FONTS / KEPT, signs_of(sheet))
    for pattern in ("scripts/*.map", "scripts/fontawesome.*", "styles/*.map"):
        for path in root.glob(f"_static/{pattern}"):
            path.unlink(missing_ok=True)
    for path in (root / FONTS).glob("*.woff2"):
        if path.name != KEPT:
            path.unlink()


def setup(app):
    app.connect("build-finished", slim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
