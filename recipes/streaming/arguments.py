"""The command line of recipes of live streams."""

import argparse
import pathlib

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
