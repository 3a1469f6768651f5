"""Who should predict? Choices without labels, compared with the truth.

    python recipes/choose_model.py

Adapts to the test images of every target of SynthRooms, a window at a time,
with the guards of `LiveAdapter`: the source model, batch norm statistics alone
and the adapted model are scored on labeled source images in the style of the
window, and the best one predicts. Labels of the target tell afterwards what
each of the three would have been worth. A window counts as well chosen if the
chosen model is at most half a percent of Delta_TTT worse on it than the best.

Writes `results.json`, `tables.md` and an audit file for each run. An
interrupted run goes on with the next target.

A minute per target and seed on one core.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import pathlib

import keras
import numpy as np
from comparison.statistics import spread
from comparison.writing import write_tables
from shared.tables import Table
from shared.tables import interval_cell
from streaming.arguments import add_target_arguments
from streaming.arguments import make_parser
from streaming.arguments import parse
from streaming.arguments import targets_of
from streaming.contenders import Contender
from streaming.contenders import load_source
from streaming.contenders import make_live
from streaming.contenders import measure
from streaming.results import open_results

import keras_s4t
from keras_s4t.data.records import examples_from_arrays
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.live.scores import gain

MODELS = ("source", "batch_norm", "adapted")
CHOSEN = "chosen"
# Percent of Delta_TTT that make no difference.
NO_DIFFERENCE = 0.5
NOTE = """\
Delta_TTT in percent of the source model, of the predictions of all windows
after the adaptation to them. "best" is the best of the three models in
hindsight; "kept" is what the choice gains in percent of the mean gain of
"best"; "right" is the share of windows that were well chosen. What follows ±
is half of the 95 % confidence interval of the mean over seeds.
"""


def run_one(live, arrays, tasks, window):
    """Adapts to a target; returns metrics of all models, and choices.

    Args:
        live: `LiveAdapter`, calibrated.
        arrays: `(images, labels, masks)`.
        tasks: list of `Task`.
        window: int. Frames per window.
    """
    images, labels, masks = arrays
    controls = live.adaptation.controls
    values = {name: [] for name in (*MODELS, CHOSEN)}
    names, estimates = [], []
    count = len(images) // window * window
    progress = keras.utils.Progbar(count // window, unit_name="window")
    for i in range(0, count, window):
        batch = images[i : i + window]
        values[CHOSEN].append(live(batch))
        names.append(live.predicts)
        estimates.append(live.adaptation.estimates)
        for name in MODELS:
            outputs = controls.outputs(name, batch)
            values[name].append(controls.values(outputs))
        progress.update(i // window + 1)
    joined = {
        name: {
            key: np.concatenate([part[key] for part in parts])
            for key in parts[0]
        }
        for name, parts in values.items()
    }
    windows = []
    for number, i in enumerate(range(0, count, window)):
        chosen = slice(i, i + window)
        found = {
            name: measure(tasks, joined[name], labels, masks, chosen)
            for name in MODELS
        }
        windows.append(
            {
                "predicts": names[number],
                "estimated": estimates[number],
                "true": {
                    name: gain(tasks, found["source"], found[name])
                    for name in MODELS
                },
            }
        )
    everything = slice(0, count)
    return {
        "metrics": {
            name: measure(tasks, found, labels, masks, everything)
            for name, found in joined.items()
        },
        "windows": windows,
    }


def is_right(window):
    """Whether the model that predicted was as good as the best."""
    true = window["true"]
    return true[window["predicts"]] >= max(true.values()) - NO_DIFFERENCE


def choice_table(content, targets, seeds, tasks):
    """A row per target."""
    headers = ["", "BatchNorm-\nOnly", "adapted", "chosen", "best"]
    headers += ["kept\n%", "right\n%"]
    rows, means = [], {}
    for target in targets:
        runs = [content["runs"][f"{target} seed {seed}"] for seed in seeds]
        gains = {
            name: [
                gain(tasks, run["metrics"]["source"], run["metrics"][name])
                for run in runs
            ]
            for name in (*MODELS, CHOSEN)
        }
        gains["best"] = np.max([gains[name] for name in MODELS], axis=0)
        right = np.mean([is_right(w) for run in runs for w in run["windows"]])
        rows.append(_row(target, gains, right))
        for name, values in {**gains, "right": [right]}.items():
            means.setdefault(name, []).append(np.asarray(values))
    if len(targets) > 1:
        gains = {k: np.mean(v, axis=0) for k, v in means.items()}
        rows.append(_row("mean", gains, gains.pop("right")[0]))
    return Table("Chosen without labels, Delta_TTT in percent", headers, rows)


def _row(title, gains, right):
    names = ("batch_norm", "adapted", CHOSEN, "best")
    best, chosen = np.mean(gains["best"]), np.mean(gains[CHOSEN])
    # Nothing can be kept where nothing is to be gained.
    kept = f"{100 * chosen / best:.0f}" if best > NO_DIFFERENCE else ""
    cells = [interval_cell(spread(gains[name])) for name in names]
    return [title, *cells, kept, f"{100 * right:.0f}"]


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/choose_model"))
    add_target_arguments(parser)
    arguments = parse(parser)
    quick = arguments.quick
    targets, seeds, num_target = targets_of(parser, arguments, [0, 1, 2], 200)
    corruptions = ("contrast",) if quick else None
    tasks = keras_s4t.TargetAdapter.from_preset(arguments.preset).tasks
    output = arguments.output
    results = open_results(parser, arguments, num_target=num_target)
    source = load_source(tasks, arguments)
    for seed in seeds:
        for target in targets:
            key = f"{target} seed {seed}"
            if key in results.content["runs"]:
                continue
            rooms = SynthRooms(
                "test",
                target,
                size=arguments.size,
                num_examples=num_target,
                seed=seed,
            )
            arrays = rooms.arrays(
                cache_dir=arguments.cache, workers=1 if quick else 2
            )
            print(key)
            live = make_live(
                Contender(is_guarded=True),
                arguments.preset,
                source,
                arguments.window,
                corruptions,
                audit=output / f"audit_{target}_{seed}.jsonl",
            )
            results.content["runs"][key] = run_one(
                live,
                examples_from_arrays(arrays, tasks),
                tasks,
                arguments.window,
            )
            results.save_if_possible()
    results.save()
    table = choice_table(results.content, targets, seeds, tasks)
    write_tables([table], output, NOTE)


if __name__ == "__main__":
    main()
