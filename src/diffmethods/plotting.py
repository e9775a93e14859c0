"""Figures that several pages share: curves, errors and bars, titled by the finding."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from diffmethods.errors import MissingLibraryError

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
)
ROUNDING = float(np.finfo(float).eps) / 2
FLOOR = ROUNDING / 4


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


def _new_axes() -> Any:
    try:
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            "figures need matplotlib, which is not installed: pip install matplotlib"
        ) from error
    return plt.subplots(figsize=(7, 4), layout="constrained")[1]


def _finished(ax: "Axes", title: str, xlabel: str, ylabel: str) -> "Axes":
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.grid(color="#7A7A7A", alpha=0.25)
    if len(ax.get_legend_handles_labels()[0]) > 1:
        ax.legend(frameon=False)
    return ax
