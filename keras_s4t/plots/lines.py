"""Quantities with intervals over a number, one line per name."""

import math

from keras_s4t.plots.curve_styles import curve_styles
from keras_s4t.plots.curve_styles import style_panel
from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure

_PANEL_SIZE = (2.8, 2.1)  # inches
_LEGEND_LINE = 0.16


def lines(
    panels,
    x_label,
    y_label="",
    path=None,
    controls=("Base", "BatchNormOnly"),
    share_y=True,
):
    """Draws what changes with a number, such as a mask ratio or a noise scale.

    Args:
        panels: dict from the title of a panel to a dict from the name of a
            line to a dict from the number to a pair of a mean and half of its
            confidence interval, `None` if there is none.
        x_label: string. What the number is, and its unit.
        y_label: string. What is drawn, and its unit, unless the titles say it.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        controls: Names of the baselines, which are drawn in gray.
        share_y: bool. Whether all panels have the same vertical axis.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If there is no panel, a panel has no line, or `path` has
            another suffix.

    Example:
    ```python
    gains = {0.0: (3.1, 0.2), 0.5: (3.4, 0.3), 0.8: (3.6, 0.2)}
    lines({"Gain (%)": {"S4T": gains}}, "Mask ratio", path="ratio.png")
    ```
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_figure_path(path)
    if not panels or not all(panels.values()):
        raise ValueError(
            "`panels` must hold at least one panel, each with a line. "
            f"Received: panels={ {k: list(v) for k, v in panels.items()} }"
        )
    names = list(dict.fromkeys(n for panel in panels.values() for n in panel))
    styles = curve_styles(names, controls)
    num_columns = min(3, len(panels))
    num_rows = -(-len(panels) // num_columns)
    legend_columns = 2 * num_columns
    legend_lines = -(-len(names) // legend_columns)
    width, height = _PANEL_SIZE
    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        figure = Figure(
            figsize=(
                num_columns * width,
                num_rows * height + legend_lines * _LEGEND_LINE,
            ),
            layout="constrained",
        )
        axes = figure.subplots(
            num_rows, num_columns, sharey=share_y, squeeze=False
        )
        for ax in axes.flat[len(panels) :]:
            ax.set_axis_off()
        for ax, (title, values) in zip(axes.flat, panels.items(), strict=False):
            for name, points in values.items():
                _draw_line(ax, name, points, styles[name])
            ax.set(title=title, xlabel=x_label)
            style_panel(ax)
        for row in axes:
            row[0].set_ylabel(y_label)
        handles = {}
        for ax in axes.flat[: len(panels)]:
            found, labels = ax.get_legend_handles_labels()
            handles |= dict(zip(labels, found, strict=True))
        figure.legend(
            [handles[name] for name in names],
            names,
            loc="outside lower center",
            ncols=legend_columns,
            frameon=False,
            fontsize=7,
        )
    if path is not None:
        save_figure(figure, path)
    return figure


def _draw_line(ax, name, points, style):
    numbers = sorted(points)
    means = [points[x][0] for x in numbers]
    halves = [
        math.nan if points[x][1] is None else points[x][1] for x in numbers
    ]
    ax.errorbar(
        numbers,
        means,
        yerr=halves if any(map(math.isfinite, halves)) else None,
        label=name,
        linewidth=1.2,
        markersize=3,
        capsize=2,
        elinewidth=0.7,
        **style,
    )
