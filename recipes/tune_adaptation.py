"""Choose the learning rate of the adaptation without any target image.

    python recipes/tune_adaptation.py --model runs/quickstart/source.keras

Corrupts *source* validation images in six ways. For every corruption, severity
and learning rate the model adapts online to the first half of the images,
without labels, one step per batch of eight; what counts is how far it gets on
the second half beyond `BatchNormOnly`, which has the same budget: Delta_TTT
minus that of the control. The best mean over all corruptions wins. S4T's
`target_weight` is left alone: it scales the loss, as the learning rate of SGD
does. Writes `tuning.json`.

Five minutes on two cores. Mean gains over the control, in points:

    1e-5    3e-5    1e-4    3e-4    1e-3    3e-3    1e-2
    -0.12   -0.21   -0.48   -1.47   -3.28   -4.99  -10.11
"""

import argparse
import json
import pathlib
import time

import keras
import numpy as np
from configs.config_arguments import add_config_arguments
from configs.config_arguments import config_of
from rich.console import Console
from shared.corrupted_source import corrupted_halves
from shared.corrupted_source import load_arrays
from shared.reporting import tuning_table

import keras_s4t
from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.files import atomic_path

LEARNING_RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--model", type=pathlib.Path, default="runs/quickstart/source.keras"
    )
    add_config_arguments(parser)
    parser.add_argument("--num-examples", type=int, default=320)
    parser.add_argument(
        "--severities",
        type=int,
        nargs="+",
        default=[3, 5],
        choices=range(1, 6),
    )
    parser.add_argument(
        "--learning-rates", type=float, nargs="+", default=LEARNING_RATES
    )
    parser.add_argument("--output", type=pathlib.Path, default="runs/tuning")
    parser.add_argument("--quick", action="store_true", help="a minute")
    arguments = parser.parse_args()
    if not arguments.model.is_file():
        parser.error(f"--model must be a saved model, not {arguments.model}")
    if arguments.num_examples < 2:
        parser.error("--num-examples must be at least 2, one for each half")
    if arguments.quick:
        arguments.num_examples, arguments.severities = 16, [5]
        arguments.learning_rates = [1e-4, 1e-3]
    return arguments


def adapt(adapter, stream, held_out, points=()):
    """Adapts to the stream and resets the adapter; returns the curve."""
    curve = keras_s4t.callbacks.AdaptationCurve(held_out, every=len(stream))
    curve.points += points
    adapter.fit(stream, verbose=0, callbacks=[curve])
    adapter.reset()
    return curve


def gains_over_control(adapter, control, data, learning_rates):
    """Points of Delta_TTT beyond the control, one per learning rate."""
    control_curve = adapt(control, *data)
    gains = []
    for learning_rate in learning_rates:
        # Each time anew: a reset restores the optimizer's variables, too.
        adapter.optimizer.learning_rate.assign(learning_rate)
        # The source model is the same for all, and measured only once.
        curve = adapt(adapter, *data, control_curve.points[:1])
        gains.append(curve.gains[-1] - control_curve.gains[-1])
    return gains


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    start = time.time()
    trainer = keras.saving.load_model(arguments.model, compile=False)
    config = config_of(arguments)
    arrays = load_arrays(
        config.source,
        trainer.tasks,
        num_examples=arguments.num_examples,
        cache_dir=arguments.cache,
        data_dir=arguments.data_dir,
        # Starting worker processes takes longer than a few images do.
        workers=1 if arguments.quick else 2,
        **config.load_options(config.source),
    )
    # Compiled once each; a reset undoes an adaptation bit for bit.
    control, adapter = (
        keras_s4t.TargetAdapter(trainer.network, method)
        for method in (keras_s4t.methods.BatchNormOnly(), trainer.method)
    )
    control.compile("sgd")
    adapter.compile("sgd")

    gains = {corruption: [] for corruption in CORRUPTIONS}
    rates, severities = arguments.learning_rates, arguments.severities
    progress = keras.utils.Progbar(len(gains) * len(severities))
    for corruption, rows in gains.items():
        for severity in severities:
            data = corrupted_halves(arrays, corruption, severity)
            rows.append(gains_over_control(adapter, control, data, rates))
            progress.add(1)

    means = np.mean(list(gains.values()), axis=(0, 1)).tolist()
    # A learning rate at which the adaptation diverged has no mean.
    best = int(np.nanargmax(means))
    Console().print(tuning_table(gains, rates))
    results = {
        "best_learning_rate": rates[best],
        "learning_rates": list(rates),
        "severities": severities,
        "mean_gains": means,
        "gains": gains,
    }
    with atomic_path(arguments.output / "tuning.json") as path:
        path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"The best learning rate is {rates[best]:g}.")
    if means[best] <= 0:
        print("Yet none of them is better than BatchNormOnly alone.")
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")


if __name__ == "__main__":
    main()
