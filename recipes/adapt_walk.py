"""Adapt to a camera that walks through rooms while the light changes.

    python recipes/adapt_walk.py

A walk through SynthRooms of 1,000 frames: the source's light, evening, the
source's light again, another sensor. Frames come one at a time. Compared are
the source model, batch norm statistics alone, the preset's method, the same
with the guards of `LiveAdapter`, and both with a learning rate that diverges.
Metrics are those of the predictions as they were made, after the adaptation
that was due at a frame. `forgotten` is what the return to the source's light
costs: Delta_TTT of that phase below that of the first one.

Writes `results.json`, `tables.md`, `walk.png` with the gain over time, and an
audit file for each run. An interrupted run goes on with the next contender.

Half an hour per seed on one core, most of it for the guards.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import pathlib
import time

import numpy as np
from comparison.statistics import spread
from comparison.writing import write_tables
from shared.reporting import method_title
from shared.reporting import task_header
from shared.tables import Table
from shared.tables import interval_cell
from streaming.arguments import make_parser
from streaming.arguments import parse
from streaming.contenders import BASE
from streaming.contenders import CONTROL
from streaming.contenders import Contender
from streaming.contenders import load_source
from streaming.contenders import make_live
from streaming.contenders import measure
from streaming.contenders import predict_all
from streaming.results import open_results

import keras_s4t
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.live.scores import gain
from keras_s4t.plots import lines

# Frames that a point of the figure is the gain of.
POINT = 50
NOTE = """\
Predictions of single frames, as they were made. Delta_TTT in percent of the
source model in the same phase; what follows ± is half of the 95 % confidence
interval of the mean over seeds, by Student's t. "guarded" is `LiveAdapter`
after `collect`.
"""


def make_contenders(method, rate):
    """The contenders, a dict by name.

    Args:
        method: Name of the preset's method.
        rate: float. A learning rate that diverges.
    """
    return {
        BASE: Contender(BASE),
        CONTROL: Contender(CONTROL),
        method: Contender(),
        f"{method}, guarded": Contender(is_guarded=True),
        f"{method}, diverging": Contender(learning_rate=rate),
        f"{method}, diverging, guarded": Contender(
            learning_rate=rate, is_guarded=True
        ),
    }


def run_one(live, walk, arrays, tasks, title):
    """Adapts to a walk.

    Args:
        live: `LiveAdapter`.
        walk: `Walk`.
        arrays: `(images, labels, masks)` of all frames.
        tasks: list of `Task`.
        title: What the progress bar is called.

    Returns:
        dict with metrics per phase and per point of the figure, and counts.
    """
    images, labels, masks = arrays
    start = time.perf_counter()
    with live:
        values, names = predict_all(live, images, title)
    phases = dict.fromkeys(walk.phases.tolist())
    report = live.report()
    return {
        "phases": {
            phase: measure(tasks, values, labels, masks, walk.phases == phase)
            for phase in phases
        },
        "points": [
            measure(tasks, values, labels, masks, slice(i, i + POINT))
            for i in range(0, len(images) - POINT // 2, POINT)
        ],
        "predicted": {
            phase: {
                name: int(np.sum(np.array(names)[walk.phases == phase] == name))
                for name in sorted(set(names))
            }
            for phase in phases
        },
        "actions": report["actions"],
        "seconds": time.perf_counter() - start,
    }


def gains_of(content, name, seed, tasks):
    """Gains of a contender over the source model, a dict by phase."""
    base = content["runs"][f"{BASE} seed {seed}"]["phases"]
    run = content["runs"][f"{name} seed {seed}"]["phases"]
    return {phase: gain(tasks, base[phase], run[phase]) for phase in run}


def forgotten(gains):
    """How much less is gained in the source's light after the return."""
    return gains["source"] - gains["source_2"]


def gains_table(content, names, seeds, tasks):
    """A row per contender, a column per phase."""
    phases = list(content["runs"][f"{names[0]} seed {seeds[0]}"]["phases"])
    returns = "source_2" in phases
    headers = ["", *phases, *(["forgotten"] if returns else [])]
    rows = []
    for name in names:
        gains = [gains_of(content, name, seed, tasks) for seed in seeds]
        columns = [[g[phase] for g in gains] for phase in phases]
        if returns:
            columns.append([forgotten(g) for g in gains])
        cells = [
            interval_cell(spread(c)) if np.isfinite(c).all() else "NaN"
            for c in columns
        ]
        rows.append([method_title(name), *cells])
    return Table("Delta_TTT in percent, by phase", headers, rows)


