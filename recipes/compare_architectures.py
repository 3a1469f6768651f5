"""S4T on two architectures, against NC-TTT: Table 6 of the paper.

    python recipes/compare_architectures.py --tune --method-epochs 3

Compares S4T on the paper's pyramid decoder with NC-TTT and S4T on MTI-Net, a
decoder that exchanges features between tasks: gain, parameters and time of a
step. Each architecture is a comparison in a folder of its own, with its own
`BatchNormOnly`, and writes what `compare_methods.py` writes; `tables.md` and
`gains.png` are about both. Options, files and interruptions are those of
`compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import functools
import pathlib

from comparison.ablation import gain_panels
from comparison.command_line import make_parser
from comparison.command_line import parse
from comparison.command_line import run_several
from comparison.summary import Summary
from comparison.tables import network_table
from comparison.tables import overall_table
from comparison.tables import target_table
from comparison.writing import write_numbers
from comparison.writing import write_tables
from shared.reporting import CONTROL
from shared.reporting import method_title
from shared.tables import Table
from shared.tables import gain_cell
from shared.tables import interval_cell
from shared.tables import number_cell

from keras_s4t.plots import intervals

# The methods of Table 6 by decoder.
METHODS = {"pyramid": ["S4T"], "mti_net": ["NCTTT", "S4T"]}
TITLES = {"pyramid": "pyramid", "mti_net": "MTI-Net"}


def architectures_table(summaries):
    """Table 6, over all targets.

    Args:
        summaries: dict from the name of a decoder to its `Summary`.

    Returns:
        `Table`.
    """
    headers = [
        "method + decoder",
        "Delta_TTT\n%",
        "over\nBatch-\nNormOnly",
        "parameters",
        "seconds\nper step",
        "seconds\nper step and\nprediction",
    ]
    rows = []
    for decoder, summary in summaries.items():
        for method in (CONTROL, *METHODS[decoder]):
            gain = summary.over_targets(summary.gains, method)
            over = summary.over_targets(summary.over_control, method)
            contender = summary.content["contenders"][method]
            costs = summary.content["costs"].get(contender["costs"], {})
            step, predict = (
                costs.get(key) for key in ("step_seconds", "predict_seconds")
            )
            both = None if None in (step, predict) else step + predict
            rows.append(
                [
                    f"{method_title(method)} + {TITLES[decoder]}",
                    gain_cell(gain) if gain else "",
                    interval_cell(over if method != CONTROL else None),
                    number_cell(costs.get("parameters"), ","),
                    number_cell(step, "#.3g"),
                    number_cell(both, "#.3g"),
                ]
            )
    title = "Table 6: architectures, Delta_TTT in percent, mean over targets"
    return Table(title, headers, rows)


def draw(comparisons, output):
    """Writes tables and figures.

    Args:
        comparisons: dict from the title of a decoder to its `Comparison`.
        output: Folder to write to.
    """
    summaries = {
        name: Summary(comparisons[title].results.content)
        for name, title in TITLES.items()
    }
    tables = [architectures_table(summaries)]
    panels = {}
    for name, summary in summaries.items():
        title = f"Delta_TTT in percent, {TITLES[name]}, all targets"
        tables.append(overall_table(summary, title))
        for target in summary.targets:
            table = target_table(summary, target)
            table.title = f"{table.title}, {TITLES[name]}"
            tables.append(table)
        tables.append(network_table(summary))
        write_numbers(summary, output / name)
        for label, values in gain_panels(summary).items():
            panels.setdefault(label, {}).update(
                {f"{k} + {TITLES[name]}": v for k, v in values.items()}
            )
    write_tables(tables, output)
    for suffix in (".png", ".pdf"):
        intervals(
            panels,
            output / f"gains{suffix}",
            title="Mean over targets, 95 % intervals over seeds",
            controls=[f"{CONTROL} + {title}" for title in TITLES.values()],
        )


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/compare_architectures"))
    arguments, workers = parse(parser)
    if "decoder" in arguments:
        decoder = arguments["decoder"]
        parser.error(f"--decoder is what is compared, not {decoder}")
    output = arguments.pop("output")
    several = {
        TITLES[decoder]: {
            "methods": methods,
            "decoder": decoder,
            "output": output / decoder,
            **arguments,
        }
        for decoder, methods in METHODS.items()
    }
    draw_all = functools.partial(draw, output=output)
    run_several(parser, several, workers, draw_all, output)


if __name__ == "__main__":
    main()
