"""Gain over synchronization of the tasks, one marker per method."""

import math

from keras_s4t.plots.curve_styles import better_arrow
from keras_s4t.plots.curve_styles import curve_styles
from keras_s4t.plots.curve_styles import style_panel
from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure

_PANELS = {
    "step_variance": (r"Step variance (squared steps)", False),
    "dynamic_time_warping": (r"Dynamic time warping (%)", False),
    "cosine_similarity": (r"Cosine similarity", True),
}
_GAIN = r"$\Delta_\mathrm{TTT}$ (%)"
_PANEL_SIZE = (2.35, 2.1)  # inches
_LEGEND_COLUMNS = 5
_LEGEND_LINE = 0.16


def synchronization(
    methods,
    path=None,
    title=None,
    controls=("Base", "BatchNormOnly"),
    correlations=None,
    gain_label=_GAIN,
):
    """Draws the gain of methods over three measures of synchronization.

    There is one panel per measure (`keras_s4t.curves.synchronization`). The
    common vertical axis is the mean gain of all tasks
    (`keras_s4t.curves.ttt_gain`). An arrow indicates which direction is
    better.

    Args:
        methods: dict from the name of a method to a dict with `"gain"`, in
            percent, and the measures, `"step_variance"`,
            `"dynamic_time_warping"` and `"cosine_similarity"`, or to a list of
            such dicts, one per target. Values that are not finite are left out
            of the panel.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        title: string or None. Title of the figure.
        controls: Names of the baselines, which are drawn in gray.
        correlations: Optional dict from measure to its rank correlation with
            the gain, shown above the panel.
        gain_label: string. What the gain is, and its unit.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If there is no method, a method lacks a number, or `path`
            has another suffix.

    Example:
    ```python
    synchronization(
        {"S4T": {"gain": 35.0, **curves.synchronization(curve.relative)}},
        "synchronization.pdf",
    )
    ```
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_figure_path(path)
    methods = {
        name: [points] if isinstance(points, dict) else list(points)
        for name, points in methods.items()
    }
    _check(methods)
    styles = curve_styles(methods, controls)
    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        legend_lines = -(-len(methods) // _LEGEND_COLUMNS)
        width, height = _PANEL_SIZE
        figure = Figure(
            figsize=(
                len(_PANELS) * width,
                height + legend_lines * _LEGEND_LINE,
            ),
            layout="constrained",
        )
        panels = figure.subplots(1, len(_PANELS), sharey=True)
        for panel, measure in zip(panels, _PANELS, strict=True):
            _draw_panel(panel, methods, measure, styles)
            correlation = (correlations or {}).get(measure, math.nan)
            if math.isfinite(correlation):
                panel.set_title(f"Spearman {correlation:+.2f}")
        panels[0].set_ylabel(f"{gain_label} {better_arrow(True)}")
        markers, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            markers,
            labels,
            loc="outside lower center",
            ncols=_LEGEND_COLUMNS,
            frameon=False,
            fontsize=7,
            handletextpad=0.3,
        )
        if title is not None:
            figure.suptitle(title, fontsize=9)
    if path is not None:
        save_figure(figure, path)
    return figure


def _check(methods):
    keys = ("gain", *_PANELS)
    missing = {
        name: [k for k in keys if any(k not in point for point in points)]
        for name, points in methods.items()
    }
    if not methods or any(missing.values()) or not all(methods.values()):
        raise ValueError(
            f"`methods` must hold at least one method, each with {keys}. "
            f"Received: methods={list(methods)}, missing={missing}"
        )


def _draw_panel(panel, methods, measure, styles):
    title, higher_is_better = _PANELS[measure]
    for name, points in methods.items():
        pairs = [(point[measure], point["gain"]) for point in points]
        # Left out of this panel, but kept in the common legend.
        pairs = [
            pair if all(map(math.isfinite, pair)) else (math.nan, math.nan)
            for pair in pairs
        ]
        style = {"marker": "d", **styles[name], "linestyle": "none"}
        size = 5 if len(pairs) == 1 else 4
        panel.plot(
            *zip(*pairs, strict=True), label=name, markersize=size, **style
        )
    panel.set_xlabel(f"{title} {better_arrow(higher_is_better)}")
    style_panel(panel)
