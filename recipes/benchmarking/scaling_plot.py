"""How the adaptation step grows with what it is given."""

from benchmarking.growth import QUANTITIES
from benchmarking.growth import total_seconds
from keras_s4t.plots.curve_styles import curve_styles
from keras_s4t.plots.save_figure import save_figure

_PANEL_SIZE = (2.35, 2.1)  # inches


def scaling_plot(sweeps, path):
    """Draws one panel per sweep, both axes logarithmic, and writes it.

    A dashed line of slope 1 starts at the first point of every form: below
    it, twice as much costs less than twice the time.

    Args:
        sweeps: dict from the name of a sweep to a list of measured points.
        path: Path of a PNG or PDF.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        width, height = _PANEL_SIZE
        columns = 2 if len(sweeps) > 1 else 1
        rows = -(-len(sweeps) // columns)
        figure = Figure(
            figsize=(columns * width, rows * height + 0.2),
            layout="constrained",
        )
        panels = figure.subplots(rows, columns, squeeze=False).flat
        for panel, (name, points) in zip(panels, sweeps.items(), strict=False):
            _draw_panel(panel, name, points)
        for panel in panels[len(sweeps) :]:
            panel.set_axis_off()
        lines, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            lines,
            labels,
            loc="outside lower center",
            ncols=len(labels),
            frameon=False,
            fontsize=7,
        )
    save_figure(figure, path)
    return figure


def _draw_panel(panel, name, points):
    from matplotlib.ticker import LogLocator
    from matplotlib.ticker import NullLocator

    label, quantity = QUANTITIES[name]
    points = sorted(points, key=quantity)
    x = [quantity(point) for point in points]
    names = list(points[0]["contenders"])
    is_total = name == "steps"
    for form, style in curve_styles(names, ()).items():
        y = [total_seconds(point, form, name) for point in points]
        panel.plot(
            x,
            y,
            label=form,
            linewidth=1.2,
            markersize=3.5,
            **{**style, "linestyle": "-"},
        )
        panel.plot(
            [x[0], x[-1]],
            [y[0], y[0] * x[-1] / x[0]],
            label="proportional" if form == names[-1] else None,
            color=style["color"],
            linestyle="--",
            linewidth=0.7,
        )
    panel.set(
        xscale="log",
        yscale="log",
        xlabel=label,
        ylabel="Seconds per fit" if is_total else "Seconds per step",
    )
    panel.set_xticks(x, [f"{value:,}" for value in x])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_locator(NullLocator())
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=7)
    panel.grid(color="#E6E6E6", linewidth=0.5)
    panel.set_axisbelow(True)
