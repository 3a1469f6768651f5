"""One task's synchronizer, against that of all: Table 8 of the paper.

    python recipes/single_task.py --tune --method-epochs 3

Trains the network for all tasks as usual, but the projection and the
synchronizer of S4T for one task alone, which then is the only one that the
adaptation looks at, and compares with S4T of all tasks. A row of a single task
has the metric of this task and its own gain; the gains of its control,
`BatchNormOnly` on the same network, are beside it. Writes `results.json`,
`tables.md`, `metrics.csv` and `gains.png`. Options, files and interruptions are
those of `compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import pathlib

from comparison.ablation import draw_variants
from comparison.command_line import make_parser
from comparison.command_line import run_program
from comparison.statistics import spread
from comparison.summary import Summary
from shared.reporting import CONTROL
from shared.reporting import method_title
from shared.reporting import task_header
from shared.tables import Table
from shared.tables import interval_cell
from shared.tables import metric_cell


def single_name(task):
    """What the contender of one task is called."""
    return f"S4T, {task.name} alone"


def make_methods(config):
    """The contenders, as `make_contenders` takes them."""
    return {
        **{
            single_name(task): ("S4T", {"tasks": [task]})
            for task in config.make_tasks()
        },
        "S4T": "S4T",
    }


def task_gain(curve, task, step):
    """Relative improvement of one task at a step, in percent."""
    return curve.relative[task.metric_key][curve.steps.index(step)]


def gains_over_control(summary, method, target, task):
    """Gain of a task over `BatchNormOnly` on the same network, by seed.

    Args:
        summary: `Summary`.
        method: Name of a contender.
        target: Name of a target.
        task: `Task`.

    Returns:
        list of floats, in points of the relative improvement.
    """
    network = summary.network(method)
    controls = summary.curves(CONTROL, target, network)
    return [
        task_gain(curve, task, summary.step(method))
        - task_gain(controls[seed], task, summary.step(CONTROL))
        for seed, curve in summary.curves(method, target).items()
        if seed in controls
    ]


def single_table(summary, target):
    """Table 8 for one target."""
    singles = {single_name(task): task for task in summary.tasks}
    headers = ["method", *map(task_header, summary.tasks)]
    headers.append("own task over\nBatch-\nNormOnly")
    rows = []
    for method in summary.methods:
        if not summary.curves(method, target):
            continue
        own = singles.get(method)
        metrics = summary.metrics(method, target)
        cells = [
            metric_cell(metrics[task.metric_key]) if own in (None, task) else ""
            for task in summary.tasks
        ]
        over = None
        if own is not None:
            over = spread(gains_over_control(summary, method, target, own))
        rows.append([method_title(method), *cells, interval_cell(over)])
        if method == "S4T":
            # The same differences of S4T, to compare with.
            overs = [
                spread(gains_over_control(summary, method, target, task))
                for task in summary.tasks
            ]
            rows.append(
                [
                    f"S4T, tasks over {CONTROL}",
                    *map(interval_cell, overs),
                    "",
                ]
            )
    return Table(f"Table 8: one task or all, {target}", headers, rows)


def draw(comparison):
    """Writes tables and the figure."""
    summary = Summary(comparison.results.content)
    tables = [single_table(summary, target) for target in summary.targets]
    title = "Delta_TTT of all tasks, in percent, also of those not adapted for"
    draw_variants(comparison, title, tables)


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/single_task"))
    run_program(parser, make_methods, draw)


if __name__ == "__main__":
    main()
