"""Adapt a saved model to any target by one of three protocols, and measure.

    python recipes/adapt_online.py --model runs/quickstart/source.keras \
        --target synth_rooms/evening --protocol online

`online` makes `--steps` updates on every batch of the target in turn,
`episodic` returns to the source model before every batch, and `release`
updates on the first batch only, then evaluates the whole target.

Writes a curve per method, such as `S4T.json`, and `curves.png`. Four minutes
on two cores for 200 images, 40 steps on each batch. After step 40, with the
learning rate 1e-5:

    method         miou    rmse    merr    rmse   Delta_TTT
    Base           0.129   1.098   42.2   0.303        0.00
    BatchNormOnly  0.249   0.634   31.7   0.275      +42.30
    S4T            0.246   0.637   31.9   0.277      +41.39

The best step of a curve is printed as well, as an oracle: to find it takes
the labels of the target.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib
import time

from configs.config_arguments import add_config_arguments
from configs.config_arguments import config_of
from rich.console import Console
from shared.adaptation import adapt
from shared.protocols import ONE_TARGET
from shared.reporting import by_title
from shared.reporting import method_title
from shared.tables import curves_table
from shared.trained_model import load_trainer

import keras_s4t


def make_parser():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--model", type=pathlib.Path, default="runs/quickstart/source.keras"
    )
    add_config_arguments(parser)
    parser.add_argument(
        "--target",
        help="synth_rooms/<domain> or another dataset than the config's first",
    )
    parser.add_argument("--split", default="test")
    parser.add_argument("--protocol", default="online", choices=ONE_TARGET)
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["SourceOnly", "BatchNormOnly", "S4T"],
        choices=sorted(keras_s4t.methods.METHODS),
    )
    parser.add_argument("--steps", type=int, default=40, help="per batch")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--num-examples", type=int, help="default: all")
    parser.add_argument(
        "--learning-rate", type=float, help="instead of the config's"
    )
    parser.add_argument("--output", type=pathlib.Path, default="runs/adapt")
    parser.add_argument("--quick", action="store_true", help="a minute")
    return parser


def check(arguments, parser):
    """Leaves the recipe with a message unless the arguments make sense."""
    if not arguments.model.is_file():
        parser.error(f"--model must be a saved model, not {arguments.model}")
    for name in ("steps", "batch_size", "size"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")


def load_target(arguments, config, tasks):
    """The labeled target, in order."""
    target = arguments.target or config.targets[0]
    return keras_s4t.data.load(
        target,
        arguments.split,
        tasks,
        batch_size=arguments.batch_size,
        num_examples=16 if arguments.quick else arguments.num_examples,
        cache_dir=arguments.cache,
        data_dir=arguments.data_dir,
        # Starting worker processes takes longer than a few images do.
        workers=1 if arguments.quick else 2,
        **config.load_options(target),
    )


def get_method(name, trainer):
    """The method that was trained with the model, or one that needs no such."""
    if name == type(trainer.method).__name__:
        return trainer.method
    method = keras_s4t.methods.get(name)
    if method.needs_source:
        raise ValueError(
            "A method that needs the source must be the one of the model, "
            f"{type(trainer.method).__name__}. Received: {name}"
        )
    return method


def main():
    """Runs the recipe."""
    parser = make_parser()
    arguments = parser.parse_args()
    check(arguments, parser)
    start = time.time()
    trainer = load_trainer(arguments.model)
    try:
        config = config_of(arguments)
        methods = {n: get_method(n, trainer) for n in arguments.methods}
        target = load_target(arguments, config, trainer.tasks)
    except ValueError as error:
        parser.error(str(error))

    protocol = ONE_TARGET[arguments.protocol]
    steps = 2 if arguments.quick else arguments.steps
    curves = {}
    for name, method in methods.items():
        print(f"\nAdapting: {method_title(name)}")
        adapter = keras_s4t.TargetAdapter(trainer.network, method)
        adapter.compile(config.make_optimizer(arguments.learning_rate))
        curves[name] = adapt(adapter, *protocol(target, steps), verbose="auto")
        curves[name].save(arguments.output / f"{name}.json")
    Console().print(curves_table(curves, trainer.tasks, oracle=True))
    keras_s4t.plots.adaptation_curves(
        by_title(curves), trainer.tasks, path=arguments.output / "curves.png"
    )
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")


if __name__ == "__main__":
    main()
