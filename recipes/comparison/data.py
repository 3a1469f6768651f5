"""The images of a comparison: source, targets and corrupted source."""

from shared.corrupted_source import load_arrays

import keras_s4t
from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.data.corruptions import corrupt


def _options(settings, dataset):
    return dict(
        cache_dir=settings.cache,
        data_dir=settings.data_dir,
        workers=settings.workers,
        **settings.configuration.load_options(dataset),
    )


def load_source(settings, tasks, seed):
    """Labeled source images in the order of a seed, to train on.

    Made anew for every source model: then all see the same batches, whatever
    was trained before.

    Args:
        settings: `Settings`.
        tasks: list of `Task`.
        seed: int.

    Returns:
        A `tf.data.Dataset`.
    """
    return keras_s4t.data.load(
        settings.source,
        "train",
        tasks,
        batch_size=settings.source_batch_size,
        training=keras_s4t.data.Training(
            seed, settings.configuration.augmentation(settings.source)
        ),
        num_examples=settings.num_source,
        **_options(settings, settings.source),
    )


def load_statistics(settings, tasks):
    """Source images as they are, in whole batches of the adaptation's size."""
    dataset = keras_s4t.data.load(
        settings.source,
        "train",
        tasks,
        batch_size=settings.batch_size,
        num_examples=settings.num_statistics,
        **_options(settings, settings.source),
    )
    return dataset.take(settings.num_statistics // settings.batch_size)


def load_target(settings, tasks, name):
    """A labeled target, in order."""
    return keras_s4t.data.load(
        name,
        settings.split,
        tasks,
        batch_size=settings.batch_size,
        num_examples=settings.num_target,
        **_options(settings, name),
    )


def load_corrupted(settings, tasks):
    """Yields `(name, target)`: corrupted source images in a target's stead.

    Args:
        settings: `Settings`.
        tasks: list of `Task`.

    Yields:
        Name of a corruption with its severity, and a `tf.data.Dataset` like
        that of `load_target`.
    """
    import tensorflow as tf

    images, labels, masks = load_arrays(
        settings.source,
        tasks,
        num_examples=settings.num_tuning,
        **_options(settings, settings.source),
    )
    for corruption in CORRUPTIONS:
        for severity in settings.severities:
            arrays = (corrupt(images, corruption, severity), labels, masks)
            dataset = tf.data.Dataset.from_tensor_slices(arrays)
            yield (
                f"{corruption} {severity}",
                dataset.batch(settings.batch_size),
            )
