import keras


def share_of(batches, index, count):
    """The share of one of several processes in every batch.

    All processes read the same batches in the same order, and keep different
    images of them. Shares differ by at most one image.

    Args:
        batches: A batched `tf.data.Dataset` or a `keras.utils.PyDataset`.
        index: int. Which of the processes this is, from 0.
        count: int. Number of processes.

    Returns:
        A `tf.data.Dataset` or a `PyDataset` of as many batches.

    Raises:
        ValueError: If the data are of another kind, or batches are known to
            have fewer images than there are processes.

    Example:

    ```python
    rank, count = dist.get_rank(), dist.get_world_size()
    source = keras_s4t.data.load("nyud_mt", "train", tasks, training=True)
    trainer.fit(keras_s4t.data.share_of(source, rank, count))
    ```
    """
    if not 0 <= index < count:
        raise ValueError(
            "`index` must be from 0 to `count - 1`. "
            f"Received: index={index}, count={count}"
        )
    if hasattr(batches, "element_spec"):
        return _share_of_dataset(batches, index, count)
    if isinstance(batches, keras.utils.PyDataset):
        return BatchShares(batches, index, count)
    raise ValueError(
        "`batches` must be a `tf.data.Dataset` or a `PyDataset`. "
        f"Received: {type(batches).__name__}"
    )


class BatchShares(keras.utils.PyDataset):
    """The share of one process in every batch of a `PyDataset`."""

    def __init__(self, batches, index, count, **kwargs):
        super().__init__(**kwargs)
        self.batches = batches
        self.index, self.count = index, count
        # Before the first step, where they are at hand.
        if batches.num_batches:
            self._check(_num_images(batches[batches.num_batches - 1]))

    def __len__(self):
        return self.batches.num_batches

    def __getitem__(self, index):
        batch = self.batches[index]
        size = _num_images(batch)
        self._check(size)
        start, stop = _bounds(size, self.index, self.count)
        return keras.tree.map_structure(lambda x: x[start:stop], batch)

    def on_epoch_end(self):
        self.batches.on_epoch_end()

    def _check(self, size):
        _check_size(size, self.count)


def _share_of_dataset(dataset, index, count):
    import tensorflow as tf

    size = tf.nest.flatten(dataset.element_spec)[0].shape[0]
    if size is not None:
        _check_size(size, count)

    def share(*batch):
        size = tf.shape(tf.nest.flatten(batch)[0])[0]
        assertion = tf.debugging.assert_greater_equal(
            size, count, "A batch must have an image for every process."
        )
        with tf.control_dependencies([assertion]):
            start, stop = _bounds(tf.identity(size), index, count)
        batch = tf.nest.map_structure(lambda x: x[start:stop], batch)
        return batch if len(batch) > 1 else batch[0]

    return dataset.map(share, num_parallel_calls=tf.data.AUTOTUNE)


def _bounds(size, index, count):
    return size * index // count, size * (index + 1) // count


def _num_images(batch):
    return len(keras.tree.flatten(batch)[0])


def _check_size(size, count):
    if size < count:
        raise ValueError(
            "Every batch must have at least one image for every process. "
            f"Received: a batch of {size} images for {count} processes"
        )
