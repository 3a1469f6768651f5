"""The command line of recipes of live streams."""

import argparse
import pathlib

from configs.synth_rooms import SynthRooms

PRESET = "s4t_synth_rooms_64"


def make_parser(description, output):
    """A parser with the arguments that these recipes share.

    Args:
        description: string, the docstring of the program.
        output: Default of `--output`.

    Returns:
        `argparse.ArgumentParser`.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--preset", default=PRESET, help="name or folder of an adapter's"
    )
    parser.add_argument("--window", type=int, default=8, help="frames")
    parser.add_argument("--size", type=int, default=64, help="of the frames")
    parser.add_argument(
        "--cache",
        type=pathlib.Path,
        default=pathlib.Path("runs/cache"),
        help="folder of rendered images",
    )
    parser.add_argument("--output", type=pathlib.Path, default=output)
    parser.add_argument("--quick", action="store_true", help="few frames")
    return parser


def parse(parser):
    """The values, checked.

    Args:
        parser: What `make_parser` returned.

    Returns:
        `argparse.Namespace`.
    """
    arguments = parser.parse_args()
    if arguments.size < 32 or arguments.size % 32:
        parser.error(f"--size must be a multiple of 32, not {arguments.size}")
    if arguments.window < 1:
        parser.error(f"--window must be at least 1, not {arguments.window}")
    return arguments


def add_target_arguments(parser):
    """Adds which targets a recipe adapts to, and how much of each."""
    parser.add_argument("--targets", nargs="+", help="names of domains")
    parser.add_argument("--seeds", type=int, nargs="+", help="of the rooms")
    parser.add_argument("--num-target", type=int, help="images per target")


def targets_of(parser, arguments, seeds, count):
    """What `add_target_arguments` asked for.

    Args:
        parser: `argparse.ArgumentParser`.
        arguments: The command line's values.
        seeds: list of ints, the default; the first one alone with `--quick`.
        count: int. Images per target by default.

    Returns:
        Tuple of the names of the domains, the seeds and the images per target.
    """
    quick = arguments.quick
    targets = [name.split("/")[-1] for name in SynthRooms.targets]
    targets = arguments.targets or (targets[:1] if quick else targets)
    seeds = arguments.seeds or (seeds[:1] if quick else seeds)
    count = arguments.num_target or (16 if quick else count)
    if count < arguments.window:
        parser.error(f"--num-target must be at least a window, not {count}")
    return targets, seeds, count
