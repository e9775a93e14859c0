"""Figures carry their finding, and need neither colour nor a legend to be read."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text

from diffmethods import plotting
from diffmethods.errors import MissingLibraryError

X = np.linspace(0.1, 1.0, 7)
MEASURED = {"dual_numbers": (1, 1e-16), "chebyshev": ([2, 10], [1e-9, 1e-14])}
CELLS = {"here": {"abs": ("0", 0.0)}, "there": {"abs": ("–", np.nan)}}
TWO = {"first": X, "second": X**2}
FIGURES = {
    "curves": lambda **words: plotting.plot_curves(X, TWO, **words),
    "errors": lambda **words: plotting.plot_errors(X, TWO, xlabel="step", **words),
    "bars": lambda **words: plotting.plot_bars(
        {"a": 1, "b": 2}, xlabel="calls", **words
    ),
    "methods": lambda **words: plotting.plot_methods(
        MEASURED, xlabel="calls", ylabel="error", **words
    ),
    "table": lambda **words: plotting.plot_table(
        CELLS, limits=(0, 1), xlabel="kinks", **words
    ),
}


@pytest.fixture(autouse=True)
def without_a_window():
    with mpl.rc_context():
        mpl.use("agg")
        yield
        from matplotlib import pyplot as plt

        plt.close("all")


@pytest.fixture(params=FIGURES)
def draw(request):
    return FIGURES[request.param]


def luminance(color):
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in mpl.colors.to_rgb(color)
    ]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


def test_a_figure_needs_a_title(draw):
    with pytest.raises(TypeError, match="title"):
        draw()


def test_a_figure_shows_its_title_and_names_its_axis(draw):
    ax = draw(title="the finding")
    assert ax.get_title() == "the finding"
    assert ax.get_xlabel()


def test_a_figure_draws_into_axes_that_are_given(draw):
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    assert draw(title="t", ax=ax) is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])
@pytest.mark.parametrize("style", plotting.STYLES, ids=lambda style: style["color"])
def test_a_curve_stands_out_on_a_light_and_on_a_dark_page(style, page):
    """WCAG 2.2, 1.4.11: graphics need a contrast of 3 to 1."""
    low, high = sorted([luminance(style["color"]), luminance(page)])
    assert (high + 0.05) / (low + 0.05) >= 3


@pytest.mark.parametrize("cue", ["color", "linestyle", "marker"])
def test_curves_differ_in_more_than_colour(cue):
    assert len({style[cue] for style in plotting.STYLES}) == len(plotting.STYLES)


def test_more_curves_than_styles_are_drawn_all_the_same():
    curves = {str(n): X**n for n in range(len(plotting.STYLES) + 2)}
    assert len(plotting.plot_curves(X, curves, title="t").lines) == len(curves)


def test_one_curve_needs_no_legend():
    assert plotting.plot_curves(X, {"only": X}, title="t").get_legend() is None
    assert plotting.plot_curves(X, TWO, title="t").get_legend() is not None


def test_an_error_of_zero_is_drawn_and_a_sign_is_dropped():
    ax = plotting.plot_errors([1, 2], {"e": [0.0, -1e-3]}, title="t", xlabel="x")
    assert ax.lines[0].get_ydata() == pytest.approx([plotting.FLOOR, 1e-3])


def test_without_matplotlib_the_error_says_how_to_get_it(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.delattr("matplotlib.pyplot", raising=False)
    with pytest.raises(MissingLibraryError, match="pip install matplotlib"):
        draw(title="t")


def test_names_of_methods_at_one_place_do_not_overlap():
    names = ("chebyshev", "dual_numbers", "numpy_source", "reverse_tape", "richardson")
    crowd = dict.fromkeys(names, (1.0, 1e-16))
    ax = plotting.plot_methods(crowd, title="t", xlabel="x", ylabel="y")
    ax.figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text).padded(-2) for text in ax.texts]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:k])


def test_each_family_is_named_once_in_the_legend():
    measured = {"chebyshev": (1, 1), "richardson": (2, 1), "dual_numbers": (1, 2)}
    ax = plotting.plot_methods(measured, title="t", xlabel="x", ylabel="y")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["numerical", "forward"]


def test_a_cell_without_a_number_has_no_colour():
    ax = plotting.plot_table(CELLS, title="t", limits=(0, 1))
    assert ax.collections[0].get_array().mask.ravel().tolist() == [False, True]


def test_the_frontier_leaves_out_what_is_beaten():
    points = {
        "a": (1, 5),
        "worse": (2, 5),
        "b": (2, 3),
        "same cost": (2, 4),
        "c": (9, 0),
    }
    assert plotting.unbeaten(points) == ["a", "b", "c"]
