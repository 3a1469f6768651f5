"""How much noise in the target an adaptation stands: Table 5 of the paper.

    python recipes/noise_robustness.py --tune --method-epochs 3

Adapts to targets with Gaussian noise, whose standard deviation is 0, 0.01,
0.05, 0.1, 0.2, 0.3 and 0.4 of that of an image (over all its pixels and
channels), and compares with `BatchNormOnly` on the same images. Delta_TTT is
relative to the source model on the same noisy images. Writes `results.json`,
`tables.md`, `metrics.csv` and `noise.png`. Options, files and interruptions are
those of `compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import pathlib

import configs
from comparison.ablation import GAIN
from comparison.ablation import OVER
from comparison.command_line import is_quick
from comparison.command_line import make_parser
from comparison.command_line import parse
from comparison.command_line import run
from comparison.contenders import SOURCE_ONLY
from comparison.contenders import default_methods
from comparison.data import noise_scale
from comparison.data import noisy
from comparison.data import without_noise
from comparison.summary import Summary
from comparison.tables import network_table
from comparison.tables import target_table
from comparison.tables import tuning_table
from comparison.writing import write_numbers
from comparison.writing import write_tables
from shared.reporting import CONTROL
from shared.reporting import by_title
from shared.reporting import method_title
from shared.tables import Table
from shared.tables import gain_cell
from shared.tables import interval_cell

from keras_s4t.plots import lines

SCALES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4)
QUICK_SCALES = (0.0, 0.2)


def by_scale(summary, per_target, method, datasets):
    """What seeds say at every scale, mean over datasets.

    Args:
        summary: `Summary`.
        per_target: `gains` or `over_control` of it.
        method: Name of a method.
        datasets: Names of datasets without noise.

    Returns:
        dict from scale to a `Spread`.
    """
    scales = sorted({noise_scale(target) for target in summary.targets})
    found = {
        scale: summary.over_targets(
            per_target, method, [noisy(dataset, scale) for dataset in datasets]
        )
        for scale in scales
    }
    return {scale: value for scale, value in found.items() if value}


def noise_table(summary, datasets):
    """Table 5: one row per method, one column per scale."""
    scales = sorted({noise_scale(target) for target in summary.targets})
    headers = ["method", *(f"{scale:g}" for scale in scales)]
    rows = []
    for method in summary.methods:
        gains = by_scale(summary, summary.gains, method, datasets)
        rows.append(
            [
                method_title(method),
                *(gain_cell(gains[s]) if s in gains else "" for s in scales),
            ]
        )
        if method in (SOURCE_ONLY, CONTROL):
            continue
        over = by_scale(summary, summary.over_control, method, datasets)
        rows.append(
            [
                f"{method_title(method)} over {CONTROL}",
                *(interval_cell(over.get(s)) for s in scales),
            ]
        )
    title = "Table 5: Delta_TTT in percent by the scale of the noise"
    return Table(title, headers, rows)


def draw(comparison):
    """Writes tables and the figure."""
    output = comparison.settings.output
    summary = Summary(comparison.results.content)
    datasets = list(dict.fromkeys(map(without_noise, summary.targets)))
    targets = [target_table(summary, target) for target in summary.targets]
    last = [network_table(summary), tuning_table(summary)]
    write_tables([noise_table(summary, datasets), *targets, *last], output)
    write_numbers(summary, output)
    methods = [m for m in summary.methods if m != SOURCE_ONLY]
    panels = {
        label: by_title(
            {
                method: {
                    scale: value.interval
                    for scale, value in by_scale(
                        summary, per_target, method, datasets
                    ).items()
                }
                for method in methods
                if per_target == summary.gains or method != CONTROL
            }
        )
        for label, per_target in (
            (GAIN, summary.gains),
            (OVER, summary.over_control),
        )
    }
    for suffix in (".png", ".pdf"):
        lines(
            panels,
            "Standard deviation of the noise\nrelative to the image's",
            path=output / f"noise{suffix}",
            share_y=False,
        )


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/noise_robustness"))
    parser.add_argument(
        "--methods", nargs="+", choices=sorted(default_methods())
    )
    parser.add_argument("--scales", type=float, nargs="+")
    arguments, workers = parse(parser)
    default = QUICK_SCALES if is_quick(arguments) else SCALES
    scales = arguments.pop("scales", default)
    if min(scales) < 0:
        parser.error(f"--scales must not be negative, not {min(scales)}")
    targets = arguments.get("targets")
    if targets is None:
        targets = configs.get(arguments["config"]).targets
    arguments["targets"] = tuple(
        noisy(target, scale) for target in targets for scale in scales
    )
    run(parser, {"methods": ["S4T"], **arguments}, workers, draw)


if __name__ == "__main__":
    main()
