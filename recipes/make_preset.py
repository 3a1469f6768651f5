"""Make a preset that ships with the package from a trained source model.

    python recipes/train_source.py --config synth_rooms --output runs/source
    python recipes/make_preset.py --name s4t_synth_rooms_64 \
        --model runs/source/source.keras

Writes the network and the method as an adapter's preset, with float16 weights,
into the folder of the package's presets, or `--output`. Beside it are
`training.json`, what `train_source.py` logged, `metrics.json`, measured here
after loading the preset again, and `README.md`, a card made from both: metrics
on test images of the source, and of every target before and after an online
adaptation in one pass, one step per batch of eight.

`--shares runs/gain/results.json` takes what `beyond_batch_norm.py` chose on
corrupted source images: how much the synchronizer of S4T counts in averages,
by task.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import json
import pathlib
import platform
import textwrap

import keras
from benchmarking.hardware import device_name
from configs.config_arguments import add_config_arguments
from configs.config_arguments import config_of
from shared.adaptation import adapt
from shared.adaptation import measure_source
from shared.protocols import online
from shared.reporting import method_title
from shared.reporting import task_header
from shared.results_file import given_command
from shared.results_file import write_json
from shared.tables import Table
from shared.trained_model import load_trainer

import keras_s4t
from keras_s4t.files import atomic_path

FOLDER = pathlib.Path(keras_s4t.__file__).parent / "presets"
CARD = """\
# {name}

{method} on a {backbone} for {tasks}.
Trained on {num_images:,} images of `{source}` at {size}x{size} pixels, for
{epochs} epochs. {parameters} parameters of the network and {method_parameters}
of the method, in float16.

```python
adapter = keras_s4t.TargetAdapter.from_preset("{name}")
adapter.compile()
prediction = adapter.adapt(images)  # RGB in 0 ... 255
```

{shares}\
The images are synthetic rooms: the model knows nothing of photographs. It is
there to try the package and to compare methods with.

{tables}
Test images, {num_test} of each domain, seed 0. Targets are adapted to online,
in one pass with one step per batch of {batch_size}, at the method's own
learning rate; predictions are those after the step on their batch. Delta_TTT is
the mean relative improvement of the tasks over the same model before
adaptation, and `BatchNormOnly` the control, which moves statistics alone.

Trained with `{training_command}`,
{training_hours:.1f} hours on {cores} cores of {device}; see `training.json`.
Measured with `{command}`;
see `metrics.json`. Apache-2.0, as the package.
"""


def parse_arguments():
    """The command line's values and the configuration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument("--name", default="s4t_synth_rooms_64")
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        default=pathlib.Path("runs/source/source.keras"),
        help="what train_source.py wrote",
    )
    parser.add_argument(
        "--shares",
        type=pathlib.Path,
        help="what beyond_batch_norm.py wrote for the model",
    )
    parser.add_argument("--num-test", type=int, default=200, help="images")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument(
        "--output", type=pathlib.Path, default=FOLDER, help="folder of presets"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one target, few images"
    )
    arguments = parser.parse_args()
    try:
        config = config_of(arguments)
    except ValueError as error:
        parser.error(str(error))
    if arguments.quick:
        arguments.num_test = 16
    if arguments.shares is not None:
        try:
            content = json.loads(arguments.shares.read_text())
            arguments.shares = content["choice"]["shares"]
        except (OSError, ValueError, KeyError) as error:
            parser.error(
                "--shares must be the results.json of beyond_batch_norm.py, "
                f"not {arguments.shares} ({error!r})"
            )
    return arguments, config


def load_images(arguments, config, name):
    """Labeled test images of a dataset."""
    return keras_s4t.data.load(
        name,
        "test",
        config.make_tasks(),
        batch_size=arguments.batch_size,
        num_examples=arguments.num_test,
        cache_dir=arguments.cache,
        data_dir=arguments.data_dir,
        workers=1 if arguments.quick else 2,
        **config.load_options(name),
    )


