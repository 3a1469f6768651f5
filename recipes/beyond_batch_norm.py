"""Is there a gain beyond batch norm?

    python recipes/beyond_batch_norm.py --cache runs/cache

Compares `ReplayS4T`, its parts, S4T, TENT and the controls on every target, a
batch of eight images at a time, at four predictions: plain, averaged with that
of mirrored images, fused with the synchronizer, and both. Everything is chosen
before on corrupted *source* images: what the synchronizer counts in each task,
the weights, the learning rate, the steps and the prediction.

`--protocol live` predicts every image before it is adapted to, one at a time,
by what the batches before it have taught.

Without batch norm in the network, everything is compared with the source model.

"Safe choice" predicts every batch by the source model, by batch norm
statistics or by the method, whichever is best on source images that were never
replayed, in the style of the batch. How far these estimates are off is learned
on corrupted source images and on those that need no adaptation.

Writes `results.json`, `table.csv`, one row per run and prediction, and
`tables.md`. An interrupted run goes on with the next target. On one core,
choosing takes half an hour, a target of 240 images twelve minutes.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import csv
import dataclasses
import pathlib

from comparison.statistics import spread
from comparison.writing import write_tables
from gain.candidates import BASE
from gain.candidates import CONTROL
from gain.candidates import Candidate
from gain.candidates import candidates
from gain.candidates import compared
from gain.candidates import control_of
from gain.choice import choose
from gain.choice import choose_by_batch
from gain.choice import corrupted_streams
from gain.choice import estimated_gains
from gain.choice import fit_shares
from gain.choice import values_of_chosen
from gain.online import ONLINE
from gain.online import PROTOCOLS
from gain.online import Source
from gain.online import adapt_online
from gain.predictions import BOTH
from gain.predictions import PLAIN
from gain.predictions import PREDICTIONS
from shared.tables import Table
from shared.tables import interval_cell
from shared.trained_model import load_adapter
from streaming.arguments import add_target_arguments
from streaming.arguments import make_parser
from streaming.arguments import parse
from streaming.arguments import targets_of
from streaming.results import open_results

from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.data.records import examples_from_arrays
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.files import atomic_path
from keras_s4t.live.scores import gain
from keras_s4t.live.scores import metrics_of

SAFE = "safe choice"
# Batches from one choice among models to the next.
CHECK_EVERY = 4
COLUMNS = (
    "target",
    "seed",
    "method",
    "prediction",
    "steps",
    "chosen",
    "semseg_miou",
    "depth_rmse",
    "normals_merr",
    "edge_rmse",
    "gain",
    "over_batch_norm_same_prediction",
    "over_batch_norm_plain",
    "seconds_per_frame",
)
NOTE = """\
Delta_TTT in percent, over the plain prediction of BatchNormOnly with one step
on each batch. What follows ± is half of the 95 % confidence interval of the
mean over seeds. "equal" is the chosen method over BatchNormOnly at the same
prediction, "equal steps" the same over BatchNormOnly with as many steps on each
batch, "all" the chosen prediction of it over BatchNormOnly's plain one. In
networks without batch norm, the source model takes the place of BatchNormOnly.
"""


def load_rooms(domain, split, count, seed, arguments, tasks):
    """Labeled rooms, `(images, labels, masks)`."""
    rooms = SynthRooms(
        split, domain, size=arguments.size, num_examples=count, seed=seed
    )
    arrays = rooms.arrays(
        cache_dir=arguments.cache, workers=1 if arguments.quick else 2
    )
    return examples_from_arrays(arrays, tasks)


def make_source(arguments, counts):
    """The `Source` of a trained model."""
    adapter = load_adapter(arguments.preset)
    tasks = adapter.network.tasks
    memory, held_out = (
        load_rooms("source", split, counts[split], 0, arguments, tasks)
        for split in ("train", "validation")
    )
    half = len(held_out[0]) // 2
    first, second = (
        (images[part], *({k: v[part] for k, v in x.items()} for x in rest))
        for part in (slice(0, half), slice(half, None))
        for images, *rest in [held_out]
    )
    source = Source(
        adapter.network,
        adapter.method,
        memory,
        second,
        arguments.size,
        arguments.window,
        arguments.protocol,
    )
    return source, first


def choose_on_source(source, validation, arguments):
    """What corrupted source images chose, in types of JSON."""
    corruptions = ("contrast",) if arguments.quick else tuple(CORRUPTIONS)
    streams = list(corrupted_streams(validation, corruptions, 3))
    calm = [("clean", validation)]
    if not arguments.quick:
        calm += [
            (f"{name}, severity 1", arrays)
            for name, arrays in corrupted_streams(validation, corruptions, 1)
        ]
    shares = fit_shares(source, streams)
    source.s4t.synchronizer_share = shares
    choice = choose(
        source,
        streams,
        calm,
        candidates(source, arguments.quick),
        CHECK_EVERY,
    )
    return {"shares": shares, **dataclasses.asdict(choice)}


def run_target(source, arrays, choice):
    """Rows of one target, dicts of the columns that depend on the run."""
    chosen = Candidate(
        **{
            **choice["candidate"],
            "options": tuple(map(tuple, choice["candidate"]["options"])),
        }
    )
    tasks, kind = source.network.tasks, choice["prediction"]
    safe = {}
    rows, control, base = [], None, None
    for candidate in compared(source, chosen):
        print(candidate.title)
        is_control = candidate == control_of(source)
        is_base = candidate.method == BASE
        is_safe = is_base or is_control or candidate == chosen
        check_every = CHECK_EVERY if is_safe else None
        outcome = adapt_online(source, candidate, arrays, check_every)
        base = base or outcome
        control = outcome if is_control else control
        if is_safe:
            safe[candidate.title] = outcome
        for prediction in PREDICTIONS:
            rows.append(
                {
                    "method": candidate.title.rpartition(", steps")[0],
                    "prediction": prediction,
                    "steps": candidate.steps,
                    "chosen": int(candidate == chosen and prediction == kind),
                    **outcome.metrics[prediction],
                    "seconds_per_frame": outcome.seconds[prediction],
                }
            )
    models = choose_by_batch(source, safe, kind, choice["slopes"])
    values = values_of_chosen(safe, kind, models, source.window)
    truth = [
        {k: v[: source.window * len(models)] for k, v in x.items()}
        for x in arrays[1:]
    ]
    rows.append(
        {
            "method": SAFE,
            "prediction": kind,
            "steps": chosen.steps,
            "chosen": 0,
            **metrics_of(tasks, values, *truth),
            "seconds_per_frame": sum(x.seconds[kind] for x in safe.values()),
        }
    )
    for row in rows:
        prediction = row["prediction"]
        row["gain"] = gain(tasks, base.metrics[PLAIN], row)
        row["over_batch_norm_same_prediction"] = gain(
            tasks, control.metrics[prediction], row
        )
        row["over_batch_norm_plain"] = gain(tasks, control.metrics[PLAIN], row)
    estimates = {
        title: estimated_gains(tasks, base, outcome, kind)
        for title, outcome in safe.items()
    }
    return {"rows": rows, "predicts": models, "estimates": estimates}


def write_csv(path, runs):
    """All rows, in the order of the runs."""
    with atomic_path(path) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for key, run in runs.items():
            target, _, seed = key.partition(" seed ")
            for row in run["rows"]:
                rounded = {
                    k: round(v, 5) if isinstance(v, float) else v
                    for k, v in row.items()
                }
                writer.writerow({"target": target, "seed": seed, **rounded})


def over_same_steps(tasks, rows, row):
    """Delta_TTT over the control at the same prediction and steps."""
    controls = {
        other["method"]: other
        for other in rows
        if other["prediction"] == row["prediction"]
        and (other["method"], other["steps"])
        in ((CONTROL, row["steps"]), (BASE, 0))
    }
    return gain(tasks, controls.get(CONTROL, controls[BASE]), row)


def summary_table(runs, targets, seeds, source):
    """A row per target: controls and the method, over the control."""
    tasks, control = source.network.tasks, control_of(source).method
    headers = [
        "",
        "S4T",
        f"{control}\nfused + flip",
        "equal",
        "equal\nsteps",
        "all",
        "safe",
    ]
    plain = "over_batch_norm_plain"

    def find(rows, matches):
        return next(row for row in rows if matches(row))

    columns = [
        lambda rows: find(
            rows, lambda r: r["method"] == "S4T" and r["prediction"] == PLAIN
        )[plain],
        lambda rows: find(
            rows, lambda r: r["method"] == control and r["prediction"] == BOTH
        )[plain],
        lambda rows: find(rows, lambda r: r["chosen"])[
            "over_batch_norm_same_prediction"
        ],
        lambda rows: over_same_steps(
            tasks, rows, find(rows, lambda r: r["chosen"])
        ),
        lambda rows: find(rows, lambda r: r["chosen"])[plain],
        lambda rows: find(rows, lambda r: r["method"] == SAFE)[plain],
    ]
    table = []
    for target in targets:
        found = [runs[f"{target} seed {seed}"]["rows"] for seed in seeds]
        table.append(
            [
                target,
                *(
                    interval_cell(spread([column(rows) for rows in found]))
                    for column in columns
                ),
            ]
        )
    return Table(f"Over {control}, Delta_TTT in percent", headers, table)


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/gain"))
    add_target_arguments(parser)
    parser.add_argument("--protocol", choices=PROTOCOLS, default=ONLINE)
    arguments = parse(parser)
    quick = arguments.quick
    targets, seeds, count = targets_of(parser, arguments, [100, 101, 102], 240)
    counts = {"train": 64 if quick else 400, "validation": 16 if quick else 128}
    results = open_results(
        parser, arguments, num_target=count, protocol=arguments.protocol
    )
    content = results.content
    if "slopes" not in content.get("choice", {"slopes": None}):
        parser.error(
            "--output must be empty or of this version of the recipe, not "
            f"{arguments.output}"
        )
    source, validation = make_source(arguments, counts)
    if "choice" not in content:
        content["choice"] = choose_on_source(source, validation, arguments)
        results.save_if_possible()
    source.s4t.synchronizer_share = dict(content["choice"]["shares"])
    for seed in seeds:
        for target in targets:
            key = f"{target} seed {seed}"
            if key in content["runs"]:
                continue
            print(key)
            arrays = load_rooms(
                target, "test", count, seed, arguments, source.network.tasks
            )
            content["runs"][key] = run_target(source, arrays, content["choice"])
            results.save_if_possible()
    results.save()
    write_csv(arguments.output / "table.csv", content["runs"])
    table = summary_table(content["runs"], targets, seeds, source)
    write_tables([table], arguments.output, NOTE)


if __name__ == "__main__":
    main()
