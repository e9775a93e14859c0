"""Figures that several pages share, each titled by its finding."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from diffmethods.errors import MissingLibraryError
from diffmethods.method import FAMILIES, get_method

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Each colour has a contrast of at least 3 to a white and to a dark page; in greyscale
# the dashes and the markers tell the curves apart.
STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    {"color": "#D55E00", "linestyle": "--", "marker": "s"},
    {"color": "#008F68", "linestyle": "-.", "marker": "^"},
    {"color": "#BE6A98", "linestyle": ":", "marker": "D"},
    {"color": "#7A7A7A", "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": "#8C6BB1", "linestyle": (0, (7, 2, 2, 2)), "marker": "P"},
)
FAMILY_STYLES = dict(zip(FAMILIES, STYLES, strict=True))
ROUNDING = float(np.finfo(float).eps) / 2
FLOOR = ROUNDING / 4
LETTER = 4.4  # width of a letter of the small names in a figure, in points


def plot_curves(
    x: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    title: str,
    xlabel: str = "x",
    ylabel: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a function, its derivatives or whatever else shares an axis.

    Parameters
    ----------
    x : array_like, shape (n,)
        Where the curves are sampled.
    curves : mapping of str to array_like
        The samples of each curve, shape (n,), by the name that the legend gives it.
    title : str
        The finding; it is also the figure's text for a reader who cannot see it.
    xlabel, ylabel : str
        Names of the axes, with units where there are any.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, for further lines and notes.

    Raises
    ------
    MissingLibraryError
        If Matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.plotting import plot_curves
    >>> x = np.linspace(-3, 3, 61)
    >>> curves = {"tanh x": np.tanh(x), "its slope": 1 - np.tanh(x) ** 2}
    >>> ax = plot_curves(x, curves, title="tanh is steepest at 0")
    >>> [line.get_label() for line in ax.lines]
    ['tanh x', 'its slope']
    """
    ax = _new_axes() if ax is None else ax
    for (label, y), style in zip(curves.items(), itertools.cycle(STYLES)):
        ax.plot(x, y, label=label, linewidth=2, **(style | {"marker": ""}))
    return _finished(ax, title, xlabel, ylabel)


