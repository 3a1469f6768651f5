import keras

from keras_s4t.batches import as_batches
from keras_s4t.checks import check_finite
from keras_s4t.checks import check_images
from keras_s4t.data.array_batches import ArrayBatches


def online_stream(data, steps=1, batch_size=8):
    """Creates a target stream that repeats every batch `steps` times.

    `fit` on the stream makes `steps` updates on each batch, in order. The
    stream has a known length, which callbacks require.

    Args:
        data: A batched `tf.data.Dataset` or a `keras.utils.PyDataset`, of
            images or `(images, labels[, masks])`, or NumPy arrays with that
            structure. Images are RGB of shape
            `(batch_size, height, width, 3)`, float32 or uint8 in
            0 ... 255. Or any iterable of batches: a list, PyTorch's
            `DataLoader`, a generator.
        steps: int. Updates per batch.
        batch_size: int. Images per batch, for arrays.

    Returns:
        A `tf.data.Dataset` if `data` is one, else a `keras.utils.PyDataset`;
        of an iterable that does not know its length, a generator.

    Raises:
        ValueError: If `steps` is less than 1, if the data are empty, infinite
            or of unknown size, or if images are not finite RGB batches.
            Whether the images of a dataset are finite is checked when a batch
            is read. A `tf.data.Dataset` then raises TensorFlow's
            `InvalidArgumentError`.

    Example:

    ```python
    stream = keras_s4t.data.online_stream(target, steps=40)
    adapter.fit(stream)
    ```
    """
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1. Received: steps={steps}")
    if hasattr(data, "element_spec"):
        return _repeat_dataset(data, steps)
    is_arrays = hasattr(data, "shape") or isinstance(data, tuple)
    data = ArrayBatches(data, batch_size) if is_arrays else as_batches(data)
    if isinstance(data, keras.utils.PyDataset):
        return RepeatedBatches(data, steps)
    return (batch for batch in data for _ in range(steps))


class RepeatedBatches(keras.utils.PyDataset):
    """Repeats every batch of a `PyDataset`, which is read once."""

    def __init__(self, batches, steps, **kwargs):
        super().__init__(**kwargs)
        if not batches.num_batches:
            raise ValueError(
                "The stream must be finite and not empty. "
                f"Received: {batches.num_batches} batches"
            )
        self.batches = batches
        self.steps_per_batch = steps
        self._held = (None, None)

    def __len__(self):
        return self.batches.num_batches * self.steps_per_batch

    def __getitem__(self, index):
        index //= self.steps_per_batch
        held_index, batch = self._held
        if index != held_index:
            batch = self.batches[index]
            images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
            check_images(images, num_channels=None)
            check_finite(images)
            self._held = (index, batch)
        return batch


def _repeat_dataset(dataset, steps):
    import tensorflow as tf

    num_batches = int(dataset.cardinality())
    if num_batches <= 0:
        size = {0: "empty", tf.data.INFINITE_CARDINALITY: "infinite"}
        raise ValueError(
            "The stream must be finite, not empty and of known size: use "
            "`dataset.take(n)` or `dataset.apply("
            "tf.data.experimental.assert_cardinality(n))`. "
            f"Received: a dataset that is {size.get(num_batches, 'unknown')}"
        )

    images, _, _ = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    check_images(images, num_channels=None)

    def repeat(*batch):
        images = batch[0]
        if images.dtype.is_floating:
            images = tf.debugging.assert_all_finite(
                images, "`images` must be finite."
            )
        batch = (images, *batch[1:]) if len(batch) > 1 else images
        return tf.data.Dataset.from_tensors(batch).repeat(steps)

    stream = dataset.flat_map(repeat).apply(
        tf.data.experimental.assert_cardinality(num_batches * steps)
    )
    # For callbacks that count the steps of a batch.
    stream.steps_per_batch = steps
    return stream
