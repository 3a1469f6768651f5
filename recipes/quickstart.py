"""Train on synthetic rooms by day, adapt online to the same rooms at night.

    python recipes/quickstart.py

Renders SynthRooms at 64x64 (once; the cache is kept), trains the small network
with S4T on the source, adapts it online to unlabeled images of the target
domain, one step per batch of eight, and measures a held-out, labeled part of
the target on the way. Writes to `runs/quickstart`: `source.keras`,
`results.json`, `predictions.png`, `curves.png`.

About five minutes on two cores. After 30 steps on `evening` with the
TensorFlow backend:

    method         miou    rmse    merr    rmse   Delta_TTT
    Base           0.124   1.081   42.2   0.322        0.00
    BatchNormOnly  0.219   0.677   33.2   0.287      +36.61
    S4T            0.219   0.677   33.2   0.287      +36.64

The learning rate was chosen without the target, on corrupted source images:
see `configs/synth_rooms.py`. It is so small that S4T all but equals its
control; every larger one lost to it there.
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
from shared.reporting import by_title
from shared.reporting import method_title
from shared.results_file import write_json
from shared.tables import curves_table

import keras_s4t
from keras_s4t.files import atomic_path

METHODS = ("SourceOnly", "BatchNormOnly", "S4T")


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    domains = sorted(set(keras_s4t.data.DOMAINS) - {"source"})
    parser.add_argument("--target", default="evening", choices=domains)
    parser.add_argument("--size", type=int, default=64, help="image side")
    parser.add_argument(
        "--output", type=pathlib.Path, default="runs/quickstart"
    )
    parser.add_argument("--cache", type=pathlib.Path, default="runs/cache")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="half a minute")
    arguments = parser.parse_args()
    if arguments.size % 32:
        parser.error(f"--size must be a multiple of 32, not {arguments.size}")
    return arguments


def load_data(arguments, config):
    """Source, unlabeled target stream and held-out target."""
    num_source, num_stream, num_held_out = (
        (64, 32, 16) if arguments.quick else (800, 240, 200)
    )
    tasks = config.make_tasks()
    options = dict(
        size=config.size,
        cache_dir=arguments.cache,
        workers=1 if arguments.quick else 2,
    )
    target_name = f"synth_rooms/{arguments.target}"
    source = keras_s4t.data.load(
        config.source,
        "train",
        tasks,
        batch_size=16,
        training=keras_s4t.data.Training(arguments.seed),
        num_examples=num_source,
        **options,
    )
    stream = keras_s4t.data.load(
        target_name, "train", tasks, num_examples=num_stream, **options
    )
    held_out = keras_s4t.data.load(
        target_name, "test", tasks, num_examples=num_held_out, **options
    )
    # The labels stay behind: adaptation sees images and nothing else.
    images = stream.map(lambda image, *labels: image)
    return source, keras_s4t.data.online_stream(images), held_out


class Predictions(keras.callbacks.Callback):
    """Keeps what the adapted network predicts, in `values` by task.

    Args:
        images: Batch of images.
    """

    def __init__(self, images):
        super().__init__()
        self.images = images

    def on_train_end(self, logs=None):
        outputs = self.model.predict_on_batch(self.images)
        self.values = {
            name: keras.ops.convert_to_numpy(value)
            for name, value in self.model.network.postprocess(outputs).items()
        }


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    start = time.time()
    config = SynthRooms(arguments.size)
    source, stream, held_out = load_data(arguments, config)
    print(f"Images are ready after {time.time() - start:.0f} s.")

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
    print(f"The source model is trained after {time.time() - start:.0f} s.")

    every = 2 if arguments.quick else 5
    images, labels, _ = next(iter(held_out))
    curves, predictions = {}, {}
    for name in METHODS:
        print(f"\nAdapting: {method_title(name)}")
        is_trained = name == type(trainer.method).__name__
        method = trainer.method if is_trained else keras_s4t.methods.get(name)
        adapter = keras_s4t.TargetAdapter(trainer.network, method)
        adapter.compile(config.make_optimizer())
        callbacks = [
            keras_s4t.callbacks.AdaptationCurve(held_out, every),
            # JAX takes no tensor of TensorFlow.
            Predictions(np.asarray(images)),
        ]
        curves[name] = adapt(adapter, stream, callbacks, verbose="auto")
        predictions[name] = callbacks[1].values
    Console().print(curves_table(curves, trainer.tasks))

    keras_s4t.plots.prediction_grid(
        np.asarray(images),
        {"before": predictions["SourceOnly"], "after": predictions["S4T"]},
        trainer.tasks,
        labels={name: np.asarray(label) for name, label in labels.items()},
        path=arguments.output / "predictions.png",
        max_images=3,
    )
    keras_s4t.plots.adaptation_curves(
        by_title(curves), trainer.tasks, path=arguments.output / "curves.png"
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
