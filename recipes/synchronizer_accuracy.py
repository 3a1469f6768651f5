"""How much of its decoders' accuracy does a synchronizer keep?

    python recipes/synchronizer_accuracy.py \
        --models runs/comparison/sources/S4T_seed*.keras

The synchronizer sees the latents of some patches only, and predicts what the
decoders do from all of the image. Where it is far worse on the source, pulling
it to the decoders cannot teach the encoder much about a target.

Measures both on validation images of the source, with the mask ratio that S4T
was trained with, and writes `synchronizer.json`. What is kept is the ratio of
the two metrics, upside down for errors.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib

from rich.console import Console
from shared.results_file import write_json
from shared.tables import synchronizer_table
from shared.trained_model import load_trainer

import keras_s4t


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--models",
        type=pathlib.Path,
        nargs="+",
        default=[pathlib.Path("runs/source/source.keras")],
        help="saved source models with S4T",
    )
    parser.add_argument("--dataset", default="synth_rooms/source")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--size", type=int, default=64, help="image side")
    parser.add_argument("--num-examples", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument(
        "--output", type=pathlib.Path, default="runs/synchronizer.json"
    )
    parser.add_argument("--cache", type=pathlib.Path, default="runs/cache")
    parser.add_argument("--quick", action="store_true", help="seconds")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.num_examples = 16
    for path in arguments.models:
        if not path.is_file():
            parser.error(f"--models must be saved models, not {path}")
    return arguments


def measure(network, method, dataset):
    """Metrics of the decoders and of the synchronizer.

    Args:
        network: A `MultiTaskModel`.
        method: `S4T`, trained with it.
        dataset: Batches of `(images, labels, masks)`.

    Returns:
        dict from the key of a task's metric to a dict with `"decoder"` and
        `"synchronizer"`, in the units of the metric, and `"kept"`, a ratio.
    """
    meters = {
        name: {task.name: task.make_metric() for task in method.tasks}
        for name in ("decoder", "synchronizer")
    }
    for images, labels, masks in dataset.as_numpy_iterator():
        size = images.shape[1:3]
        features = network.encode(images, False)
        outputs = {
            "decoder": network.decode(features, size),
            "synchronizer": method.predict_jointly(
                method.project(features), size
            ),
        }
        for name, raw in outputs.items():
            for task in method.tasks:
                value = task.postprocess(raw[task.name])
                meters[name][task.name].update_state(
                    labels[task.name], value, masks[task.name]
                )
    return {
        task.metric_key: _compared(
            *(float(m[task.name].result()) for m in meters.values()),
            task.higher_is_better,
        )
        for task in method.tasks
    }


def _compared(decoder, synchronizer, higher_is_better):
    pair = (synchronizer, decoder)
    better, worse = pair if higher_is_better else pair[::-1]
    return {
        "decoder": decoder,
        "synchronizer": synchronizer,
        "kept": better / worse,
    }


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    results = {}
    for path in arguments.models:
        trainer = load_trainer(path)
        dataset = keras_s4t.data.load(
            arguments.dataset,
            arguments.split,
            trainer.tasks,
            batch_size=arguments.batch_size,
            num_examples=arguments.num_examples,
            size=arguments.size,
            cache_dir=arguments.cache,
        )
        results[path.stem] = measure(trainer.network, trainer.method, dataset)
    write_json(arguments.output, results, indent=1)
    Console().print(synchronizer_table(results, trainer.tasks))
    print(f"See {arguments.output}")


if __name__ == "__main__":
    main()
