"""Adapt a saved model online to a folder of photographs, without any label.

    python recipes/adapt_images.py --model runs/quickstart/source.keras \
        --images ~/photos --output runs/photos

Every image file under the folder is read in the order of its name, whatever
its size and format, and resized so that its shorter side has the size the
model was trained at. Neighbors of the same shape share a batch; after the
update on a batch its photographs are predicted, once by the source model and
once by the adapted one, and a panel of both is written for each. Files that
are no photograph (unreadable, 16-bit or palette images) are skipped, counted
and named at the end.

Half a minute for 11 photographs on two cores, half of it for compiling.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import itertools
import pathlib

import keras
import numpy as np
from configs.synth_rooms import SynthRooms
from PIL import Image
from PIL import ImageOps

import keras_s4t

PHOTOGRAPH_MODES = ("RGB", "RGBA", "L", "LA", "CMYK", "YCbCr")


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, default="runs/photos")
    parser.add_argument("--size", type=int, default=64, help="shorter side")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--steps", type=int, default=1, help="per batch")
    parser.add_argument(
        "--learning-rate", type=float, default=SynthRooms.learning_rate
    )
    parser.add_argument("--quick", action="store_true", help="four images")
    arguments = parser.parse_args()
    if not arguments.model.is_file():
        parser.error(f"--model must be a saved model, not {arguments.model}")
    if not arguments.images.is_dir():
        parser.error(f"--images must be a folder, not {arguments.images}")
    for name in ("size", "batch_size", "steps"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    return arguments


def read_photograph(path):
    """A photograph as upright RGB; raises `OSError` if the file is none."""
    with Image.open(path) as image:
        if image.mode not in PHOTOGRAPH_MODES:
            raise OSError(f"mode {image.mode} is not that of a photograph")
        return ImageOps.exif_transpose(image).convert("RGB")


def resized(photograph, shorter_side, multiple):
    """NumPy array whose shorter side is given, the longer one rounded."""
    scale = shorter_side / min(photograph.size)
    width, height = (
        max(shorter_side, round(scale * length / multiple) * multiple)
        for length in photograph.size
    )
    image = photograph.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image, "float32")


def read_all(folder, skipped):
    """Yields `(path, photograph)`; files that cannot be read are noted."""
    known = Image.registered_extensions()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix.lower() not in known:
            continue
        try:
            yield path, read_photograph(path)
        except (OSError, SyntaxError, ValueError) as error:
            skipped.append((path, error))


def batches(photographs, size, batch_size):
    """Yields lists of `(path, image)` of one shape each."""
    # Few different shapes, since each is compiled anew.
    images = (
        (path, resized(photograph, size, multiple=max(size // 4, 1)))
        for path, photograph in photographs
    )
    for _, group in itertools.groupby(images, lambda item: item[1].shape):
        while batch := list(itertools.islice(group, batch_size)):
            yield batch


def write_panels(batch, before, after, tasks, arguments):
    """One panel per photograph, before and after."""
    for i, (path, image) in enumerate(batch):
        name = path.relative_to(arguments.images)
        keras_s4t.plots.prediction_grid(
            image[None],
            {
                "before": {k: v[i : i + 1] for k, v in before.items()},
                "after": {k: v[i : i + 1] for k, v in after.items()},
            },
            tasks,
            path=arguments.output / name.with_name(name.name + ".png"),
        )


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    source = keras.saving.load_model(arguments.model, compile=False)
    trainer = keras.saving.load_model(arguments.model, compile=False)
    adapter = keras_s4t.TargetAdapter(trainer.network, trainer.method)
    adapter.compile(keras.optimizers.SGD(arguments.learning_rate))

    skipped, count = [], 0
    photographs = read_all(arguments.images, skipped)
    if arguments.quick:
        photographs = itertools.islice(photographs, 4)
    progress = keras.utils.Progbar(None, unit_name="photograph")
    for batch in batches(photographs, arguments.size, arguments.batch_size):
        images = np.stack([image for _, image in batch])
        outputs = source.network.predict_on_batch(images)
        before = keras.tree.map_structure(
            keras.ops.convert_to_numpy, source.network.postprocess(outputs)
        )
        for _ in range(arguments.steps):
            after = adapter.adapt(images)
        write_panels(batch, before, after, adapter.tasks, arguments)
        count += len(batch)
        progress.update(count)

    print(f"\n{count} photographs adapted to: see {arguments.output}")
    if skipped:
        print(f"{len(skipped)} files skipped:")
        for path, error in skipped:
            print(f"  {path}: {error}")
    if not count:
        raise SystemExit("There was no photograph to adapt to.")


if __name__ == "__main__":
    main()
