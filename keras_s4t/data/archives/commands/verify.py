"""Read the files of a download and list missing and damaged ones."""

import keras
import numpy as np

from keras_s4t.data.archives.commands.arguments import positive
from keras_s4t.data.archives.downloads import DOWNLOADS

# Meters. The median of a room that is seen from inside.
PLAUSIBLE_DEPTH = (0.3, 20.0)


def add_arguments(parser):
    """Adds the arguments of the command."""
    parser.add_argument("dataset", choices=DOWNLOADS)
    parser.add_argument(
        "--manual-dir", required=True, help="folder with the download"
    )
    parser.add_argument(
        "--sample",
        type=positive,
        help="open the files of so many images of each split, drawn at random; "
        "all by default",
    )


def run(arguments):
    """Reports counts, sizes and faults. The exit status is 0 without faults."""
    import tensorflow_datasets as tfds

    folder = tfds.core.Path(arguments.manual_dir).expanduser()
    download = DOWNLOADS[arguments.dataset](folder)
    faults, depths, count = [], {}, 0
    for split in download.published:
        try:
            names = download.names(split)
        except ValueError as error:
            faults.append(str(error))
            continue
        print(f"{split}: {len(names)} images{download.shortfall(split)}")
        _report_folders(download, names)
        checked = _sample(names, arguments.sample)
        progress = keras.utils.Progbar(len(checked), unit_name="image")
        for name in checked:
            found = download.check(name)
            faults += found
            if not found:
                depths[name] = download.median_depth(name)
            progress.add(1)
        count += len(checked)
    _report_depths(depths)
    for fault in faults:
        print(f"- {fault}")
    if faults:
        print(f"{len(faults)} faults in {count} images.")
        return 1
    print(f"No fault in {count} images.")
    return 0


def _report_folders(download, names):
    """Prints numbers and sizes of files, which reveal incomplete copies."""
    sizes = {}
    for name in names:
        for folder, path in download.files(name).items():
            sizes.setdefault(folder, [])
            if path.exists():
                sizes[folder].append(path.stat().length)
    for folder, lengths in sizes.items():
        print(f"  {folder}: {len(lengths)} files, {sum(lengths) / 1e6:,.1f} MB")


def _report_depths(depths):
    """Warns if the depths of rooms are none, as in another unit."""
    depths = {name: x for name, x in depths.items() if x is not None}
    low, high = PLAUSIBLE_DEPTH
    odd = {name: x for name, x in depths.items() if not low <= x <= high}
    if odd:
        name, depth = max(odd.items(), key=lambda item: abs(item[1] - low))
        print(
            f"Warning: the median depth of {len(odd)} of {len(depths)} images "
            f"is not in {low} ... {high} m, that of {name} is {depth:.1f} m. "
            "Depth may be in another unit."
        )


def _sample(names, number):
    if number is None or number >= len(names):
        return names
    chosen = np.random.default_rng(0).choice(len(names), number, replace=False)
    return [names[i] for i in sorted(chosen)]
