"""Means with their confidence intervals, one row per name."""

import math

from keras_s4t.plots.curve_styles import COLORS
from keras_s4t.plots.curve_styles import CONTROL_COLORS
from keras_s4t.plots.curve_styles import style_panel
from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure

_PANEL_WIDTH, _ROW, _REST = 2.35, 0.19, 0.7  # inches


def intervals(panels, path=None, title=None, controls=("BatchNormOnly",)):
    """Draws means and intervals of the same names in panels side by side.

    Args:
        panels: dict from the label of a panel's axis to a dict from a name to a
            pair of a mean and half of its confidence interval, `None` if there
            is none.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        title: string or None. Title of the figure.
        controls: Names of the baselines, which are drawn in gray.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If there is no panel or no name, or `path` has another
            suffix.

    Example:
    ```python
    intervals({"Gain (%)": {"BatchNormOnly": (8.9, 1.6), "S4T": (9.1, 1.8)}})
    ```
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_figure_path(path)
    names = list(dict.fromkeys(n for panel in panels.values() for n in panel))
    if not names:
        raise ValueError(
            "`panels` must hold at least one panel with a name. "
            f"Received: panels={panels}"
        )
    colors = {
        name: CONTROL_COLORS[0] if name in controls else COLORS[0]
        for name in names
    }
    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        figure = Figure(
            figsize=(
                1.2 + _PANEL_WIDTH * len(panels),
                _REST + _ROW * len(names),
            ),
            layout="constrained",
        )
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for ax, (label, values) in zip(axes, panels.items(), strict=True):
            ax.axvline(0.0, color="#D0D0D0", linewidth=0.8, zorder=0)
            for row, name in enumerate(names):
                if name not in values or not math.isfinite(values[name][0]):
                    continue
                mean, half_width = values[name]
                ax.errorbar(
                    mean,
                    row,
                    xerr=half_width,
                    marker="o",
                    markersize=4,
                    capsize=2,
                    linewidth=1.0,
                    color=colors[name],
                )
            ax.set_xlabel(label)
            style_panel(ax)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        if title is not None:
            figure.suptitle(title, fontsize=9)
    if path is not None:
        save_figure(figure, path)
    return figure
