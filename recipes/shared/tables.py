"""Tables for the terminal and in Markdown."""

import dataclasses

import numpy as np
import rich.table
from rich import box

from shared.reporting import CONTROL
from shared.reporting import method_title
from shared.reporting import task_header


def make_table(title, headers, num_names=1):
    """A table narrow enough for 80 characters, numbers at the right.

    Args:
        title: Heading.
        headers: Headings of the columns.
        num_names: int. Columns at the left that hold names.

    Returns:
        A `rich.table.Table` without rows.
    """
    table = rich.table.Table(
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


@dataclasses.dataclass
class Table:
    """A table of strings; a line break in a cell is one in the terminal.

    Attributes:
        title: Heading.
        headers: list of strings.
        rows: list of lists of strings, the first of each being a name.
    """

    title: str
    headers: list
    rows: list

    def rich(self):
        """As a `rich.table.Table`."""
        table = make_table(self.title, self.headers)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self):
        """As Markdown."""
        rules = ["---"] + ["--:"] * (len(self.headers) - 1)
        lines = [self.headers, rules, *self.rows]
        rows = ["| " + " | ".join(line) + " |" for line in lines]
        text = "\n".join(
            row.replace("-\n", "").replace("\n", " ") for row in rows
        )
        return f"### {self.title}\n\n{text}\n"


def curves_table(curves, tasks, oracle=False):
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
        cells = _curve_cells(curve, curves.get(CONTROL), tasks, oracle)
        table.add_row(method_title(name), *cells)
    return table


def _curve_cells(curve, control, tasks, oracle):
    yield from (f"{curve.points[-1][t.metric_key]:#.4g}" for t in tasks)
    gain = curve.gains[-1]
    yield f"{gain:+.2f}"
    if control is not None:
        yield f"{gain - control.gains[-1]:+.2f}"
    if oracle:
        yield f"{max(curve.gains):+.2f} @{curve.best['step']}"


def learning_rates_table(gains, learning_rates):
    """Gains beyond the control, one row per learning rate.

    Args:
        gains: dict from the name of a corruption to points of Delta_TTT, one
            row per severity and one column per learning rate.
        learning_rates: list of floats.

    Returns:
        A `rich.table.Table`. The best mean over all corruptions has a star.
    """
    columns = {name: np.mean(rows, axis=0) for name, rows in gains.items()}
    mean = columns["mean"] = np.mean(list(columns.values()), axis=0)
    best = None if np.isnan(mean).all() else np.nanargmax(mean)
    headers = ["learning\nrate", *(name.replace("_", "\n") for name in columns)]
    table = make_table(f"Delta_TTT beyond {CONTROL}, points", headers)
    for i, learning_rate in enumerate(learning_rates):
        cells = [f"{column[i]:+.2f}" for column in columns.values()]
        if i == best:
            cells[-1] += " *"
        table.add_row(f"{learning_rate:.0e}", *cells)
    return table


def synchronizer_table(results, tasks):
    """What a synchronizer keeps of the decoders, one row per model.

    Args:
        results: dict from the name of a model to a dict from the key of a
            metric to a dict with `"decoder"`, `"synchronizer"` and `"kept"`.
        tasks: list of `Task`.

    Returns:
        A `rich.table.Table`.
    """
    headers = ["synchronizer / decoder", *map(task_header, tasks), "kept\n%"]
    table = make_table("On the source, its latents masked", headers)
    for name, metrics in results.items():
        cells = [
            f"{metrics[task.metric_key]['synchronizer']:#.3g} /\n"
            f"{metrics[task.metric_key]['decoder']:#.3g}"
            for task in tasks
        ]
        kept = [metrics[task.metric_key]["kept"] for task in tasks]
        table.add_row(name, *cells, f"{100 * sum(kept) / len(kept):.0f}")
    return table


def throughput_table(results):
    """Images per second, one row per dataset.

    Args:
        results: list of dicts with `"dataset"`, `"size"`, `"training"` and
            `"images_per_second"`; every dataset has the same sizes.

    Returns:
        A `rich.table.Table`.
    """
    rates = {
        (row["dataset"], tuple(row["size"]), row["training"]): row[
            "images_per_second"
        ]
        for row in results
    }
    columns = list(dict.fromkeys(key[1:] for key in rates))
    headers = ["images per second"] + [
        f"{height}x{width}\n{'training' if training else 'evaluation'}"
        for (height, width), training in columns
    ]
    table = make_table("The loader alone", headers)
    for name in dict.fromkeys(dataset for dataset, *_ in rates):
        cells = [f"{rates[(name, *column)]:.0f}" for column in columns]
        table.add_row(name, *cells)
    return table


def metric_cell(value):
    """A metric's mean and standard deviation over seeds."""
    # No more than six characters, unless it diverged.
    mean = f"{value.mean:{'.4f' if abs(value.mean) < 1 else '#.4g'}}"
    return mean if value.std is None else f"{mean}\n±{value.std:.2g}"


def gain_cell(value):
    """A gain's mean and standard deviation, with its sign."""
    mean = f"{value.mean:+.2f}"
    return mean if value.std is None else f"{mean}\n±{value.std:.2f}"


def interval_cell(value):
    """A difference's mean and confidence interval; empty for `None`."""
    if value is None:
        return ""
    mean = f"{value.mean:+.2f}"
    if value.half_width is None:
        return mean
    return f"{mean}\n±{value.half_width:.2f}"


def number_cell(value, form, scale=1):
    """A number in the given format; empty for `None`."""
    return "" if value is None else format(scale * value, form)
