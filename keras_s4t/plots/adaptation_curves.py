"""Metrics over the steps of test-time training, one line per method."""

from keras_s4t.curves import Curve
from keras_s4t.plots.curve_styles import better_arrow
from keras_s4t.plots.curve_styles import curve_styles
from keras_s4t.plots.curve_styles import style_panel
from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure
from keras_s4t.tasks import directions

_GAIN = r"$\Delta_\mathrm{TTT}$"
_PANEL_SIZE = (2.35, 1.95)  # inches
_LEGEND_LINE = 0.16
_LONGEST_LINE = 22  # characters along a vertical axis


def adaptation_curves(
    curves, tasks, path=None, title=None, controls=("Base", "BatchNormOnly")
):
    """Draws the metric of every task and the gain over adaptation steps.

    One panel per task shows its metric. An arrow on the axis indicates which
    direction is better. The last panel shows the mean gain of all tasks in
    percent, relative to step 0 of the same curve
    (`keras_s4t.curves.ttt_gain`).

    Args:
        curves: dict from the name of a method to an object whose `points` is
            a list of dicts such as `{"step": 0, "semseg_miou": 0.2,
            "depth_rmse": 1.1}`, including step 0. A curve with one point, of
            a network without adaptation, is drawn as a horizontal line.
        tasks: list of tasks with `title`, `metric_key` (a key of every
            point), `metric_title`, `metric_unit` and `higher_is_better`.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        title: string or None. Title of the figure.
        controls: Names of the baseline curves, which are drawn in gray.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If there is no curve or no task, if a point lacks a key,
            if a curve has no step 0, or if `path` has another suffix.

    Example:
    ```python
    adaptation_curves({"Base": base, "S4T": curve}, tasks, "curves.pdf")
    ```
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_figure_path(path)
    curves = {
        name: _sorted_points(name, curves[name], tasks) for name in curves
    }
    if not curves or not tasks:
        raise ValueError(
            "`curves` and `tasks` must not be empty. Received: "
            f"curves={list(curves)}, tasks={list(tasks)}"
        )
    styles = curve_styles(curves, controls)
    last_step = max(points[-1]["step"] for points in curves.values())
    num_panels = len(tasks) + 1
    # Three columns, unless the last row would have a single panel.
    num_columns = 2 if num_panels in (2, 4) else 3
    num_rows = -(-num_panels // num_columns)
    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        figure = Figure(
            figsize=(num_columns * _PANEL_SIZE[0], num_rows * _PANEL_SIZE[1]),
            layout="constrained",
        )
        grid = figure.add_gridspec(num_rows, num_columns)
        panels = [
            figure.add_subplot(grid[divmod(i, num_columns)])
            for i in range(num_panels)
        ]
        for panel, task in zip(panels[:-1], tasks, strict=True):
            label = _axis_label(
                task.metric_title, task.metric_unit, task.higher_is_better
            )
            values = {
                name: [point[task.metric_key] for point in points]
                for name, points in curves.items()
            }
            _draw_panel(panel, curves, values, styles, last_step)
            panel.set(title=task.title, ylabel=label)
        gains = {
            name: Curve(points, directions(tasks)).gains
            for name, points in curves.items()
        }
        panels[-1].axhline(0.0, color="#D0D0D0", linewidth=0.8, zorder=0)
        _draw_panel(panels[-1], curves, gains, styles, last_step)
        panels[-1].set(
            title="All tasks",
            ylabel=_axis_label(_GAIN, "%", higher_is_better=True),
        )
        _draw_legend(figure, grid, panels[0], num_panels)
        if title is not None:
            figure.suptitle(title, fontsize=9)
    if path is not None:
        save_figure(figure, path)
    return figure


def _sorted_points(name, curve, tasks):
    points = sorted(curve.points, key=lambda point: point["step"])
    if not points or points[0]["step"] != 0:
        raise ValueError(
            "Every curve must hold a point for step 0. "
            f"Received: curve={name!r} with steps {_steps(points)}"
        )
    for point in points:
        missing = [t.metric_key for t in tasks if t.metric_key not in point]
        if missing:
            raise ValueError(
                f"Every point must hold the metric of every task. Received: "
                f"curve={name!r} without {missing} at step {point['step']}"
            )
    return points


def _steps(points):
    return [point["step"] for point in points]


def _draw_panel(panel, curves, values, styles, last_step):
    from matplotlib.ticker import MaxNLocator

    for index, (name, points) in enumerate(curves.items()):
        steps, heights = _steps(points), values[name]
        if len(points) == 1 and last_step > 0:
            steps, heights = [0, last_step], heights * 2
        # Markers of different curves start at different points, so that
        # overlapping curves remain distinguishable.
        every = max(1, len(steps) // 6)
        panel.plot(
            steps,
            heights,
            label=name,
            linewidth=1.2,
            markersize=3,
            markevery=(index % every, every),
            **styles[name],
        )
    panel.set_xlabel("Step")
    panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    style_panel(panel)


def _axis_label(title, unit, higher_is_better):
    arrow = better_arrow(higher_is_better)
    gap = "\n" if len(title) + len(unit) > _LONGEST_LINE else " "
    return f"{title}{gap}({unit}) {arrow}" if unit else f"{title} {arrow}"


def _draw_legend(figure, grid, panel, num_panels):
    """Puts the legend into the free cells of the grid, or below all panels."""
    lines, labels = panel.get_legend_handles_labels()
    row, column = divmod(num_panels, grid.ncols)
    options = {"frameon": False, "fontsize": 7, "handlelength": 3.2}
    if row < grid.nrows:
        cell = figure.add_subplot(grid[row, column:])
        cell.set_axis_off()
        cell.legend(lines, labels, loc="center", **options)
        return
    num_lines = -(-len(labels) // (2 * grid.ncols - 1))
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + num_lines * _LEGEND_LINE)
    figure.legend(
        lines,
        labels,
        loc="outside lower center",
        ncols=-(-len(labels) // num_lines),
        **options,
    )
