"""Color bars and named colors of pictures. Lengths are in inches."""

import numpy as np

GAP = 0.04
BAR_HEIGHT = 0.28  # including ticks
_LINE = 0.155
_TITLE_WIDTH = 1.35
_CHARACTER_WIDTH = 0.058  # average of the small font
_OUTLINE = {"color": "#A0A0A0", "linewidth": 0.4}


def add_axes(figure, left, top, width, height):
    """Adds axes at a position relative to the upper left corner."""
    figure_width, figure_height = figure.get_size_inches()
    axes = figure.add_axes(
        (
            left / figure_width,
            1.0 - (top + height) / figure_height,
            width / figure_width,
            height / figure_height,
        )
    )
    axes.spines[:].set(**_OUTLINE)
    return axes


def draw_color_bar(figure, left, top, width, colormap, value_range, unit):
    """Draws a horizontal color bar with the unit at its ticks."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import MaxNLocator

    bar = figure.colorbar(
        ScalarMappable(Normalize(*value_range), colormap),
        cax=add_axes(figure, left, top + GAP / 2, width, 0.06),
        orientation="horizontal",
        ticks=MaxNLocator(3, steps=[1, 2, 5, 10]),
        format=f"{{x:g}} {unit}".rstrip(),
    )
    bar.outline.set(**_OUTLINE)
    bar.ax.tick_params(labelsize=7, length=2, pad=1.5, width=0.5)


def color_names_height(entries, width):
    """Height of `draw_color_names` on a figure of this width."""
    return _num_lines(entries, width) * _LINE + 2 * GAP


def draw_color_names(figure, top, title, entries):
    """Draws a title and, beside it, a box per `(name, rgb)` pair."""
    from matplotlib.patches import Patch

    width, height = figure.get_size_inches()
    top = top + 2 * GAP
    boxes = [
        Patch(
            facecolor=np.asarray(rgb) / 255.0,
            edgecolor=_OUTLINE["color"],
            linewidth=_OUTLINE["linewidth"],
            label=name,
        )
        for name, rgb in entries
    ]
    # Fill the lines evenly, so that the last one is not short.
    num_columns = -(-len(entries) // _num_lines(entries, width))
    figure.legend(
        handles=boxes,
        loc="upper left",
        bbox_to_anchor=(_TITLE_WIDTH / width, 1.0 - top / height),
        ncols=num_columns,
        fontsize=7,
        frameon=False,
        borderaxespad=0.0,
        borderpad=0.0,
        handlelength=1.0,
        handleheight=1.0,
        columnspacing=1.2,
        labelspacing=0.4,
    )
    figure.text(
        1.5 * GAP / width,
        1.0 - (top + 0.4 * _LINE) / height,
        title,
        fontsize=7,
        va="center",
    )


def _num_lines(entries, width):
    longest = max(len(name) for name, _ in entries)
    entry_width = longest * _CHARACTER_WIDTH + 0.32
    num_columns = max(1, int((width - _TITLE_WIDTH) / entry_width))
    return -(-len(entries) // num_columns)
