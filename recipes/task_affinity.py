"""How alike the latents of tasks are, before and after: Figure 6 of the paper.

    python recipes/task_affinity.py --method-epochs 3

On images of a target, measures the affinity of the task latents of S4T in the
source model, after `BatchNormOnly`, after S4T, and in a network that was
fine-tuned on labeled images of the target, which the adaptation is hoped to
come near to. Affinity is the mean cosine similarity, as in the paper, and
linear CKA, which does not depend on the order of the channels. The distance of
two matrices is the mean absolute difference off the diagonal. The images of the
source are there to compare with.

Labels of the target are used for the fine-tuned network alone. Writes
`results.json`, `tables.md` and per target `affinity_<target>.png`. Options,
files and interruptions are those of `compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import pathlib
import re

import keras
import numpy as np
from comparison.adaptation import make_adapter
from comparison.command_line import make_parser
from comparison.command_line import parse
from comparison.command_line import run
from comparison.data import load_fine_tuning
from comparison.data import load_validation
from comparison.keys import signature
from comparison.statistics import spread
from comparison.summary import Summary
from comparison.tables import overall_table
from comparison.writing import write_tables
from shared.protocols import PROTOCOLS
from shared.reporting import CONTROL
from shared.results_file import ResultsFile
from shared.tables import Table
from shared.tables import interval_cell
from shared.tables import metric_cell

import keras_s4t
from keras_s4t.metrics import cosine_affinity
from keras_s4t.metrics import linear_cka
from keras_s4t.plots import matrices

MEASURES = {"cosine": cosine_affinity, "linear CKA": linear_cka}
SOURCE, BEFORE, AFTER, TUNED = (
    "source images",
    "before",
    "S4T",
    "fine-tuned",
)
STATES = (SOURCE, BEFORE, CONTROL, AFTER, TUNED)
# Passes over the labeled images of the target.
FINE_TUNING_EPOCHS = 5
NOTE = """\
What follows ± is the standard deviation over seeds, and half of the 95 %
confidence interval where a difference to BatchNormOnly is given. A distance is
the mean absolute difference to the affinity of the fine-tuned network, off the
diagonal.
"""


def measure(comparison, seed, target_name):
    """The affinities of one seed on one target.

    Args:
        comparison: `Comparison`, finished.
        seed: int.
        target_name: Name of a target.

    Returns:
        dict from a state to a dict from a measure to a matrix, as nested lists.
    """
    settings, sources = comparison.settings, comparison.sources
    contender = comparison.plan.contenders["S4T"]
    target = comparison.target(target_name)
    network, method = sources.get(seed, contender, contender)
    found = {
        SOURCE: affinities(
            network, method, load_validation(settings, comparison.tasks)
        ),
        BEFORE: affinities(network, method, target),
    }
    for name in (CONTROL, AFTER):
        network, method = sources.get(seed, contender, contender)
        adapting = method
        if name == CONTROL:
            adapting = keras_s4t.methods.BatchNormOnly()
        choice = comparison.plan.choices["S4T" if name == AFTER else CONTROL]
        adapter = make_adapter(
            network, adapting, settings, choice["learning_rate"]
        )
        stream, _ = PROTOCOLS[settings.protocol](target, choice["step"])
        adapter.fit(stream, verbose=0)
        found[name] = affinities(network, method, target)
    network, method = fine_tune(comparison, seed, target_name)
    found[TUNED] = affinities(network, method, target)
    return found


def fine_tune(comparison, seed, target_name):
    """The source model, trained further on labeled images of a target."""
    settings = comparison.settings
    contender = comparison.plan.contenders["S4T"]
    network, method = comparison.sources.get(seed, contender, contender)
    images = load_fine_tuning(settings, network.tasks, target_name, seed)
    steps = FINE_TUNING_EPOCHS * int(images.cardinality())
    trainer = settings.configuration.make_trainer(
        network, method, steps, stage="joint"
    )
    trainer.fit(images, epochs=FINE_TUNING_EPOCHS, verbose=0)
    return network, method


def affinities(network, method, dataset):
    """All measures of the latents of all images, as nested lists."""
    latents = {}
    for images, *_ in dataset.as_numpy_iterator():
        projected = method.project(network.encode(images, False))
        for name, value in projected.items():
            value = keras.ops.convert_to_numpy(value)
            latents.setdefault(name, []).append(value)
    latents = {name: np.concatenate(parts) for name, parts in latents.items()}
    return {k: measure(latents).tolist() for k, measure in MEASURES.items()}


def distance(first, second):
    """Mean absolute difference of two matrices off the diagonal."""
    difference = np.abs(np.subtract(first, second))
    return float(difference[~np.eye(len(difference), dtype=bool)].mean())


def distances_table(records, target):
    """Distances to the fine-tuned network, one row per state.

    Args:
        records: dict from seed to what `measure` returned.
        target: Name of the target.

    Returns:
        `Table`.
    """
    rows = []
    for state in (SOURCE, BEFORE, CONTROL, AFTER):
        cells = []
        for measure_name in MEASURES:
            values = [
                distance(r[state][measure_name], r[TUNED][measure_name])
                for r in records.values()
            ]
            cells.append(metric_cell(spread(values)))
            controls = [
                distance(r[CONTROL][measure_name], r[TUNED][measure_name])
                for r in records.values()
            ]
            over = np.subtract(values, controls)
            is_after = state == AFTER
            cells.append(interval_cell(spread(over) if is_after else None))
        rows.append([state, *cells])
    headers = ["latents"]
    for name in MEASURES:
        headers += [f"{name},\ndistance", f"minus\n{CONTROL}"]
    title = f"Figure 6: affinity of tasks against fine-tuning, {target}"
    return Table(title, headers, rows)


def draw(comparison):
    """Measures what is missing, and writes tables and figures."""
    settings, plan = comparison.settings, comparison.plan
    output = settings.output
    measured = AffinityFile(output / "affinities.json")
    tables = [overall_table(Summary(comparison.results.content))]
    names = [task.name for task in comparison.tasks]
    contender = plan.contenders["S4T"]
    for target in settings.targets:
        records = {}
        for seed in settings.seeds:
            key = plan.keys.run(seed, contender, contender, None, target)
            key = signature(key, plan.choices["S4T"], plan.choices[CONTROL])
            if key not in measured.content:
                print(f"Measuring affinities: seed {seed}, {target}")
                measured.content[key] = measure(comparison, seed, target)
                measured.save()
            records[seed] = measured.content[key]
        tables.append(distances_table(records, target))
        stem = re.sub(r"\W+", "_", target)
        for measure_name in MEASURES:
            means = {
                state: np.mean(
                    [r[state][measure_name] for r in records.values()], axis=0
                )
                for state in STATES
            }
            suffix = measure_name.split()[-1].lower()
            for extension in (".png", ".pdf"):
                matrices(
                    means,
                    names,
                    output / f"affinity_{stem}_{suffix}{extension}",
                    title=f"{target}: {measure_name}",
                    limits=(0.0, 1.0),
                )
    write_tables(tables, output, NOTE)


class AffinityFile(ResultsFile):
    """Affinities, under the keys of adaptations."""

    kind = "`task_affinity.py`"


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/task_affinity"))
    arguments, workers = parse(parser)

    run(parser, {"methods": ["S4T"], **arguments}, workers, draw)


if __name__ == "__main__":
    main()