def plot_errors(
    x: ArrayLike,
    errors: Mapping[str, ArrayLike],
    *,
    title: str,
    xlabel: str,
    ylabel: str = "relative error",
    log_x: bool = False,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw relative errors on a logarithmic axis, with the rounding of float64 marked.

    An error of zero has no logarithm: it is drawn on the lower edge, a quarter of the
    rounding error.

    Parameters
    ----------
    x : array_like, shape (n,)
        What the error is plotted against: points, steps, orders.
    errors : mapping of str to array_like
        Errors, shape (n,), by the name that the legend gives them; the sign is dropped.
    title, xlabel, ylabel, ax
        As for `plot_curves`.
    log_x : bool
        Whether the horizontal axis is logarithmic, as for steps.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MissingLibraryError
        If Matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.plotting import plot_errors
    >>> h = np.logspace(-12, -1, 12)
    >>> errors = {"one-sided": ((np.exp(h) - 1) / h - 1)}
    >>> ax = plot_errors(h, errors, title="1e-8 is best", xlabel="step", log_x=True)
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    ax = _new_axes() if ax is None else ax
    for (label, y), style in zip(errors.items(), itertools.cycle(STYLES)):
        sparse = max(1, np.size(y) // 25)
        shown = np.maximum(np.abs(y), FLOOR)
        ax.plot(x, shown, label=label, markersize=4, markevery=sparse, **style)
    ax.axhline(ROUNDING, color="#7A7A7A", linewidth=1, label="rounding of float64")
    ax.set_yscale("log")
    if log_x:
        ax.set_xscale("log")
    return _finished(ax, title, xlabel, ylabel)


def plot_bars(
    amounts: Mapping[str, float],
    *,
    title: str,
    xlabel: str,
    log: bool = False,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw amounts as horizontal bars, the first on top, with the numbers beside them.

    Parameters
    ----------
    amounts : mapping of str to float
        The length of each bar by its name.
    title, xlabel, ax
        As for `plot_curves`; `xlabel` names the amounts and their unit.
    log : bool
        Whether the axis is logarithmic, for amounts that span powers of ten.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MissingLibraryError
        If Matplotlib is not installed.

    Examples
    --------
    >>> from diffmethods.plotting import plot_bars
    >>> evaluations = {"one-sided": 2, "order 8": 8}
    >>> ax = plot_bars(evaluations, title="Order costs", xlabel="evaluations of f")
    >>> [text.get_text() for text in ax.texts]
    ['2', '8']
    """
    ax = _new_axes() if ax is None else ax
    bars = ax.barh(
        list(amounts), list(amounts.values()), color=STYLES[0]["color"], log=log
    )
    ax.bar_label(
        bars,
        [f"{a:,.0f}" if a >= 100 else f"{a:.3g}" for a in amounts.values()],
        padding=4,
    )
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_axisbelow(True)
    _finished(ax, title, xlabel, "").grid(False, axis="y")
    return ax


def plot_methods(
    measured: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a point or a curve for each method, named where it ends.

    Both axes are logarithmic. Colour, marker and dashes tell the family of a method;
    the legend names the families.

    Parameters
    ----------
    measured : mapping of str to pair of array_like
        By a method's name in the registry, where its points are: numbers, or arrays of
        shape (n,) for a curve.
    title, xlabel, ylabel, ax
        As for `plot_curves`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MissingLibraryError
        If Matplotlib is not installed.

    Examples
    --------
    >>> from diffmethods.plotting import plot_methods
    >>> measured = {"central_difference": (2, 3e-11), "chebyshev": (10, 1e-14)}
    >>> words = {"xlabel": "evaluations of f", "ylabel": "relative error"}
    >>> ax = plot_methods(measured, title="Digits cost evaluations", **words)
    >>> [text.get_text() for text in ax.texts]
    ['Central difference', 'Chebyshev interpolation']
    """
    ax = _new_axes((9, 5.6)) if ax is None else ax
    ax.set(xscale="log", yscale="log")
    ends: dict[str, tuple[float, float]] = {}
    seen: set[str] = set()
    for name, (x, y) in measured.items():
        method = get_method(name)
        xs, ys = (np.atleast_1d(np.asarray(z, float)) for z in (x, y))
        family = method.family
        label = None if family in seen else family
        seen.add(family)
        style = FAMILY_STYLES[family] | {"linewidth": 1.5, "markersize": 5}
        ax.plot(xs, ys, label=label, **style)
        if xs.size:
            ends[method.title] = (float(xs[-1]), float(ys[-1]))
    _finished(ax, title, xlabel, ylabel)
    handles = dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    families = [family for family in FAMILIES if family in handles]
    ax.legend([handles[family] for family in families], families, frameon=False)
    _name(ax, ends)
    return ax


def plot_table(
    cells: Mapping[str, Mapping[str, tuple[str, float]]],
    *,
    title: str,
    limits: tuple[float, float],
    xlabel: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a table whose cells are coloured by a number.

    Parameters
    ----------
    cells : mapping of str to mapping of str to (str, float)
        For each row and each column the text and the number; a cell whose number is NaN
        has no colour.
    title, xlabel, ax
        As for `plot_curves`; the columns' names stand on top.
    limits : (float, float)
        The numbers of the darkest and of the lightest colour.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    MissingLibraryError
        If Matplotlib is not installed.

    Examples
    --------
    >>> from diffmethods.plotting import plot_table
    >>> cells = {"abs": {"jax": ("1", 1.0), "reverse_tape": ("0", 0.0)}}
    >>> ax = plot_table(cells, title="|x| at 0", limits=(0, 1))
    >>> [text.get_text() for text in ax.texts]
    ['1', '0']
    """
    columns = list(next(iter(cells.values())))
    ax = _new_axes((7.2, 1 + 0.28 * len(cells))) if ax is None else ax
    levels = np.array([[row[name][1] for name in columns] for row in cells.values()])
    low, high = limits
    shades: dict[str, Any] = {"cmap": "cividis", "vmin": low, "vmax": high}
    ax.pcolormesh(np.ma.masked_invalid(levels), edgecolors="#7A7A7A", lw=0.5, **shades)
    for (i, j), level in np.ndenumerate(levels):
        text = list(cells.values())[i][columns[j]][0]
        ink = "black" if np.isnan(level) else "#101010"  # pure black follows the theme
        if level < (low + high) / 2:
            ink = "white"
        words: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9}
        ax.text(j + 0.5, i + 0.5, text, color=ink, **words)
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns)
    ax.set_yticks(np.arange(len(cells)) + 0.5, list(cells))
    ax.invert_yaxis()
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.xaxis.set_label_position("top")
    _finished(ax, title, xlabel, "").grid(False)
    ax.spines[:].set_visible(False)
    return ax


def unbeaten(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of the points that no other one beats in one way and equals in the other.

    Parameters
    ----------
    points : mapping of str to (float, float)
        Two amounts of which less is better, such as cost and error.

    Returns
    -------
    list of str
        The frontier, the first amount ascending.

    Examples
    --------
    >>> from diffmethods.plotting import unbeaten
    >>> unbeaten({"rough": (2, 1e-8), "bad": (8, 1e-5), "good": (9, 1e-14)})
    ['rough', 'good']
    """
    ordered = sorted(points, key=lambda name: tuple(points[name]))
    best: float = np.inf
    names: list[str] = []
    for name in ordered:
        if points[name][1] < best:
            best = points[name][1]
            names.append(name)
    return names


def _name(ax: "Axes", ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each name beside its point, where no other name and no point is."""
    figure: Any = ax.figure
    figure.draw_without_rendering()
    points_per_pixel = 72 / figure.dpi
    longest = max(map(len, ends), default=0) * LETTER
    _make_room(ax, 1.2 * longest / (points_per_pixel * ax.bbox.width))
    place = ax.transData.transform
    at = {name: points_per_pixel * place(end) for name, end in ends.items()}
    origin, height = points_per_pixel * ax.bbox.y0, points_per_pixel * ax.bbox.height
    taken: list[tuple[float, ...]] = [
        (x - 3, y - 3, x + 3, y + 3) for x, y in at.values()
    ]
    for name, (x, y) in sorted(at.items(), key=lambda item: -item[1][1]):
        dx, dy, box = _free_place(
            x, y, LETTER * len(name), (origin, origin + height), taken
        )
        taken.append(box)
        arrow = {"arrowstyle": "-", "color": "#7A7A7A", "linewidth": 0.6}
        ax.annotate(
            name,
            ends[name],
            (dx, dy),
            textcoords="offset points",
            fontsize=8,
            va="center",
            arrowprops=arrow if abs(dy) > 10 else None,
        )


def _make_room(ax: "Axes", share: float) -> None:
    """Widen a logarithmic axis to the right, by that share of its new length."""
    low, high = ax.get_xlim()
    ax.set_xlim(low, high * (high / low) ** (share / max(1 - share, 0.3)))


def _free_place(
    x: float,
    y: float,
    width: float,
    within: tuple[float, float],
    taken: Sequence[tuple[float, ...]],
) -> tuple[float, float, tuple[float, ...]]:
    """An offset for a text of that width, in points, and the box that it fills."""
    heights = range(-20 * 9, 20 * 9 + 1, 9)
    places = itertools.product((8.0, -8.0 - width), heights)
    for dx, dy in sorted(places, key=lambda d: abs(d[1]) + 40 * (d[0] < 0)):
        box = (x + dx, y + dy - 4, x + dx + width, y + dy + 4)
        if (
            within[0] < box[1]
            and box[3] < within[1]
            and not any(
                box[0] < other[2]
                and other[0] < box[2]
                and box[1] < other[3]
                and other[1] < box[3]
                for other in taken
            )
        ):
            break
    return dx, dy, box


def _new_axes(size: tuple[float, float] = (7, 4)) -> Any:
    try:
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            "figures need matplotlib, which is not installed: pip install matplotlib"
        ) from error
    return plt.subplots(figsize=size, layout="constrained")[1]


def _finished(ax: "Axes", title: str, xlabel: str, ylabel: str) -> "Axes":
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.grid(color="#7A7A7A", alpha=0.25)
    if len(ax.get_legend_handles_labels()[0]) > 1:
        ax.legend(frameon=False)
    return ax
