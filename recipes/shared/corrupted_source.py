"""Corrupted source images: they stand in for a target nobody may look at."""

import keras
import numpy as np

import keras_s4t
from keras_s4t.data.corruptions import corrupt

STREAM_BATCH_SIZE = 8
EVALUATION_BATCH_SIZE = 32


def load_arrays(name, tasks, **options):
    """Validation images, labels and masks of a dataset in NumPy.

    Args:
        name: string, as `keras_s4t.data.load` takes it.
        tasks: list of `Task`.
        **options: Further arguments of `keras_s4t.data.load`.

    Returns:
        Tuple `(images, labels, masks)` of an array and two dicts by task name.
    """
    dataset = keras_s4t.data.load(name, "validation", tasks, **options)
    return keras.tree.map_structure(
        lambda *batches: np.concatenate(batches), *dataset.as_numpy_iterator()
    )


def corrupted_halves(arrays, corruption, severity):
    """A stream to adapt to and other images to measure on.

    Args:
        arrays: What `load_arrays` returned.
        corruption: string, a key of `CORRUPTIONS`.
        severity: int in 1 ... 5.

    Returns:
        Tuple `(stream, held_out)`: the first half of the images in batches,
        without labels, and the second half with them.
    """
    images, labels, masks = arrays
    images = corrupt(images, corruption, severity)
    half = len(images) // 2
    held_out = keras.tree.map_structure(
        lambda array: array[half:], (images, labels, masks)
    )
    return (
        keras_s4t.data.online_stream(
            images[:half], batch_size=STREAM_BATCH_SIZE
        ),
        keras_s4t.data.ArrayBatches(held_out, EVALUATION_BATCH_SIZE),
    )
