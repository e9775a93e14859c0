"""How Sphinx builds the site: gallery and notebooks run, nothing comes from afar."""

import hashlib
import os
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from packaging.version import Version

import diffmethods
from diffmethods.method import FAMILIES

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS / "_ext"))
import missing_libraries

project = "diffmethods"
author = "The diffmethods developers"
copyright = "the diffmethods developers; texts CC BY 4.0, code MIT"
release = diffmethods.__version__
version = Version(release).base_version
html_baseurl = os.environ.get(
    "READTHEDOCS_CANONICAL_URL", "https://diffmethods.readthedocs.io/en/latest/"
)

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "sphinxext.opengraph",
    "sphinx_sitemap",
    "notfound.extension",
    *sorted(
        path.stem
        for path in (DOCS / "_ext").glob("*.py")
        if "\ndef setup(app)" in path.read_text("utf-8")
    ),
]
nitpicky = True
exclude_patterns = [
    "_build",
    "_inv",
    # myst-nb would run the gallery a second time.
    "auto_examples/**.ipynb",
    "auto_examples/**.py",
]

# What a page shows depends on its own text and on the package: when the package has
# changed since the last build, every example and notebook runs again.
corpus = ROOT / "tests" / "numpy_expressions.py"  # run by the page of support
sources = [*sorted((ROOT / "src").rglob("*.py")), *filter(Path.exists, [corpus])]
package = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
stamp = ROOT / "build" / "docs-package.sha256"
performed_package = package
if not stamp.exists() or stamp.read_text() != package:
    for digest in (DOCS / "auto_examples").rglob("*.md5"):
        digest.unlink()  # without it sphinx-gallery runs the example

# Figures, gallery
sphinx_gallery_conf = {
    "examples_dirs": "../gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": missing_libraries.to_run(ROOT / "gallery"),
    "subsection_order": [
        *(f"../gallery/{family}" for family in FAMILIES),
        *(f"../gallery/{part}" for part in ("data", "comparisons", "pitfalls")),
        "*",
    ],
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "image_scrapers": ("gallery_hooks.light_dark",),
    "reset_modules": ("matplotlib", "gallery_hooks.reset_all"),
    "capture_repr": ("_repr_html_", "__repr__"),
    "doc_module": ("diffmethods",),
    "backreferences_dir": "generated/backreferences",
    "reference_url": {"diffmethods": None},
    "default_thumb_file": str(DOCS / "_static" / "thumbnail.png"),
    "remove_config_comments": True,
    "show_signature": False,
}

# Notebooks and Markdown
myst_enable_extensions = [
    "amsmath",
    "attrs_block",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_excludepatterns = missing_libraries.not_to_run(DOCS)
nb_execution_cache_path = str(ROOT / "build" / "jupyter_cache" / package[:12])
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_render_markdown_format = "gfm"
# Nobody's own IPython profile takes part. Ours draws figures as SVG, a tenth of the
# weight of PNG, and is silent about its local sockets.
profile = ROOT / "build" / "ipython" / "profile_default"
profile.mkdir(parents=True, exist_ok=True)
(profile / "ipython_kernel_config.py").write_text(
    'c.IPKernelApp.log_level = 40\nc.InlineBackend.figure_formats = {"svg"}\n'
)
os.environ["IPYTHONDIR"] = str(profile.parent)

# References: to the package, to books and papers, to other projects' pages
autodoc_typehints = "none"
numpydoc_show_class_members = False
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
intersphinx_mapping = {  # small inventories of our own: a build needs no network
    name: (url, f"_inv/{name}.inv")
    for name, url in tomllib.loads((DOCS / "_inv/projects.toml").read_text()).items()
}

# The look
html_theme = "pydata_sphinx_theme"
html_math_renderer = "prekatex"
html_title = "diffmethods"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = True  # read by machines: see llms.txt
templates_path = ["_templates"]
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "diffmethods",
    },
    "navbar_start": ["navbar-logo", "chrestomathy-link"],
    "navbar_center": ["navbar-nav"],
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": {"**": ["page-toc"], "chrestomathy": [], "support": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "primary_sidebar_end": [],
    "back_to_top_button": False,
    "disable_search": True,
    "header_links_before_dropdown": 5,
    "show_toc_level": 2,
    "navigation_depth": 3,
    "show_nav_level": 1,
}
# Pages with none below them and none beside them need no list of either.
html_sidebars = {page: [] for page in ("index", "chrestomathy", "support", "choosing")}

# Files for machines
ogp_site_url = html_baseurl
ogp_social_cards = {"enable": False}
sitemap_url_scheme = "{link}"
sitemap_show_lastmod = False
sitemap_excludes = ["search.html", "404.html", "genindex.html", "_modules/*"]
notfound_urls_prefix = urlsplit(html_baseurl).path


def record_package(app, exception):
    if exception is None:
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(package)


def make_static_folder(app):
    """Else the theme, after a build that failed, leaves a file of that name there."""
    Path(app.outdir, "_static").mkdir(parents=True, exist_ok=True)


def setup(app):
    app.connect("builder-inited", make_static_folder)
    app.connect("build-finished", record_package)