def measure(preset, arguments, config):
    """Metrics of a preset on the source and on all targets.

    Args:
        preset: Folder of the preset.
        arguments: The command line's values.
        config: `Configuration`.

    Returns:
        dict from a domain to a dict from the name of a method to its metrics
        and `"delta_ttt"`, in percent.
    """
    adapter = keras_s4t.TargetAdapter.from_preset(preset)
    network = adapter.network
    methods = [
        keras_s4t.methods.SourceOnly(),
        keras_s4t.methods.BatchNormOnly(),
        adapter.method,
    ]
    measured = {}
    targets = config.targets[:1] if arguments.quick else config.targets
    for name in (config.source, *targets):
        images = load_images(arguments, config, name)
        start, measured[name] = None, {}
        for method in methods:
            title = type(method).__name__
            adapter = keras_s4t.TargetAdapter(network, method)
            adapter.compile()
            if start is None:
                start = measure_source(adapter, images)
                values = {k: v for k, v in start.items() if k != "step"}
                measured[name][title] = {**values, "delta_ttt": 0.0}
                continue
            curve = adapt(adapter, *online(images, 1), start)
            values = {k: v for k, v in curve.points[-1].items() if k != "step"}
            gain = float(curve.gains[-1])
            measured[name][title] = {**values, "delta_ttt": gain}
        print(f"Measured: {name}", flush=True)
    return measured


def metrics_table(measured, name, tasks):
    """The metrics on one domain, one row per method."""
    headers = ["", *map(task_header, tasks), "Delta_TTT\n%"]
    rows = [
        [
            method_title(method),
            *(f"{values[task.metric_key]:#.4g}" for task in tasks),
            f"{values['delta_ttt']:+.2f}",
        ]
        for method, values in measured[name].items()
    ]
    return Table(name, headers, rows)


def describe_shares(shares, tasks):
    """A sentence about what the synchronizer counts, or nothing."""
    if shares is None:
        return ""
    counts = [f"{shares[t.name]:g} for {t.title.lower()}" for t in tasks]
    text = (
        'Averages with the synchronizer (`compile(averages=["synchronizer"])`) '
        f"count it by {', '.join(counts[:-1])} and {counts[-1]}, chosen on "
        "corrupted source images by `beyond_batch_norm.py`."
    )
    return textwrap.fill(text, 80, break_long_words=False) + "\n\n"


def write_card(folder, arguments, config, measured, training):
    """Writes the card of a preset."""
    adapter = keras_s4t.TargetAdapter.from_preset(folder)
    network, method = adapter.network, adapter.method
    tables = [metrics_table(measured, name, network.tasks) for name in measured]
    titles = [task.title.lower() for task in network.tasks]
    text = CARD.format(
        name=arguments.name,
        method=type(method).__name__,
        backbone=f"{config.preset} backbone",
        tasks=f"{', '.join(titles[:-1])} and {titles[-1]}",
        num_images=training["num_examples"],
        source=config.source,
        size=config.size,
        epochs=len(training["epochs"]),
        parameters=f"{network.count_params():,}",
        method_parameters=f"{method.count_params():,}",
        shares=describe_shares(arguments.shares, network.tasks),
        tables="\n".join(table.markdown() for table in tables),
        num_test=arguments.num_test,
        batch_size=arguments.batch_size,
        training_command=training["command"],
        training_hours=training["seconds"] / 3600,
        cores=training["cores"],
        device=training["processor"],
        command=given_command(),
    )
    with atomic_path(folder / "README.md") as path:
        path.write_text(text)


def main():
    """Runs the recipe."""
    arguments, config = parse_arguments()
    trainer = load_trainer(arguments.model)
    training = json.loads(
        (arguments.model.parent / "training.json").read_text()
    )
    folder = arguments.output / arguments.name
    if arguments.shares is not None:
        trainer.method.synchronizer_share = dict(arguments.shares)
    adapter = keras_s4t.TargetAdapter(trainer.network, trainer.method)
    adapter.save_to_preset(folder, overwrite=True, dtype="float16")
    measured = measure(folder, arguments, config)
    write_json(folder / "training.json", training)
    write_json(
        folder / "metrics.json",
        {
            "command": given_command(),
            "backend": keras.backend.backend(),
            "device": device_name(),
            "python": platform.python_version(),
            "num_test": arguments.num_test,
            "domains": measured,
        },
    )
    write_card(folder, arguments, config, measured, training)
    size = sum(p.stat().st_size for p in folder.iterdir())
    print(f"{size / 1e6:.1f} MB: see {folder}")


if __name__ == "__main__":
    main()
