"""Batches of any kind as something that Keras reads on every backend."""

import contextlib
import itertools
import types
import warnings

import keras
import numpy as np


def as_batches(data):
    """What `fit` takes, from any iterable of batches.

    Keras reads arrays, `tf.data`, `PyDataset`, and generators of tuples. Lists
    of batches, PyTorch's `DataLoader` and datasets of grain are read here:
    plain tensors of images without a tuple work, too, and nothing depends on
    the backend.

    Args:
        data: Anything. Arrays, tensors, dicts, tuples, `None`,
            `tf.data.Dataset` and `PyDataset` are returned as they are.

    Returns:
        `data`; an `IterableBatches` if an iterable knows its length and begins
        anew; else a generator of batches in NumPy.

    Raises:
        ValueError: If there is no batch.
    """
    if (
        data is None
        or hasattr(data, "shape")
        or hasattr(data, "element_spec")
        or isinstance(data, (dict, tuple, keras.utils.PyDataset))
        or not hasattr(data, "__iter__")
    ):
        return data
    iterator = iter(data)
    if iterator is not data and hasattr(data, "__len__"):
        return IterableBatches(data)
    first = next(iterator, None)
    if first is None:
        raise ValueError("There must be batches of images. Received: none")
    # Keras knows generators, and no other iterators, and tuples alone of them.
    return (
        batch if isinstance(batch, tuple) else (batch,)
        for batch in map(in_numpy, itertools.chain([first], iterator))
    )


def first_of(generator):
    """The first batch of a generator, and a generator with it once more."""
    first = next(generator)
    return first, (batch for batch in itertools.chain([first], generator))


@contextlib.contextmanager
def generators_may_end(batches):
    """Within it, Keras does not take the end of a generator for a mistake."""
    with warnings.catch_warnings():
        if isinstance(batches, types.GeneratorType):
            warnings.filterwarnings("ignore", "Your input ran out of data")
        yield


def in_numpy(batch):
    """A batch in NumPy, a tuple whatever sequence it was."""
    if isinstance(batch, list):
        batch = tuple(batch)
    return keras.tree.map_structure(_array, batch)


def _array(x):
    if hasattr(x, "detach"):
        # A tensor of PyTorch, under any backend.
        x = x.detach().cpu().numpy()
    return np.asarray(x)


class IterableBatches(keras.utils.PyDataset):
    """Batches of an iterable that knows its length, read in order.

    Args:
        batches: A list, `DataLoader` and the like: it has a length, and every
            `iter` of it begins anew.

    Raises:
        ValueError: If it is empty, or is not read in order.
    """

    def __init__(self, batches, **kwargs):
        super().__init__(**kwargs)
        if not len(batches):
            raise ValueError("There must be batches of images. Received: none")
        self.batches = batches
        self._iterator = None
        self._held = (None, None)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        held, batch = self._held
        if index == held:
            return batch
        if index == 0:
            self._iterator = iter(self.batches)
        elif held is None or index != held + 1:
            raise ValueError(
                "Batches of an iterable must be read in order: use "
                "`shuffle=False`, and shuffle the data themselves. "
                f"Received: batch {index} after batch {held}"
            )
        batch = in_numpy(next(self._iterator))
        self._held = (index, batch)
        return batch


def look_when_read(dataset, look):
    """A dataset whose first batch is looked at when it is read.

    Reading a batch ahead would move the random state of a dataset that
    shuffles.

    Args:
        dataset: A `tf.data.Dataset`.
        look: `look(batch)`, called once with a batch in NumPy.

    Returns:
        Pair of the dataset and a list, which holds the `ValueError` that
        `look` raised. TensorFlow raises an error of its own in its place.
    """
    # Not imported where the backend is another one and the data are arrays.
    import tensorflow as tf

    errors, looked = [], []

    def look_once(*tensors):
        if not looked:
            arrays = [tensor.numpy() for tensor in tensors]
            try:
                look(tf.nest.pack_sequence_as(dataset.element_spec, arrays))
            except ValueError as error:
                errors.append(error)
                raise
            looked.append(True)
        return True

    def look_at_first(index, batch):
        was_read = tf.cond(
            tf.equal(index, 0),
            lambda: tf.py_function(look_once, tf.nest.flatten(batch), tf.bool),
            lambda: True,
        )
        with tf.control_dependencies([was_read]):
            return tf.nest.map_structure(tf.identity, batch)

    return dataset.enumerate().map(look_at_first), errors


def labeled_arrays(batch):
    """A labeled batch in NumPy.

    Args:
        batch: `(images, labels)` or `(images, labels, masks)`.

    Returns:
        Tuple of an array and two dicts by task name, that of masks perhaps
        empty.

    Raises:
        ValueError: If labels are no dict.
    """
    images, labels, masks = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(labels, dict):
        raise ValueError(
            "`source` must hold labels: batches `(images, labels)` or "
            "`(images, labels, masks)`, labels being a dict by task name. "
            f"Received: labels of type {type(labels).__name__}"
        )
    return keras.tree.map_structure(
        keras.ops.convert_to_numpy, (images, labels, masks or {})
    )


def joined(examples):
    """What `labeled_arrays` returned of several batches, as one.

    Raises:
        ValueError: If images are of several sizes, or batches have labels or
            masks of other tasks.
    """
    shapes = {images.shape[1:] for images, _, _ in examples}
    names = {(tuple(sorted(y)), tuple(sorted(m))) for _, y, m in examples}
    if len(shapes) > 1 or len(names) > 1:
        raise ValueError(
            "All batches of `source` must have images of one size, and labels "
            f"and masks of the same tasks. Received: images of {shapes}, "
            f"labels and masks of {names}"
        )
    return keras.tree.map_structure(
        lambda *arrays: np.concatenate(arrays), *examples
    )
