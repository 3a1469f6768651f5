"""The part of the command line that chooses a configuration and its data."""

import pathlib

import configs
from configs.real_pairs import LEGACY


def add_config_arguments(parser, config="synth_rooms"):
    """Adds `--config` and the options of configurations.

    Args:
        parser: `argparse.ArgumentParser`.
        config: Name of the default, or `None`.
    """
    group = parser.add_argument_group("configuration and data")
    group.add_argument("--config", default=config, choices=configs.NAMES)
    group.add_argument("--size", type=int, help="image side")
    group.add_argument(
        "--preset",
        help="keras-hub preset or preset folder of the backbone, 'random' or\n"
        "'random_resnet18' for a ResNet50 or ResNet18 without pretrained\n"
        "weights, 'tiny' for a small one, 'tiny_group_norm' for the same\n"
        "without batch norm",
    )
    group.add_argument("--decoder", help="'pyramid' or 'mti_net'")
    group.add_argument(
        "--legacy",
        nargs="+",
        choices=LEGACY,
        metavar="SWITCH",
        help=f"do as the authors' release: {', '.join(LEGACY)}",
    )
    group.add_argument(
        "--data-dir",
        type=pathlib.Path,
        help="folder of the datasets built by `python -m keras_s4t.data`",
    )
    group.add_argument(
        "--cache",
        type=pathlib.Path,
        default="runs/cache",
        help="folder of rendered and decoded images",
    )


def config_of(arguments):
    """The configuration of a command line.

    Args:
        arguments: What the parser returned.

    Returns:
        A `Configuration`.

    Raises:
        ValueError: If the configuration has no such option.
    """
    names = ("size", "preset", "decoder", "legacy")
    return configs.get(
        arguments.config, **{name: getattr(arguments, name) for name in names}
    )
