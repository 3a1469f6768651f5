"""Draw the tables and figures of a comparison again, from its JSON alone.

    python recipes/draw_figures.py --results runs/comparison/results.json

Prints the tables and writes, into the folder of the results or `--output`:
`tables.md`; `metrics.csv`, `costs.csv` and `tuning.csv` with all digits; per
target `curves_<target>` (the metrics over adaptation steps) and
`synchronization_<target>` (the gain against SV, DTW and CS); over all targets,
`synchronization` and, for gains over `BatchNormOnly`,
`synchronization_over_control`; each as PNG and PDF. A comparison that was
interrupted is drawn as far as it got. Half a minute for six targets.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib
import re
import sys

from comparison.ablation import GAIN
from comparison.ablation import OVER
from comparison.contenders import CONTROLS
from comparison.results import ComparisonResults
from comparison.summary import Summary
from comparison.summary import correlations
from comparison.tables import correlation_table
from comparison.tables import costs_table
from comparison.tables import network_table
from comparison.tables import overall_table
from comparison.tables import synchronization_table
from comparison.tables import target_table
from comparison.tables import tuning_table
from comparison.writing import write_numbers
from comparison.writing import write_tables
from shared.reporting import by_title
from shared.reporting import method_title

from keras_s4t.plots import adaptation_curves
from keras_s4t.plots import synchronization

SUFFIXES = (".png", ".pdf")


def draw(content, output, quick=False):
    """Prints and writes everything that the results of a comparison show.

    Args:
        content: dict, what `results.json` holds.
        output: Folder to write to.
        quick: bool. Whether to draw the first target only, as PNG.
    """
    summary = Summary(content)
    write_tables(make_tables(summary), output)
    write_numbers(summary, output)
    targets, suffixes = summary.targets + summary.returns, SUFFIXES
    if quick:
        targets, suffixes = targets[:1], SUFFIXES[:1]
    for target in targets:
        draw_target(summary, target, output, suffixes)
    if len(summary.targets) > 1 and not quick:
        draw_all_targets(summary, output, suffixes)


def make_tables(summary):
    """All tables that have a row.

    Args:
        summary: `Summary`.

    Returns:
        list of `Table`.
    """
    tables = []
    for target in summary.targets + summary.returns:
        tables.append(target_table(summary, target))
        tables.append(synchronization_table(summary, target))
    if len(summary.targets + summary.returns) > 1:
        tables.append(overall_table(summary))
    tables.append(correlation_table(summary))
    tables.append(network_table(summary))
    tables.append(costs_table(summary))
    tables.append(tuning_table(summary))
    return [table for table in tables if table.rows]


def draw_target(summary, target, output, suffixes=SUFFIXES):
    """Writes the figures of one target."""
    name = re.sub(r"\W+", "_", target)
    methods = [m for m in summary.methods if summary.curves(m, target)]
    curves = {m: summary.mean_curve(m, target) for m in methods}
    markers = {
        method: summary.marker(method, target)
        for method in methods
        if len(curves[method].points) > 1
    }
    found = summary.correlations(target)
    controls = [method_title(name) for name in CONTROLS]
    for suffix in suffixes:
        adaptation_curves(
            by_title(curves),
            summary.tasks,
            output / f"curves_{name}{suffix}",
            title=target,
            controls=controls,
        )
        if markers:
            synchronization(
                by_title(markers),
                output / f"synchronization_{name}{suffix}",
                title=target,
                controls=controls,
                correlations={k: value for k, (value, _) in found.items()},
            )


def draw_all_targets(summary, output, suffixes=SUFFIXES):
    """Writes Figure 3 over methods and targets, and for gains over control."""
    for name, per_target, label in (
        ("", summary.gains, GAIN),
        ("_over_control", summary.over_control, OVER),
    ):
        markers = summary.markers(per_target)
        found = correlations([m for points in markers.values() for m in points])
        if not any(markers.values()):
            continue
        for suffix in suffixes:
            synchronization(
                by_title(markers),
                output / f"synchronization{name}{suffix}",
                title="All targets",
                controls=[method_title(name) for name in CONTROLS],
                correlations={k: value for k, (value, _) in found.items()},
                gain_label=label,
            )


def main():
    """Runs the recipe."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--results",
        type=pathlib.Path,
        default=pathlib.Path("runs/comparison/results.json"),
    )
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument(
        "--quick", action="store_true", help="the first target, PNG only"
    )
    arguments = parser.parse_args()
    if not arguments.results.is_file():
        parser.error(f"--results must be a file, not {arguments.results}")
    try:
        content = ComparisonResults(arguments.results).content
        output = arguments.output or arguments.results.parent
        draw(content, output, arguments.quick)
    except ValueError as error:
        sys.exit(f"draw_figures.py: error: {error}")


if __name__ == "__main__":
    main()
