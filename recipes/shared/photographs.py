"""Photographs of a folder, decoded, resized and padded as `load` does."""

import itertools
import math

from keras_s4t.data import images as image_files
from keras_s4t.data.pipeline.resizing import PADDING_COLOR

# Longer sides are padded to multiples of this share of the shorter side, since
# each shape is compiled anew.
SHAPES_PER_SIDE = 4


def read_all(folder, skipped):
    """Yields `(path, photograph)`, and notes the files that are skipped.

    Args:
        folder: Path of the folder.
        skipped: list, to which pairs of a path and an error are added.

    Yields:
        Pair of a path and a uint8 array of shape `(height, width, 3)`.
    """
    for path in image_files.image_paths(folder):
        try:
            yield path, image_files.read_photograph(path)
        except ValueError as error:
            skipped.append((path, error))


def canvas_of(photograph, size):
    """The canvas of a photograph: its ratio, rounded up.

    Args:
        photograph: Array of shape `(height, width, 3)`.
        size: int, the shorter side of the canvas.

    Returns:
        Pair of ints, `(height, width)`.
    """
    shape = photograph.shape[:2]
    multiple = max(size // SHAPES_PER_SIDE, 1)
    return tuple(
        max(size, math.ceil(side * size / min(shape) / multiple) * multiple)
        for side in shape
    )


def batches(photographs, size, batch_size):
    """Yields lists of `(path, image, (height, width))` of one shape each."""
    images = (
        (
            path,
            *image_files.fit_array(
                photograph, canvas_of(photograph, size), PADDING_COLOR
            ),
        )
        for path, photograph in photographs
    )
    for _, group in itertools.groupby(images, lambda item: item[1].shape):
        while batch := list(itertools.islice(group, batch_size)):
            yield batch
