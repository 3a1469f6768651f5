"""How the synchronizer's masks matter: Table 3, Figures 5 and 7, Appendix D.

    python recipes/ablate_masking.py --tune --method-epochs 3

Compares S4T with other masking strategies (Table 3), which Figure 5 draws
(`masks.png`), and with other mask ratios (Appendix D, `ratios.png`). The shared
mask drops the hidden tokens; `shared, tokens kept` masks in the way of the
other strategies, which cannot drop any. Then measures how much of its accuracy
without a mask the synchronizer of S4T keeps on validation images of the source
(Figure 7, `synchronizer.json` and `synchronizer.png`).

Every variant is trained on the source like S4T, and compared with
`BatchNormOnly` on the network that it adapts. Options, files and interruptions
are those of `compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import functools
import pathlib

import keras
import numpy as np
from comparison.ablation import GAIN
from comparison.ablation import OVER
from comparison.ablation import draw_variants
from comparison.command_line import is_quick
from comparison.command_line import make_parser
from comparison.command_line import parse
from comparison.command_line import run
from comparison.data import load_validation
from comparison.statistics import spread
from shared.reporting import CONTROL
from shared.results_file import ResultsFile
from shared.tables import Table
from synchronizer_accuracy import measure

from keras_s4t.methods.s4t import RandomMasking
from keras_s4t.methods.s4t.random_masking import MASK_STRATEGIES
from keras_s4t.plots import lines
from keras_s4t.plots import mask_grid

RATIOS = (0.0, 0.25, 0.5, 0.75, 0.9)
QUICK_RATIOS = (0.0,)
KEPT_RATIOS = tuple(i / 10 for i in range(10))
QUICK_KEPT_RATIOS = (0.0, 0.5)
# Masks are random: the accuracy at a ratio is the mean over as many.
NUM_MASKS = 4
SHARED, KEPT = "shared", "shared, tokens kept"
SUFFIXES = (".png", ".pdf")


def make_methods(config, ratios=RATIOS):
    """The variants, as `make_contenders` takes them.

    Args:
        config: `Configuration`.
        ratios: Mask ratios. That of the configuration is always among them.

    Returns:
        dict.
    """
    method = config.make_method("S4T")
    options = method.synchronizer_options
    strategies = {
        # The default of the configuration, S4T itself.
        SHARED: ("S4T", {}),
        KEPT: ("S4T", {"synchronizer": {**options, "drop_tokens": False}}),
        **{
            name: ("S4T", {"mask_strategy": name})
            for name in MASK_STRATEGIES
            if name != SHARED
        },
    }
    return strategies | {
        ratio_name(ratio): ("S4T", {"mask_ratio": ratio})
        for ratio in sorted(set(ratios) - {method.mask_ratio})
    }


def ratio_name(ratio):
    """The name of a contender with another mask ratio."""
    return f"{SHARED}, ratio {ratio:g}"


def draw(comparison, ratios, kept_ratios):
    """Writes tables and figures.

    Args:
        comparison: `Comparison`, finished.
        ratios: Mask ratios of contenders.
        kept_ratios: Mask ratios to measure the synchronizer of S4T with, the
            first of which is 0.
    """
    output = comparison.settings.output
    config = comparison.settings.configuration
    method = config.make_method("S4T")
    names = {r: ratio_name(r) for r in ratios if r != method.mask_ratio}
    names[method.mask_ratio] = SHARED
    kept = measure_kept(comparison, kept_ratios)
    summary = draw_variants(
        comparison,
        "Table 3 and Appendix D: Delta_TTT by masks, in percent",
        [kept_table(kept, config.make_tasks())],
    )
    panels = {}
    for label, per_target in (
        (GAIN, summary.gains),
        (OVER, summary.over_control),
    ):
        points = {
            ratio: summary.over_targets(per_target, name)
            for ratio, name in names.items()
        }
        panels[label] = {
            "S4T": {
                ratio: value.interval
                for ratio, value in points.items()
                if value is not None
            }
        }
        if label == GAIN:
            value = summary.over_targets(per_target, CONTROL)
            panels[label][CONTROL] = {ratio: value.interval for ratio in names}
    masks = draw_masks(method)
    for suffix in SUFFIXES:
        mask_grid(masks, output / f"masks{suffix}")
        lines(
            panels,
            "Mask ratio",
            path=output / f"ratios{suffix}",
            share_y=False,
        )
        lines(
            kept_panels(kept, config.make_tasks()),
            "Mask ratio",
            "Kept accuracy",
            output / f"synchronizer{suffix}",
        )


def draw_masks(method):
    """One mask of every strategy, for Figure 5.

    Args:
        method: `S4T`.

    Returns:
        dict from strategy to a dict from task name to an array.
    """
    synchronizer = method.synchronizer
    shape = [n // synchronizer.patch_size for n in synchronizer.image_size]
    task_names = [task.name for task in method.tasks]
    masks = {}
    for strategy in MASK_STRATEGIES:
        masking = RandomMasking(
            shape[0] * shape[1], task_names, method.mask_ratio, strategy, seed=0
        )
        masks[strategy] = {
            name: np.reshape(keras.ops.convert_to_numpy(visible), shape)
            for name, visible in masking.visible_maps(1).items()
        }
    return masks


def measure_kept(comparison, ratios):
    """How much of its accuracy the synchronizer of S4T keeps under a mask.

    The measurements of a source model are found again in `synchronizer.json`.

    Args:
        comparison: `Comparison`, finished.
        ratios: Mask ratios, the first of which is 0.

    Returns:
        dict from seed to a dict from the key of a task's metric to a dict from
        a mask ratio to the ratio of the metric to that without a mask, upside
        down for errors.
    """
    settings, sources = comparison.settings, comparison.sources
    measured = ResultsFile(settings.output / "synchronizer.json")
    contender = comparison.plan.contenders[SHARED]
    tasks = comparison.tasks
    kept = {}
    for seed in settings.seeds:
        key = sources.path(seed, contender).stem
        if key not in measured.content:
            print(f"Measuring the synchronizer: seed {seed}", flush=True)
            trainer = sources.trained(seed, contender)
            dataset = load_validation(settings, tasks)
            measured.content[key] = measure_ratios(trainer, dataset, ratios)
            measured.save()
        kept[seed] = relative_to_no_mask(measured.content[key], tasks)
    return kept


def measure_ratios(trainer, dataset, ratios):
    """Metrics of the synchronizer at several mask ratios.

    Args:
        trainer: `SourceTrainer` with `S4T`.
        dataset: Batches of `(images, labels, masks)`.
        ratios: Mask ratios.

    Returns:
        dict from the ratio, a string, to a dict from the key of a task's metric
        to its mean over masks.
    """
    measured = {}
    for ratio in ratios:
        config = {**trainer.method.get_config(), "mask_ratio": ratio}
        method = type(trainer.method).from_config(config)
        method.build(trainer.network.features_shape)
        method.set_weights(trainer.method.get_weights())
        masks = [
            measure(trainer.network, method, dataset)
            for _ in range(NUM_MASKS if ratio else 1)
        ]
        measured[f"{ratio:g}"] = {
            key: float(np.mean([mask[key]["synchronizer"] for mask in masks]))
            for key in masks[0]
        }
    return measured


def relative_to_no_mask(measured, tasks):
    """What is kept of the accuracy at mask ratio 0, see `measure_kept`."""
    kept = {}
    for task in tasks:
        key = task.metric_key
        values = {float(r): metrics[key] for r, metrics in measured.items()}
        kept[key] = {
            ratio: value / values[0.0]
            if task.higher_is_better
            else values[0.0] / value
            for ratio, value in values.items()
        }
    return kept


def kept_spreads(kept, task):
    """Dict from mask ratio to the `Spread` over seeds of a task."""
    seeds = [values[task.metric_key] for values in kept.values()]
    return {ratio: spread([s[ratio] for s in seeds]) for ratio in seeds[0]}


def kept_table(kept, tasks):
    """Figure 7 as a table, one row per mask ratio."""
    spreads = {task.name: kept_spreads(kept, task) for task in tasks}
    rows = []
    for ratio in spreads[tasks[0].name]:
        values = [spreads[task.name][ratio] for task in tasks]
        mean = np.mean([value.mean for value in values])
        cells = [f"{100 * value.mean:.1f}" for value in values]
        rows.append([f"{ratio:g}", *cells, f"{100 * mean:.1f}"])
    headers = ["mask ratio", *(task.name for task in tasks), "mean"]
    return Table(
        "Figure 7: accuracy that the synchronizer keeps on the source, in "
        "percent of that without a mask",
        headers,
        rows,
    )


def kept_panels(kept, tasks):
    """What `lines` draws of Figure 7."""
    return {
        "Synchronizer on the source": {
            task.title: {
                ratio: value.interval
                for ratio, value in kept_spreads(kept, task).items()
            }
            for task in tasks
        }
    }


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/ablate_masking"))
    parser.add_argument(
        "--ratios", type=float, nargs="+", help="mask ratios, in [0, 1)"
    )
    arguments, workers = parse(parser)
    ratios, kept_ratios = RATIOS, KEPT_RATIOS
    if is_quick(arguments):
        ratios, kept_ratios = QUICK_RATIOS, QUICK_KEPT_RATIOS
    ratios = tuple(arguments.pop("ratios", ratios))

    methods = functools.partial(make_methods, ratios=ratios)
    draw_all = functools.partial(draw, ratios=ratios, kept_ratios=kept_ratios)
    run(parser, {"methods": methods, **arguments}, workers, draw_all)


if __name__ == "__main__":
    main()
