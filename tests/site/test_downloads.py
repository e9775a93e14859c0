"""What readers and machines take away: scripts, notebooks, a zip, `llms.txt`, JSON."""

import json
import re
import zipfile
from urllib.parse import urlsplit

EXAMPLE = "auto_examples/libraries/plot_jax.html"


def test_a_gallery_page_offers_script_notebook_and_zip(site, soup):
    links = [a["href"] for a in soup(EXAMPLE).select(".sphx-glr-download a")]
    paths = [(site / EXAMPLE).parent / link for link in links]
    kinds = {path.suffix: path for path in paths}
    assert set(kinds) == {".py", ".ipynb", ".zip"}
    first = json.loads(kinds[".ipynb"].read_text("utf-8"))["cells"][0]
    assert "".join(first["source"]).startswith('%pip install -q "diffmethods[jax]"')
    assert "plot_jax.py" in zipfile.ZipFile(kinds[".zip"]).namelist()


def test_the_gallery_comes_as_one_zip(site, soup):
    page = "auto_examples/index.html"
    links = [a["href"] for a in soup(page).select(".sphx-glr-download a")]
    found = {}
    for link in links:
        names = zipfile.ZipFile((site / page).parent / link).namelist()
        found.update({name.rpartition(".")[2]: names for name in names})
    assert set(found) >= {"py", "ipynb"}
    assert any(name.endswith("plot_jax.py") for name in found["py"])


def test_llms_txt_names_every_page_and_its_source(site, canonical):
    text = (site / "llms.txt").read_text("utf-8")
    title, _, summary, *_ = text.splitlines()
    assert title == "# diffmethods"
    assert summary.startswith("> ")
    links = re.findall(r"^- \[.+\]\((\S+)\)", text, re.M)
    assert len(links) == len(set(links)) > 50
    for link in links:
        assert link.startswith(canonical)
        assert (site / link.removeprefix(canonical)).is_file(), link
    named = {urlsplit(link).path for link in links}
    for page in ("tasks/hessian.rst", "auto_examples/libraries/plot_jax.rst"):
        assert any(path.endswith(f"_sources/{page}.txt") for path in named)


def test_the_results_can_be_read_as_data(site):
    results = json.loads((site / "results.json").read_text("utf-8"))
    tab = results["tasks"]["point"]["tabs"]["dual_numbers"]
    assert tab["done"]
    assert "dm.derivative" in tab["code"]
    assert tab["output"].startswith("0.0706508")
