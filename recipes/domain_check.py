"""Compare colors and fine detail of target images with those of the source.

    python recipes/domain_check.py --target synth_rooms/evening
    python recipes/domain_check.py --images ~/photos

Adaptation reacts to the means of colors and to fine detail. Another decoder or
resizer, BGR instead of RGB, or another range of values shifts both, and is
cheaper to mend in the data than by any method. Prints both beside each other
and names what looks like such a fault. No label is read, and no model.

Writes `domain_check.json`. Seconds, once the images are in the cache.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import itertools
import pathlib

import numpy as np
from configs.config_arguments import add_config_arguments
from configs.config_arguments import config_of
from rich.console import Console
from shared.photographs import batches
from shared.photographs import read_all
from shared.results_file import write_json
from shared.tables import Table

import keras_s4t
from keras_s4t.data.pipeline.resizing import PADDING_COLOR

# Differences between levels that no decoder can tell.
TOLERANCE = 1e-3


def make_parser():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument(
        "--target",
        nargs="+",
        help="datasets instead of the config's targets",
    )
    parser.add_argument(
        "--images",
        type=pathlib.Path,
        help="folder of photographs instead of datasets",
    )
    parser.add_argument("--split", default="test", help="of the targets")
    parser.add_argument("--num-examples", type=int, default=200)
    parser.add_argument("--output", type=pathlib.Path, default="runs/domains")
    parser.add_argument("--quick", action="store_true", help="eight images")
    return parser


def without_padding(image):
    """An image without the color that `load` pads with below and at the right.

    Args:
        image: Array of shape `(height, width, 3)`.

    Returns:
        Array of shape `(height, width, 3)`.
    """
    is_content = (np.abs(image - PADDING_COLOR) > TOLERANCE).any(-1)
    height, width = (
        int(np.flatnonzero(is_content.any(axis)).max(initial=-1)) + 1
        for axis in (1, 0)
    )
    return image[: max(height, 3), : max(width, 3)]


def load_images(name, split, arguments, config):
    """Yields the images of a dataset, without padding."""
    dataset = keras_s4t.data.load(
        name,
        split,
        config.make_tasks(),
        num_examples=arguments.num_examples,
        cache_dir=arguments.cache,
        data_dir=arguments.data_dir,
        workers=1 if arguments.quick else 2,
        **config.load_options(name),
    )
    for images, _, _ in dataset.as_numpy_iterator():
        yield from map(without_padding, images)


def read_images(folder, size, count):
    """Yields the photographs of a folder, without padding."""
    photographs = itertools.islice(read_all(folder, []), count)
    for batch in batches(photographs, size, batch_size=1):
        for _, image, (height, width) in batch:
            yield image[:height, :width]


def make_table(statistics):
    """One row per domain.

    Args:
        statistics: dict from the name of a domain to what
            `keras_s4t.data.image_statistics` returned.

    Returns:
        A `Table`.
    """
    headers = ["levels", "red", "green", "blue", "deviation", "detail", "range"]
    rows = [
        [
            name,
            *(f"{value:.1f}" for value in found["mean"]),
            " ".join(f"{value:.1f}" for value in found["deviation"]),
            f"{found['detail']:.2f}",
            f"{found['low']:.3g} ... {found['high']:.3g}",
        ]
        for name, found in statistics.items()
    ]
    return Table("Colors and fine detail", headers, rows)


def main():
    """Runs the recipe."""
    parser = make_parser()
    arguments = parser.parse_args()
    if arguments.images and not arguments.images.is_dir():
        parser.error(f"--images must be a folder, not {arguments.images}")
    if arguments.num_examples < 1:
        parser.error("--num-examples must be at least 1")
    if arguments.quick:
        arguments.num_examples = min(arguments.num_examples, 8)
    config = config_of(arguments)
    domains = {
        config.source: load_images(config.source, "train", arguments, config)
    }
    if arguments.images:
        size = min(np.broadcast_to(config.size, 2).tolist())
        domains[str(arguments.images)] = read_images(
            arguments.images, size, arguments.num_examples
        )
    else:
        for name in arguments.target or config.targets:
            domains[name] = load_images(
                name, arguments.split, arguments, config
            )
    console = Console(soft_wrap=True)
    statistics = {}
    for name, images in domains.items():
        console.print(f"Reading {name}", highlight=False)
        statistics[name] = keras_s4t.data.image_statistics(images)
    console.print(make_table(statistics).rich())

    source = statistics[config.source]
    differences = {
        name: keras_s4t.data.domain_differences(source, found)
        for name, found in statistics.items()
        if name != config.source
    }
    for name, sentences in differences.items():
        for sentence in sentences:
            console.print(f"{name}: {sentence}.", highlight=False)
    if not any(differences.values()):
        console.print("Nothing looks like a fault of the data path.")
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_json(
        arguments.output / "domain_check.json",
        {"statistics": statistics, "differences": differences},
    )


if __name__ == "__main__":
    main()
