"""How many images a second does the loader give?

    python recipes/loader_throughput.py

Writes files like those of Taskonomy (512x512) and of NYUD-v2 (425x560), drawn
from SynthRooms, to a temporary folder, builds the TFDS datasets, and reads them
as source training and evaluation would: from the datasets, from Taskonomy's
download, and from a cache of decoded images, on canvases of 256x256 and
448x576. Nothing else runs meanwhile, so this is what a network must be slower
than. Writes `throughput.json`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib
import statistics
import tempfile
import time

import keras
from benchmarking.results import describe_environment
from benchmarking.throughput_files import write_nyud
from benchmarking.throughput_files import write_taskonomy
from rich.console import Console
from shared.results_file import write_json
from shared.tables import throughput_table

import keras_s4t
from keras_s4t.data.__main__ import main as data_command
from keras_s4t.data.synth_rooms import SynthRooms

TASKS = ("semseg", "depth", "normals", "edge")
SIZES = ((256, 256), (448, 576))
TRAINING = keras_s4t.data.Training(
    augmentation=keras_s4t.data.Augmentation(
        zoom=(0.5, 2.0),
        brightness=0.125,
        contrast=0.5,
        saturation=0.5,
        hue=0.1,
    )
)


def make_cases(folder):
    """What is measured: dict from a name to arguments of `load`."""
    data_dir = folder / "data"
    sources = {
        "nyud_mt": dict(name="nyud_mt", data_dir=data_dir),
        "nyud_mt, cached": dict(
            name="nyud_mt", data_dir=data_dir, cache_dir=folder / "cache"
        ),
        "taskonomy_mt/tiny_256": dict(
            name="taskonomy_mt/tiny_256", data_dir=data_dir
        ),
        "taskonomy_folder": dict(
            name="taskonomy_folder", data_dir=folder / "taskonomy"
        ),
    }
    return {
        (name, size, training): dict(
            **options,
            size=size,
            training=TRAINING if training else False,
        )
        for name, options in sources.items()
        for size in SIZES
        for training in (True, False)
    }


def measure(options, batch_size, num_batches, repeats):
    """Images per second, every repeat's.

    Args:
        options: dict of arguments of `load`.
        batch_size: int.
        num_batches: int. Batches of each repeat.
        repeats: int.

    Returns:
        list of floats.
    """
    dataset = keras_s4t.data.load(
        split="train", tasks=TASKS, batch_size=batch_size, **options
    )
    batches = iter(dataset.repeat())
    # The first ones wait for threads and buffers.
    for _ in range(num_batches):
        next(batches)
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(num_batches):
            next(batches)
        rates.append(num_batches * batch_size / (time.perf_counter() - start))
    return rates


def measure_all(cases, *settings):
    """Measures each of `make_cases`, with the settings of `measure`.

    Args:
        cases: dict from `(dataset, size, training)` to arguments of `load`.
        *settings: `batch_size`, `num_batches` and `repeats`.

    Returns:
        list of dicts, as `throughput_table` takes them, with all `"rates"`.
    """
    progress = keras.utils.Progbar(len(cases), unit_name="setting")
    results = []
    for (name, size, training), options in cases.items():
        rates = measure(options, *settings)
        results.append(
            {
                "dataset": name,
                "size": size,
                "training": training,
                "images_per_second": statistics.median(rates),
                "rates": rates,
            }
        )
        progress.add(1)
    return results


def prepare(folder, num_images):
    """Writes the files and builds the datasets."""
    print(f"Writing {num_images} images of each dataset.")
    rooms = list(SynthRooms("train", "source", 64, num_images))
    write_taskonomy(folder / "taskonomy", rooms)
    write_nyud(folder / "archives", rooms)
    for name, manual in (
        ("nyud_mt", "archives"),
        ("taskonomy_mt", "taskonomy"),
    ):
        command = ["build", name, "--manual-dir", str(folder / manual)]
        data_command([*command, "--data-dir", str(folder / "data")])


def main():
    """Runs the recipe."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--num-images", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--output", type=pathlib.Path, default="runs/throughput"
    )
    parser.add_argument("--quick", action="store_true", help="seconds")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.num_images, arguments.repeats = 4, 1
        arguments.batch_size = 2
    if arguments.num_images < arguments.batch_size:
        parser.error("there must be enough images for a batch")
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.output) as folder:
        prepare(pathlib.Path(folder), arguments.num_images)
        cases = make_cases(pathlib.Path(folder))
        results = measure_all(
            cases,
            arguments.batch_size,
            arguments.num_images // arguments.batch_size,
            arguments.repeats,
        )
    Console().print(throughput_table(results))
    content = {
        "environment": describe_environment(),
        "num_images": arguments.num_images,
        "batch_size": arguments.batch_size,
        "results": results,
    }
    write_json(arguments.output / "throughput.json", content, indent=1)
    print(f"See {arguments.output}")


if __name__ == "__main__":
    main()
