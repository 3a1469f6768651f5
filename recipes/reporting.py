"""The table in which recipes show what adaptation did."""

from rich.table import Table

CONTROL = "BatchNormOnly"


def results_table(curves, tasks, oracle=False):
    """The metrics after the last step, one row per method.

    Args:
        curves: dict from the name of a method to its `Curve`.
        tasks: list of `Task`.
        oracle: bool. Whether to show the best step as well. To find it takes
            the labels of the target, so it is no result of a method.

    Returns:
        A `rich.table.Table`. The gain over `BatchNormOnly` is in points of
        Delta_TTT, and only there if that control is among the curves.
    """
    steps = max(curve.steps[-1] for curve in curves.values())
    table = Table(title=f"After {steps} steps")
    table.add_column("method", no_wrap=True)
    for task in tasks:
        arrow = "↑" if task.higher_is_better else "↓"
        unit = f"\n{task.metric_unit}" if task.metric_unit else "\n"
        title = f"{task.name}\n{task.metric_title} {arrow}{unit}"
        table.add_column(title, justify="right")
    table.add_column("Delta_TTT\n%", justify="right")
    if CONTROL in curves:
        table.add_column(f"over\n{CONTROL}\npoints", justify="right")
    if oracle:
        table.add_column("oracle: best step\nneeds labels\n%", justify="right")
    for name, curve in curves.items():
        table.add_row(name, *_cells(curve, curves.get(CONTROL), tasks, oracle))
    return table


def _cells(curve, control, tasks, oracle):
    yield from (f"{curve.points[-1][t.metric_key]:.4f}" for t in tasks)
    gain = curve.gains[-1]
    yield f"{gain:+.2f}"
    if control is not None:
        yield f"{gain - control.gains[-1]:+.2f}"
    if oracle:
        yield f"{max(curve.gains):+.2f} at {curve.best['step']}"
