"""Adapters that compile fast, for tests of streams and callbacks."""

import functools

import keras
import numpy as np
import tiny
from keras import ops

import keras_s4t

BATCH_SIZE = 2


@keras.saving.register_keras_serializable("tests")
class ShrinkFeatures(keras_s4t.methods.Method):
    """Draws features to zero: every weight moves, and nothing is random."""

    bn_mode = "update"

    def target_loss(self, model, images, features):
        return sum(ops.mean(ops.square(f)) for f in features.values())


@functools.cache
def _adapter():
    task_list = tiny.make_tasks(2)
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(task_list), ShrinkFeatures()
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(0.1))
    return adapter


def source_adapter():
    """The adapter of all tests, as it was compiled, since steps compile once.

    It has the tasks semseg and depth.
    """
    adapter = _adapter()
    adapter.reset()
    adapter.reset_metrics()
    return adapter


def make_target(num_batches, seed=0):
    """Arrays `(images, labels, masks)` of whole batches for the adapter."""
    return tiny.make_arrays(num_batches * BATCH_SIZE, seed=seed, count=2)


def batches(arrays):
    """Batches of arrays for the adapter."""
    return keras_s4t.data.ArrayBatches(arrays, BATCH_SIZE)


def dataset(arrays):
    """The same batches as a `tf.data.Dataset` of known shapes."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(arrays).batch(
        BATCH_SIZE, drop_remainder=True
    )


def state(adapter):
    """NumPy copies of everything that adaptation may move."""
    return tiny.numpy_values(adapter.variables + adapter.optimizer.variables)


def pooled_metrics(predictions, arrays):
    """The task metrics in NumPy, over the pixels of several batches.

    Args:
        predictions: list of dicts of raw outputs, one per batch.
        arrays: The arrays `(images, labels, masks)` of those batches.

    Returns:
        dict from metric key to float.
    """
    _, labels, masks = arrays
    semseg, depth = (
        np.concatenate([p[name] for p in predictions])
        for name in ("semseg", "depth")
    )
    valid = masks["semseg"][..., 0] * (labels["semseg"] != 255)
    classes = np.argmax(semseg, axis=-1)
    ious = []
    for i in range(tiny.NUM_CLASSES):
        is_label, is_class = labels["semseg"] == i, classes == i
        union = (valid * (is_label | is_class)).sum()
        ious.append((valid * (is_label & is_class)).sum() / max(union, 1e-8))
    errors = np.square(np.maximum(depth, 0) - labels["depth"])
    mask = masks["depth"]
    return {
        "semseg_miou": np.mean(ious),
        "depth_rmse": np.sqrt((mask * errors).sum() / mask.sum()),
    }