def actions_table(content, names, seeds):
    """What was done per walk, and how long it took, a row per contender."""
    keys = ("adapted", "held", "skipped", "rolled_back", "reset")
    headers = ["windows", *(key.replace("_", "\n") for key in keys)]
    headers.append("seconds\nper frame")
    rows = []
    for name in names:
        runs = [content["runs"][f"{name} seed {seed}"] for seed in seeds]
        counts = [np.mean([r["actions"][key] for r in runs]) for key in keys]
        seconds = np.mean([run["seconds"] for run in runs])
        cells = [*(f"{count:.1f}" for count in counts)]
        cells.append(f"{seconds / content['length']:#.3g}")
        rows.append([method_title(name), *cells])
    return Table("What was done, mean over seeds", headers, rows)


def metrics_table(content, names, seeds, tasks, phase):
    """Metrics of one phase, a row per contender."""
    headers = ["", *map(task_header, tasks)]
    rows = []
    for name in names:
        found = [
            content["runs"][f"{name} seed {seed}"]["phases"][phase]
            for seed in seeds
        ]
        rows.append(
            [
                method_title(name),
                *(
                    f"{np.mean([f[task.metric_key] for f in found]):#.4g}"
                    for task in tasks
                ),
            ]
        )
    return Table(f"Metrics, phase {phase}, mean over seeds", headers, rows)


def draw(content, names, seeds, tasks, output):
    """Draws the gain over time."""
    panel = {}
    for name in names:
        points = {}
        first = content["runs"][f"{name} seed {seeds[0]}"]
        for i in range(len(first["points"])):
            gains = [
                gain(
                    tasks,
                    content["runs"][f"{BASE} seed {seed}"]["points"][i],
                    content["runs"][f"{name} seed {seed}"]["points"][i],
                )
                for seed in seeds
            ]
            # Far below, one diverging line would flatten all others.
            points[(i + 0.5) * POINT] = (max(np.mean(gains), -40.0), None)
        panel[method_title(name)] = points
    lines(
        {"Gain over the source model (%)": panel},
        "Frame",
        path=output / "walk.png",
    )


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/adapt_walk"))
    parser.add_argument("--length", type=int, help="frames of a walk")
    parser.add_argument("--seeds", type=int, nargs="+", help="of the rooms")
    parser.add_argument(
        "--diverging-rate", type=float, default=1.0, help="a learning rate"
    )
    arguments = parse(parser)
    quick = arguments.quick
    seeds = arguments.seeds or ([0] if quick else [0, 1, 2])
    length = arguments.length or (16 if quick else 1000)
    corruptions = ("contrast",) if quick else None
    adapter = keras_s4t.TargetAdapter.from_preset(arguments.preset)
    tasks = adapter.tasks
    contenders = make_contenders(
        type(adapter.method).__name__, arguments.diverging_rate
    )
    if quick:
        for name in list(contenders)[2:5]:
            del contenders[name]
    output = arguments.output
    results = open_results(
        parser,
        arguments,
        length=length,
        diverging_rate=arguments.diverging_rate,
    )
    load = {"cache_dir": arguments.cache, "workers": 1 if quick else 2}
    source = load_source(tasks, arguments)
    for seed in seeds:
        walk = SynthRooms("test", size=arguments.size, seed=seed).walk(
            length, frames_per_room=max(1, min(50, length // 4))
        )
        arrays = None
        for name, contender in contenders.items():
            key = f"{name} seed {seed}"
            if key in results.content["runs"]:
                continue
            if arrays is None:
                arrays = walk.batches(tasks, **load).arrays
            live = make_live(
                contender,
                arguments.preset,
                source,
                arguments.window,
                corruptions,
                audit=output / f"audit_{key.replace(', ', '_')}.jsonl",
            )
            run = run_one(live, walk, arrays, tasks, key)
            results.content["runs"][key] = run
            results.save_if_possible()
    results.save()
    names = list(contenders)
    tables = [
        gains_table(results.content, names, seeds, tasks),
        actions_table(results.content, names, seeds),
    ]
    for phase in dict.fromkeys(walk.phases.tolist()):
        tables.append(
            metrics_table(results.content, names, seeds, tasks, phase)
        )
    write_tables(tables, output, NOTE)
    draw(results.content, names, seeds, tasks, output)


if __name__ == "__main__":
    main()
