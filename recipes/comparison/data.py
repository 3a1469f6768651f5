"""The images of a comparison: source, targets and corrupted source."""

import re

from shared.corrupted_source import load_arrays

import keras_s4t
from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.data.corruptions import corrupt

RETURN = " (return)"
NOISY = re.compile(r"(.+) \+ noise ([\d.e-]+)")


def _options(settings, dataset):
    return dict(
        cache_dir=settings.cache,
        data_dir=settings.data_dir,
        workers=settings.workers,
        **settings.configuration.load_options(dataset),
    )


def _load(settings, tasks, name, split, num_examples, **options):
    """As `keras_s4t.data.load`, in batches of the adaptation by default."""
    options = {"batch_size": settings.batch_size, **options}
    return keras_s4t.data.load(
        name,
        split,
        tasks,
        num_examples=num_examples,
        **options,
        **_options(settings, name),
    )


def _training(settings, dataset, seed, **stream):
    augmentation = settings.configuration.augmentation(dataset)
    return keras_s4t.data.Training(seed, augmentation, **stream)


def load_source(settings, tasks, seed, **stream):
    """Labeled source images in the order of a seed, to train on.

    Made anew for every source model: then all see the same batches, whatever
    was trained before.

    Args:
        settings: `Settings`.
        tasks: list of `Task`.
        seed: int.
        **stream: Arguments of `keras_s4t.data.Training` for a stream in the
            place of one pass.

    Returns:
        A `tf.data.Dataset`.
    """
    return _load(
        settings,
        tasks,
        settings.source,
        "train",
        settings.num_source,
        batch_size=settings.source_batch_size,
        training=_training(settings, settings.source, seed, **stream),
    )


def load_statistics(settings, tasks):
    """Source images as they are, in whole batches of the adaptation's size."""
    number = settings.num_statistics
    dataset = _load(settings, tasks, settings.source, "train", number)
    return dataset.take(number // settings.batch_size)


def load_target(settings, tasks, name):
    """A labeled target, in order.

    Args:
        settings: `Settings`.
        tasks: list of `Task`.
        name: Name of a dataset, or what `noisy` or `returned` made of it.

    Returns:
        A `tf.data.Dataset`.
    """
    name = without_return(name)
    dataset, scale = without_noise(name), noise_scale(name)
    images = _load(
        settings, tasks, dataset, settings.split, settings.num_target
    )
    return _with_noise(images, scale) if scale else images


def noisy(name, scale):
    """The name of a target with noise.

    Args:
        name: Name of a dataset.
        scale: float. Standard deviation of the Gaussian noise, relative to that
            of all pixels and channels of an image. With 0, the dataset is as it
            is.

    Returns:
        string.
    """
    return f"{name} + noise {scale:g}" if scale else name


def without_noise(name):
    """The name of the dataset, see `noisy`."""
    match = NOISY.fullmatch(name)
    return match[1] if match else name


def noise_scale(name):
    """The scale of the noise, see `noisy`."""
    match = NOISY.fullmatch(name)
    return float(match[2]) if match else 0.0


def returned(name):
    """The name of the source as the last one of several targets."""
    return f"{name}{RETURN}"


def is_return(name):
    """Whether `returned` made this name."""
    return name.endswith(RETURN)


def without_return(name):
    """The name of the dataset, see `returned`."""
    return name.removesuffix(RETURN)


def _with_noise(dataset, scale):
    """Adds noise that is the same in every pass, and not clipped."""
    import tensorflow as tf

    def add_noise(index, batch):
        images, *labels = batch
        images = tf.cast(images, "float32")
        noise = tf.random.stateless_normal(
            tf.shape(images), tf.stack([0, tf.cast(index, "int32")])
        )
        deviation = tf.math.reduce_std(images, axis=(1, 2, 3), keepdims=True)
        return (images + scale * deviation * noise, *labels)

    return dataset.enumerate().map(add_noise)


def load_fine_tuning(settings, tasks, name, seed):
    """Labeled images of a target, other ones than those of `load_target`.

    For a network that is trained on the target, which a method never is.
    """
    return _load(
        settings,
        tasks,
        name,
        "train",
        settings.num_target,
        training=_training(settings, name, seed),
    )


def load_validation(settings, tasks):
    """Labeled validation images of the source, as many as for tuning.

    Args:
        settings: `Settings`.
        tasks: list of `Task`.

    Returns:
        A `tf.data.Dataset`.
    """
    return _load(
        settings, tasks, settings.source, "validation", settings.num_tuning
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
