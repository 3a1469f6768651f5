"""Tables and figures of programs that compare variants of one method."""

import pathlib

from shared.reporting import CONTROL
from shared.reporting import by_title

from comparison.contenders import SOURCE_ONLY
from comparison.summary import Summary
from comparison.tables import network_table
from comparison.tables import overall_table
from comparison.tables import target_table
from comparison.tables import tuning_table
from comparison.writing import write_numbers
from comparison.writing import write_tables
from keras_s4t.plots import intervals

GAIN = r"$\Delta_\mathrm{TTT}$ (%)"
OVER = "over BatchNormOnly (points)"


def draw_variants(comparison, title, tables=()):
    """Writes what every ablation shows.

    Args:
        comparison: `Comparison`, finished.
        title: string. Title of the table over all targets.
        tables: Further tables, which stand behind that one.

    Returns:
        `Summary`.
    """
    output = comparison.settings.output
    summary = Summary(comparison.results.content)
    first = overall_table(summary, title)
    targets = [
        target_table(summary, target)
        for target in summary.targets + summary.returns
    ]
    last = [network_table(summary), tuning_table(summary)]
    write_tables([first, *tables, *targets, *last], output)
    write_numbers(summary, output)
    for suffix in (".png", ".pdf"):
        intervals(
            gain_panels(summary),
            pathlib.Path(output, f"gains{suffix}"),
            title="Mean over targets, 95 % intervals over seeds",
        )
    return summary


def gain_panels(summary):
    """What `intervals` draws: gains, and gains over the control."""
    methods = [name for name in summary.methods if name != SOURCE_ONLY]
    gains = {
        name: summary.over_targets(summary.gains, name) for name in methods
    }
    over = {
        name: summary.over_targets(summary.over_control, name)
        for name in methods
        if name != CONTROL
    }
    return {
        label: by_title(
            {
                name: value.interval
                for name, value in values.items()
                if value is not None
            }
        )
        for label, values in ((GAIN, gains), (OVER, over))
    }
