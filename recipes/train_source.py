"""Train a multi-task network and a method on a labeled source; save both.

    python recipes/train_source.py --config synth_rooms --output runs/source

Writes `source.keras`, which the other recipes adapt, `history.json`, one row
per epoch with the metrics of the training and the validation images, and
`training.json`, the same with the command and the machine. An
interrupted training goes on after the last finished epoch when the same
command is given again, with the weights, the optimizer and the images that it
would have had; its state is kept in `state.weights.h5` meanwhile, and a command
of other settings is refused.

An epoch is a pass over the images, or `--steps-per-epoch`; the configurations
of real datasets train for the paper's 60,000 steps.

`--randomize` changes the colors of the images and corrupts half of them, by
noise, blur, light, haze and compression: another way to be ready for a target.

`--processes 2` trains in two processes or on two devices, each of which
computes its share of every batch. The result is that of one but for rounding,
and on PyTorch and TensorFlow for the random masks and noise of a method.

SynthRooms, 6,000 rooms in 30 epochs, takes 45 minutes on two cores, rendering
included. The last epoch's validation: semantic segmentation 0.64 mIoU, depth
0.37 m RMSE, surface normals 18.6 degrees mean angular error, edges 0.216 RMSE.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import sys
import time

from benchmarking.results import describe_environment
from configs.config_arguments import add_config_arguments
from configs.config_arguments import config_of
from shared import processes
from shared.results_file import given_command
from shared.results_file import write_json
from shared.training_state import HistoryFile
from shared.training_state import TrainingState
from shared.training_state import fit

import keras_s4t
from keras_s4t.files import atomic_path

# Of `--randomize`, beside what the configuration does.
RANDOMIZED = {
    "brightness": 0.3,
    "contrast": 0.5,
    "saturation": 0.5,
    "hue": 0.1,
    "corruption": 0.5,
}
# A single process.
ONE = processes.Group()


def make_parser():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument(
        "--method",
        default="S4T",
        choices=sorted(keras_s4t.methods.METHODS),
        help="what is trained with the network",
    )
    parser.add_argument("--source", help="another dataset than the config's")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--steps-per-epoch", type=int)
    parser.add_argument("--num-examples", type=int, help="images to train on")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--loss-balance",
        choices=("fixed", "awl"),
        help="the tasks' weights, or automatic weighting",
    )
    parser.add_argument(
        "--randomize",
        action="store_true",
        help="strong random changes of colors, light and image quality",
    )
    processes.add_processes_argument(parser)
    parser.add_argument("--output", type=pathlib.Path, default="runs/source")
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    return parser


def parse_arguments():
    """The command line's values and the configuration."""
    parser = make_parser()
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.epochs, arguments.num_examples = 2, 16
        arguments.batch_size = min(arguments.batch_size or 8, 8)
        arguments.steps_per_epoch = arguments.steps_per_epoch or 2
    try:
        config = config_of(arguments)
    except ValueError as error:
        parser.error(str(error))
    for name, value in config.source_training.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    if config.size < 32 or config.size % 32:
        parser.error(f"--size must be a multiple of 32, not {config.size}")
    for name in ("epochs", "steps_per_epoch", "batch_size", "num_examples"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            option = name.replace("_", "-")
            parser.error(f"--{option} must be at least 1, not {value}")
    try:
        processes.check_processes(arguments.processes, arguments.batch_size)
    except ValueError as error:
        parser.error(str(error))
    arguments.source = arguments.source or config.source
    return parser, arguments, config


def load_split(arguments, config, split, **options):
    """Images of the source, with their labels."""
    return keras_s4t.data.load(
        arguments.source,
        split,
        config.make_tasks(),
        batch_size=arguments.batch_size,
        cache_dir=arguments.cache,
        data_dir=arguments.data_dir,
        # Starting worker processes takes longer than a few images do.
        workers=1 if arguments.quick else 2,
        **options,
        **config.load_options(arguments.source),
    )


def augmentation_of(arguments, config):
    """The augmentation of the images to train on."""
    augmentation = config.augmentation(arguments.source)
    if arguments.randomize:
        augmentation = dataclasses.replace(augmentation, **RANDOMIZED)
    return augmentation


def load_training_images(arguments, config, **stream):
    """Images to train on, in one pass or in a stream."""
    return load_split(
        arguments,
        config,
        "train",
        training=keras_s4t.data.Training(
            arguments.seed, augmentation_of(arguments, config), **stream
        ),
        num_examples=arguments.num_examples,
    )


def train(trainer, state, arguments, config, group=ONE):
    """Trains, from the state that an interrupted training left.

    Args:
        trainer: What `config.make_trainer` made.
        state: `TrainingState`.
        arguments: The command line's values.
        config: `Configuration`.
        group: `Group` of the processes that train.
    """

    def load_share(**stream):
        return group.share(load_training_images(arguments, config, **stream))

    # The first process may render, and all read what it kept.
    with group.first_one_first():
        validation = load_split(
            arguments,
            config,
            "validation",
            num_examples=8 if arguments.quick else None,
        )
    history = HistoryFile(arguments.output / "history.json")
    fit(
        trainer,
        state,
        arguments.epochs,
        load_share,
        callbacks=[history] if group.is_first else [],
        validation_data=validation,
        verbose="auto" if group.is_first else 0,
    )


def describe(trainer):
    """The sizes of what is trained, a line."""
    network, method = trainer.network, trainer.method
    count = network.encoder.count_params()
    return (
        f"Training {network.count_params() / 1e6:.1f} M parameters of the "
        f"network, {count / 1e6:.1f} M of them in the encoder, and "
        f"{method.count_params() / 1e6:.1f} M of {type(method).__name__}"
    )


def settings_of(arguments, config):
    """What the result of a training depends on, in types of JSON."""
    return {
        "config": config.name,
        **{
            field.name: getattr(config, field.name)
            for field in dataclasses.fields(config)
        },
        "source": arguments.source,
        "method": arguments.method,
        "num_examples": arguments.num_examples,
        "augmentation": dataclasses.asdict(augmentation_of(arguments, config)),
        "batch_size": arguments.batch_size,
        "num_epochs": arguments.epochs,
        "steps_per_epoch": arguments.steps_per_epoch,
        "loss_balance": arguments.loss_balance or config.loss_balance,
        "seed": arguments.seed,
    }


def log(arguments, config):
    """What is to be known of a training that is finished."""
    rows = json.loads((arguments.output / "history.json").read_text())
    return {
        "command": given_command(),
        **describe_environment(),
        **settings_of(arguments, config),
        "processes": max(
            arguments.processes, int(os.environ.get("WORLD_SIZE", 1))
        ),
        "seconds": round(sum(row["seconds"] for row in rows)),
        "epochs": rows,
    }


def run(parser, arguments, config, group):
    """Trains and writes, as one of the processes.

    Args:
        parser: `argparse.ArgumentParser`.
        arguments: The command line's values.
        config: `Configuration`.
        group: `Group` of the processes that train.
    """
    start = time.time()
    try:
        if arguments.steps_per_epoch is None:
            with group.first_one_first():
                one_pass = load_training_images(arguments, config)
            arguments.steps_per_epoch = int(one_pass.cardinality())
        trainer = config.make_trainer(
            config.make_network(arguments.seed),
            config.make_method(arguments.method, arguments.seed),
            arguments.epochs * arguments.steps_per_epoch,
            loss_balance=arguments.loss_balance,
            metrics="auto",
        )
        state = TrainingState(
            arguments.output / "state.weights.h5",
            arguments.steps_per_epoch,
            writes=group.is_first,
            settings=settings_of(arguments, config),
        )
        state.check()
    except ValueError as error:
        parser.error(str(error))
    if group.is_first:
        print(describe(trainer))
    train(trainer, state, arguments, config, group)
    if not group.is_first:
        return
    path = arguments.output / "source.keras"
    with atomic_path(path) as path, processes.alone():
        trainer.save(path)
    write_json(arguments.output / "training.json", log(arguments, config))
    state.remove()
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")


def main():
    """Runs the recipe."""
    parser, arguments, config = parse_arguments()
    status = processes.start_again(arguments.processes)
    if status is not None:
        sys.exit(status)
    with contextlib.ExitStack() as stack:
        try:
            group = stack.enter_context(processes.group(arguments.processes))
        except ValueError as error:
            parser.error(str(error))
        run(parser, arguments, config, group)


if __name__ == "__main__":
    main()
