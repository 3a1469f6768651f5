"""Batch norm statistics of few images: what a prior of the source does.

    python recipes/small_windows.py

Adapts online, one step per batch, to batches of 1, 2, 4 and 8 images, by
`BatchNormOnly` with priors of 0, 2, 8 and 32 images: the statistics that a
prediction uses follow `share * source + (1 - share) * batch`, `share = prior /
(prior + batch size)`. Each batch size is a comparison in a folder of its own;
`tables.md` and `windows.png` are about all. Which prior is best is for targets
to tell here: to choose one without them, use `--tune`, which measures on
corrupted source images, and read the last table. Options, files and
interruptions are those of `compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import functools
import pathlib

from comparison.ablation import GAIN
from comparison.command_line import is_quick
from comparison.command_line import make_parser
from comparison.command_line import parse
from comparison.command_line import run_several
from comparison.contenders import SOURCE_ONLY
from comparison.summary import Summary
from comparison.writing import write_numbers
from comparison.writing import write_tables
from shared.reporting import CONTROL
from shared.tables import Table
from shared.tables import gain_cell

from keras_s4t.plots import lines

WINDOWS = (1, 2, 4, 8)
QUICK_WINDOWS = (1, 4)
PRIORS = (0.0, 2.0, 8.0, 32.0)
NOTE = """\
Delta_TTT in percent of the online prediction, relative to the source model;
what follows ± is the standard deviation over seeds.
"""


def prior_name(prior):
    """The name of a contender; without a prior, that of the control."""
    return f"prior {prior:g}" if prior else CONTROL


def make_methods(priors):
    """Contenders, as `make_contenders` takes them."""
    return {
        prior_name(prior): ("BatchNormOnly", {"prior": prior})
        for prior in priors
        if prior
    }


def windows_table(summaries, target, priors):
    """Gains on one target, a row per prior and a column per batch size.

    Args:
        summaries: dict from batch size to `Summary`.
        target: Name of a target, or `None` for the mean over all.
        priors: list of floats.

    Returns:
        `Table`.
    """
    rows = []
    for prior in priors:
        cells = []
        for summary in summaries.values():
            value = gain_of(summary, prior_name(prior), target)
            cells.append(gain_cell(value) if value else "")
        rows.append([f"{prior:g}", *cells])
    headers = ["prior", *(f"batch of\n{size}" for size in summaries)]
    return Table(target or "Mean over targets", headers, rows)


def gain_of(summary, name, target):
    """The `Spread` of a contender's gain, or `None`."""
    targets = None if target is None else [target]
    return summary.over_targets(summary.gains, name, targets)


def draw(comparisons, output, priors):
    """Writes tables and figures.

    Args:
        comparisons: dict from a title to the `Comparison` of a batch size.
        output: Folder to write to.
        priors: list of floats.
    """
    summaries = {
        comparison.settings.batch_size: Summary(comparison.results.content)
        for comparison in comparisons.values()
    }
    targets = next(iter(summaries.values())).targets
    names = [None, *targets] if len(targets) > 1 else targets
    write_tables(
        [windows_table(summaries, name, priors) for name in names],
        output,
        NOTE,
    )
    panels = {}
    for name in names:
        panels[name or "Mean over targets"] = {
            prior_name(prior): {
                size: value.interval
                for size, summary in summaries.items()
                if (value := gain_of(summary, prior_name(prior), name))
            }
            for prior in priors
        }
    for suffix in (".png", ".pdf"):
        lines(
            panels,
            "Images per batch",
            GAIN,
            output / f"windows{suffix}",
            controls=(SOURCE_ONLY, CONTROL),
            share_y=False,
        )
    for size, summary in summaries.items():
        write_numbers(summary, output / f"batch_{size}")


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/small_windows"))
    parser.add_argument("--windows", type=int, nargs="+", help="batch sizes")
    parser.add_argument("--priors", type=float, nargs="+", help="in images")
    arguments, workers = parse(parser)
    if "batch_size" in arguments:
        size = arguments["batch_size"]
        parser.error(f"--windows is what is compared, not --batch-size {size}")
    windows = QUICK_WINDOWS if is_quick(arguments) else WINDOWS
    windows = arguments.pop("windows", windows)
    priors = sorted({0.0, *arguments.pop("priors", PRIORS)})
    output = arguments.pop("output")
    several = {
        f"Batches of {size}": {
            "methods": make_methods(priors),
            "batch_size": size,
            "output": output / f"batch_{size}",
            "protocol": "online",
            "steps": 1,
            **arguments,
        }
        for size in windows
    }
    draw_all = functools.partial(draw, output=output, priors=priors)
    run_several(parser, several, workers, draw_all, output)


if __name__ == "__main__":
    main()
