"""Adapt online from synthetic rooms by day to the same rooms at night.

    python recipes/quickstart.py

Loads a trained model that ships with the package, renders unlabeled images of
the target domain (once; the cache is kept), adapts the model online to them,
one step per batch of eight, and measures a held-out, labeled part of the target
on the way. Writes to `runs/quickstart`: `results.json`, `predictions.png`,
`curves.png`. A minute on two cores. After 16 steps on `evening` with the
TensorFlow backend:

    method          miou    rmse   merr    rmse  Delta_TTT
    Base           0.267   1.054   34.1   0.248       0.00
    BatchNormOnly  0.473   0.493   24.6   0.243     +40.01
    S4T            0.473   0.493   24.6   0.243     +40.05

Nearly all of the gain is that batch norm statistics follow the target:
compare with `BatchNormOnly`. `--methods S4T ReplayS4T` adds the method that
goes beyond it with stored source images, which are rendered, too.

`--train` trains a model instead of loading one, for a few minutes, and writes
`source.keras`, too. For a model as good as the one that ships,
`train_source.py` takes 45 minutes.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib
import time

import keras
import numpy as np
from configs.synth_rooms import SynthRooms
from rich.console import Console
from shared.adaptation import adapt
from shared.adaptation import measure_source
from shared.reporting import by_title
from shared.reporting import method_title
from shared.results_file import write_json
from shared.tables import curves_table

import keras_s4t
from keras_s4t.curves import Curve
from keras_s4t.files import atomic_path
from keras_s4t.tasks import directions

CONTROLS = ("SourceOnly", "BatchNormOnly")
# Trained on the source, or without a need of it.
METHODS = ("S4T", "ReplayS4T", "Tent", "TIPI")
PRESET, PRESET_SIZE = "s4t_synth_rooms_64", 64


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    domains = sorted(set(keras_s4t.data.DOMAINS) - {"source"})
    parser.add_argument("--target", default="evening", choices=domains)
    parser.add_argument(
        "--methods", nargs="+", default=["S4T"], choices=METHODS
    )
    parser.add_argument(
        "--train", action="store_true", help="instead of loading a model"
    )
    parser.add_argument(
        "--size", type=int, default=PRESET_SIZE, help="image side, of --train"
    )
    parser.add_argument(
        "--output", type=pathlib.Path, default="runs/quickstart"
    )
    parser.add_argument("--cache", type=pathlib.Path, default="runs/cache")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="half a minute")
    arguments = parser.parse_args()
    if arguments.size < 32 or arguments.size % 32:
        parser.error(f"--size must be a multiple of 32, not {arguments.size}")
    if arguments.size != PRESET_SIZE and not arguments.train:
        parser.error(
            f"--size must be {PRESET_SIZE}, that of the model, without --train;"
            f" not {arguments.size}"
        )
    return arguments


def data_options(arguments, config, workers=1):
    """What all images are loaded with."""
    # Starting worker processes takes longer than a few images do.
    return dict(size=config.size, cache_dir=arguments.cache, workers=workers)


def load_target(arguments, config):
    """Unlabeled target stream and held-out target."""
    num_stream, num_held_out = (32, 16) if arguments.quick else (128, 48)
    tasks = config.make_tasks()
    options = data_options(arguments, config)
    target_name = f"synth_rooms/{arguments.target}"
    stream = keras_s4t.data.load(
        target_name, "train", tasks, num_examples=num_stream, **options
    )
    held_out = keras_s4t.data.load(
        target_name, "test", tasks, num_examples=num_held_out, **options
    )
    # The labels stay behind: adaptation sees images and nothing else.
    images = stream.map(lambda image, *labels: image)
    return keras_s4t.data.online_stream(images), held_out


def load_memory(arguments, config):
    """Labeled source images, from which methods choose what they store."""
    return keras_s4t.data.load(
        config.source,
        "train",
        config.make_tasks(),
        num_examples=64 if arguments.quick else 256,
        **data_options(arguments, config),
    )


def train(arguments, config):
    """A network and a method, trained on the source and saved."""
    source = keras_s4t.data.load(
        config.source,
        "train",
        config.make_tasks(),
        batch_size=16,
        training=keras_s4t.data.Training(arguments.seed),
        num_examples=64 if arguments.quick else 800,
        **data_options(arguments, config, 1 if arguments.quick else 2),
    )
    epochs = 1 if arguments.quick else 10
    trainer = config.make_trainer(
        config.make_network(arguments.seed),
        config.make_method("S4T", arguments.seed),
        epochs * int(source.cardinality()),
    )
    trainer.fit(source, epochs=epochs)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with atomic_path(arguments.output / "source.keras") as path:
        trainer.save(path)
    return trainer.network, trainer.method


def load():
    """The network and the method that ship."""
    adapter = keras_s4t.TargetAdapter.from_preset(PRESET)
    return adapter.network, adapter.method


class Predictions(keras.callbacks.Callback):
    """Keeps what the adapted network predicts, in `values` by task.

    Args:
        images: Batch of images.
    """

    def __init__(self, images):
        super().__init__()
        self.images = images

    def on_train_end(self, logs=None):
        self.values = predict(self.model, self.images)


def predict(adapter, images):
    """Predictions in units, arrays by task."""
    outputs = adapter.predict_on_batch(images)
    values = adapter.network.postprocess(outputs)
    return {k: keras.ops.convert_to_numpy(v) for k, v in values.items()}


def make_adapter(network, method, config, memory):
    """A compiled adapter, with all that its method needs from the source."""
    adapter = keras_s4t.TargetAdapter(network, method)
    if method.remembers:
        adapter.collect(memory)
    # The configuration's optimizer was chosen for S4T.
    is_s4t = type(method) is keras_s4t.methods.S4T
    adapter.compile(config.make_optimizer() if is_s4t else "auto")
    return adapter


def make_method(name, trained_method, config, seed):
    """A method of the same source training."""
    if name == type(trained_method).__name__:
        return trained_method
    if name == "ReplayS4T":
        return keras_s4t.methods.ReplayS4T.from_trained(
            trained_method, image_size=config.size, seed=seed
        )
    return keras_s4t.methods.get(name)


def compare(network, methods, config, stream, held_out, memory, every):
    """Adapts the network by every method.

    Args:
        network: A `MultiTaskModel`.
        methods: dict from a name to a `Method`, `SourceOnly` first.
        config: `Configuration`.
        stream: What `online_stream` returned.
        held_out: Labeled dataset.
        memory: Labeled source images, or `None` if no method stores any.
        every: int. Steps from one evaluation to the next.

    Returns:
        Two dicts from the name of a method, to its curve and to what it
        predicts in the end for the first batch of `held_out`.
    """
    # JAX takes no tensor of TensorFlow.
    images = np.asarray(next(iter(held_out))[0])
    curves, predictions = {}, {}
    for name, method in methods.items():
        print(f"\n{method_title(name)}")
        adapter = make_adapter(network, method, config, memory)
        if name == "SourceOnly":
            start = measure_source(adapter, held_out)
            curves[name] = Curve([start], directions(network.tasks))
            predictions[name] = predict(adapter, images)
            continue
        callbacks = [
            keras_s4t.callbacks.AdaptationCurve(held_out, every),
            Predictions(images),
        ]
        curves[name] = adapt(adapter, stream, callbacks, start, verbose="auto")
        predictions[name] = callbacks[1].values
    return curves, predictions


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    start = time.time()
    config = SynthRooms(arguments.size)
    stream, held_out = load_target(arguments, config)
    names = dict.fromkeys((*CONTROLS, *arguments.methods))
    memory = None
    if "ReplayS4T" in names:
        memory = load_memory(arguments, config)
    print(f"Images are ready after {time.time() - start:.0f} s.")
    network, trained_method = (
        train(arguments, config) if arguments.train else load()
    )
    print(f"The source model is ready after {time.time() - start:.0f} s.")

    methods = {
        name: make_method(name, trained_method, config, arguments.seed)
        for name in names
    }
    curves, predictions = compare(
        network,
        methods,
        config,
        stream,
        held_out,
        memory,
        every=2 if arguments.quick else 8,
    )
    Console().print(curves_table(curves, network.tasks))

    images, labels, _ = next(iter(held_out))
    keras_s4t.plots.prediction_grid(
        np.asarray(images),
        {
            "before": predictions["SourceOnly"],
            "after": predictions[arguments.methods[-1]],
        },
        network.tasks,
        labels={name: np.asarray(label) for name, label in labels.items()},
        path=arguments.output / "predictions.png",
        max_images=3,
    )
    keras_s4t.plots.adaptation_curves(
        by_title(curves), network.tasks, path=arguments.output / "curves.png"
    )
    results = {
        "target": arguments.target,
        "size": arguments.size,
        "seed": arguments.seed,
        "backend": keras.backend.backend(),
        "seconds": round(time.time() - start, 1),
        "methods": {
            name: {"points": curve.points, "delta_ttt": curve.gains}
            for name, curve in curves.items()
        },
    }
    write_json(arguments.output / "results.json", results)
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")


if __name__ == "__main__":
    main()
