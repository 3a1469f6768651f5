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

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib
import sys
import time

import keras
from configs.config_arguments import add_config_arguments
from configs.config_arguments import config_of
from rich.console import Console
from shared.corrupted_source import corrupted_halves
from shared.corrupted_source import load_arrays
from shared.results_file import write_json
from shared.tables import learning_rates_table
from shared.trained_model import load_trainer
from shared.tuning import Trial
from shared.tuning import choose
from shared.tuning import measure_gains

import keras_s4t
from keras_s4t.data.corruptions import CORRUPTIONS

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


def make_trials(arrays, severities, progress):
    """Yields a `Trial` per corruption and severity.

    The first half of the images is adapted to, the second half measured.

    Args:
        arrays: What `load_arrays` returned.
        severities: list of ints.
        progress: `keras.utils.Progbar`, one step per trial.

    Yields:
        `Trial`.
    """
    for corruption in CORRUPTIONS:
        for severity in severities:
            stream, held_out = corrupted_halves(arrays, corruption, severity)

            def make_stream(stream=stream, held_out=held_out):
                curve = keras_s4t.callbacks.AdaptationCurve(
                    held_out, every=len(stream)
                )
                return stream, [curve]

            yield Trial(f"{corruption} {severity}", held_out, make_stream)
            progress.add(1)


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    start = time.time()
    trainer = load_trainer(arguments.model)
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

    rates, severities = list(arguments.learning_rates), arguments.severities
    progress = keras.utils.Progbar(len(CORRUPTIONS) * len(severities))
    trials = make_trials(arrays, severities, progress)
    measured, steps, _ = measure_gains(adapter, trials, rates, control)
    choice = choose(list(measured.values()), rates, steps)
    # By corruption: one row per severity, one column per learning rate.
    gains = {
        corruption: [
            [row[-1] for row in measured[f"{corruption} {severity}"]]
            for severity in severities
        ]
        for corruption in CORRUPTIONS
    }
    Console().print(learning_rates_table(gains, rates))
    results = {
        "best_learning_rate": choice["learning_rate"],
        "learning_rates": rates,
        "severities": severities,
        "mean_gains": [row[-1] for row in choice["mean_gains"]],
        "gains": gains,
    }
    write_json(arguments.output / "tuning.json", results)
    if choice["learning_rate"] is None:
        sys.exit("The adaptation diverged with every learning rate.")
    print(f"The best learning rate is {choice['learning_rate']:g}.")
    if choice["mean_gain"] <= 0:
        print("Yet none of them is better than BatchNormOnly alone.")
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")


if __name__ == "__main__":
    main()
