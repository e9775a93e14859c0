"""What sphinx-gallery calls around each example: clean globals, and two inks a figure.

Everything here is named by its import string, so that the configuration can be pickled.
"""

import gc
import os
import random
import sys
from pathlib import PurePosixPath

STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "figure.figsize": (7.2, 4.2),
    "font.size": 11,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 2,
}
INKS = {"light": "#1c2024", "dark": "#e8e6e1"}


def reset_all(gallery_conf, fname, when):
    """Put every global that an example may change back to its default."""
    random.seed(0)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(0)
        numpy.seterr(divide="warn", invalid="warn", over="warn", under="ignore")
        numpy.set_printoptions(precision=8, threshold=1000, suppress=False)
    if mpmath := sys.modules.get("mpmath"):
        mpmath.mp.dps = 15
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_enable_x64", False)
        jax.config.update("jax_debug_nans", False)
    if torch := sys.modules.get("torch"):
        torch.set_default_dtype(torch.float32)
        torch.set_default_device("cpu")
        torch.set_grad_enabled(True)
        torch.manual_seed(0)
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.run_functions_eagerly(False)
        tensorflow.random.set_seed(0)
    if matplotlib := sys.modules.get("matplotlib"):
        matplotlib.rcParams.update(STYLE)
    # sphinx-gallery collects garbage after every example: spare it the frameworks.
    gc.freeze()


def light_dark(block, block_vars, gallery_conf, **kwargs):
    """Save each open figure as SVG twice, in dark ink and in light ink."""
    import matplotlib.pyplot as plt

    paths = block_vars["image_path_iterator"]
    parts = []
    for number in plt.get_fignums():
        figure = plt.figure(number)
        title = title_of(figure)
        if not title:
            raise ValueError(
                f"figure {number} of {block_vars['src_file']} has no title; its title "
                "is its alt text: say what the figure shows"
            )
        for theme, save in inked(figure).items():
            path = PurePosixPath(next(paths)).with_suffix(".svg")
            save(path)
            source = PurePosixPath(os.path.relpath(path, gallery_conf["src_dir"]))
            parts.append(
                f"\n.. image:: /{source}\n   :alt: {title}\n"
                f"   :class: sphx-glr-single-img only-{theme}\n"
            )
    plt.close("all")
    return "\n".join(parts)


def title_of(figure):
    """Return the figure's titles as one line of plain text."""
    titles = [figure.get_suptitle()]
    for axes in figure.axes:
        titles += [axes.get_title(loc=side) for side in ("left", "center", "right")]
    return " ".join(" ".join(filter(None, titles)).replace("$", "").split())


def inked(figure):
    """Return, for each theme, a function that saves the figure in the theme's ink."""
    import matplotlib as mpl
    from matplotlib.colors import same_color

    def is_black(color):
        return isinstance(color, str | tuple) and same_color(color, "black")

    figure.canvas.draw()
    black = [
        getattr(artist, f"set_{part}")
        for part in ("color", "edgecolor", "facecolor")
        for artist in figure.findobj(lambda a, get=f"get_{part}": hasattr(a, get))
        if hasattr(artist, f"set_{part}") and is_black(getattr(artist, f"get_{part}")())
    ]

    def saver(ink):
        def save(path):
            for recolor in black:
                recolor(ink)
            for axes in figure.axes:
                axes.set_facecolor("none")
                axes.tick_params(colors=ink, which="both")
            # A fixed salt makes the same figure the same file in every build.
            with mpl.rc_context({"svg.hashsalt": "diffmethods"}):
                figure.savefig(path, transparent=True, metadata={"Date": None})

        return save

    return {theme: saver(ink) for theme, ink in INKS.items()}
