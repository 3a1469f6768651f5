import math

import keras
import numpy as np

from keras_s4t.checks import check_finite
from keras_s4t.checks import check_images


class ArrayBatches(keras.utils.PyDataset):
    """Batches of NumPy arrays, on any backend and without TensorFlow.

    Args:
        arrays: Images of shape `(num_images, height, width, 3)`, or a tuple
            `(images, labels)` or `(images, labels, masks)` with dicts from
            task name to arrays.
        batch_size: int. Images per batch. The last batch may be smaller.

    Raises:
        ValueError: If the images are empty or not finite, if labels
            or masks differ from them in number, or if `batch_size` is less
            than 1.
    """

    def __init__(self, arrays, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.arrays = arrays
        self.batch_size = batch_size
        images = arrays[0] if isinstance(arrays, tuple) else arrays
        check_images(images, num_channels=None)
        check_finite(images)
        if not len(images) or batch_size < 1:
            raise ValueError(
                "There must be images, and `batch_size` must be at least 1. "
                f"Received: {len(images)} images, batch_size={batch_size}"
            )
        counts = [len(array) for array in keras.tree.flatten(arrays)]
        if len(set(counts)) > 1:
            raise ValueError(
                "There must be as many labels and masks as images. "
                f"Received: arrays of lengths {counts}"
            )
        self.num_images = len(images)

    def __len__(self):
        return math.ceil(self.num_images / self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        return keras.tree.map_structure(
            lambda x: np.asarray(x[start : start + self.batch_size]),
            self.arrays,
        )
