"""The tables in which recipes show their results."""

import numpy as np
from rich import box
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
    headers = ["method", *map(task_header, tasks), "Delta_TTT\n%"]
    if CONTROL in curves:
        headers.append("over\nBatch-\nNormOnly")
    if oracle:
        headers.append("best step,\nan oracle\n%")
    table = make_table(f"After {steps} steps", headers)
    for name, curve in curves.items():
        table.add_row(name, *_cells(curve, curves.get(CONTROL), tasks, oracle))
    return table


def task_header(task):
    """Name, metric, its direction and its unit, one below the other."""
    arrow = "↑" if task.higher_is_better else "↓"
    metric = task.metric_key.removeprefix(f"{task.name}_")
    return f"{task.name}\n{metric} {arrow}\n{task.metric_unit or ''}"


def _cells(curve, control, tasks, oracle):
    yield from (f"{curve.points[-1][t.metric_key]:#.4g}" for t in tasks)
    gain = curve.gains[-1]
    yield f"{gain:+.2f}"
    if control is not None:
        yield f"{gain - control.gains[-1]:+.2f}"
    if oracle:
        yield f"{max(curve.gains):+.2f} @{curve.best['step']}"


def tuning_table(gains, learning_rates):
    """Gains beyond the control, one row per learning rate.

    Args:
        gains: dict from the name of a corruption to points of Delta_TTT, one
            row per severity and one column per learning rate.
        learning_rates: list of floats.

    Returns:
        A `rich.table.Table`. The best mean over all corruptions has a star.
    """
    columns = {name: np.mean(rows, axis=0) for name, rows in gains.items()}
    columns["mean"] = np.mean(list(columns.values()), axis=0)
    headers = ["learning\nrate", *(name.replace("_", "\n") for name in columns)]
    table = make_table(f"Delta_TTT beyond {CONTROL}, points", headers)
    for i, learning_rate in enumerate(learning_rates):
        cells = [f"{column[i]:+.2f}" for column in columns.values()]
        if i == np.nanargmax(columns["mean"]):
            cells[-1] += " *"
        table.add_row(f"{learning_rate:.0e}", *cells)
    return table


def make_table(title, headers, num_names=1):
    """A table narrow enough for 80 characters, numbers at the right.

    Args:
        title: Heading.
        headers: Headings of the columns.
        num_names: int. Columns at the left that hold names.

    Returns:
        A `rich.table.Table` without rows.
    """
    table = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )
    for i, header in enumerate(headers):
        justify = "left" if i < num_names else "right"
        table.add_column(header, justify=justify, no_wrap=True)
    return table
