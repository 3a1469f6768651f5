"""Augmentation that moves an image, its labels and its masks together.

Functions take an example, a tuple `(image, labels, masks)` as in `records.py`,
and return one. All randomness comes from a seed per example. So the number of
threads and an interruption change no batch.
"""

import dataclasses

from keras_s4t.data.pipeline.photometric import LIMITS
from keras_s4t.data.pipeline.photometric import corrupt_some
from keras_s4t.data.pipeline.photometric import jitter_colors
from keras_s4t.data.pipeline.resizing import resize_example


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Augmentation of the images that a network is trained on.

    Args:
        flip: bool. Whether half of the images are mirrored left to right,
            which negates x of their normals.
        zoom: Pair of positive floats, the range of a random factor of the
            size. What then exceeds the canvas is cropped at random, and depth
            is divided by the factor: the scene looks that much nearer.
        brightness: float in [0, 1]. Most that is added to or taken from all
            colors, in parts of their range.
        contrast: float in [0, 1]. Most by which the contrast's factor differs
            from 1.
        saturation: float in [0, 1]. As `contrast`.
        hue: float in [0, 0.5]. Most by which hues turn, in turns.
        corruption: float in [0, 1]. Share of the images, RGB, that are
            corrupted afterwards: by one of `keras_s4t.data.CORRUPTIONS` and at
            a severity that are drawn at random.

    Raises:
        ValueError: If a number is out of its range.

    Example:

    ```python
    augmentation = keras_s4t.data.Augmentation(zoom=(0.5, 2.0))
    training = keras_s4t.data.Training(augmentation=augmentation)
    ```
    """

    flip: bool = True
    zoom: tuple = (1.0, 1.0)
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    # Results from before it came have keys without it.
    corruption: float = dataclasses.field(
        default=0.0, metadata={"in_keys": "unless default"}
    )

    def __post_init__(self):
        object.__setattr__(self, "zoom", tuple(self.zoom))
        if len(self.zoom) != 2 or not 0 < self.zoom[0] <= self.zoom[1]:
            raise ValueError(
                "`zoom` must be a pair of positive floats in ascending order. "
                f"Received: zoom={self.zoom}"
            )
        for name, limit in {**LIMITS, "corruption": 1.0}.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise ValueError(
                    f"`{name}` must be between 0 and {limit}. "
                    f"Received: {name}={value}"
                )


def augment(example, kinds, seed, augmentation, size=None):
    """Augments an example.

    Args:
        example: Tuple `(image, labels, masks)`, see `records.py`.
        kinds: dict from task name to a `Label`.
        seed: int64 tensor of shape `(2,)`; the same seed, the same outcome.
        augmentation: `Augmentation`.
        size: Pair of ints, `(height, width)` of the canvas that a zoomed
            example is cropped to. That of the example if `None`.

    Returns:
        A tuple of the same structure, not larger than the canvas.
    """
    import keras
    import tensorflow as tf

    # Independent draws.
    seeds = tf.unstack(tf.random.split(seed, 3))
    image, labels, masks = example
    image = jitter_colors(image, seeds[0], augmentation)
    image = corrupt_some(image, seeds[0], augmentation.corruption)
    example = image, labels, masks
    if augmentation.zoom != (1.0, 1.0):
        canvas = tf.shape(image)[:2] if size is None else tf.constant(size)
        factor = tf.random.stateless_uniform((), seeds[1], *augmentation.zoom)
        # The crop comes first, since resizing takes most of the time.
        window = tf.cast(canvas, tf.float32) / factor
        window = tf.cast(tf.math.ceil(window), tf.int32)
        example = zoom(crop(example, seeds[2], window), kinds, factor)
        example = keras.tree.map_structure(
            lambda x: x[: canvas[0], : canvas[1]], example
        )
    if augmentation.flip:
        example = random_flip(example, kinds, seed)
    return example


def zoom(example, kinds, factor):
    """Enlarges an example as if the camera had a longer lens.

    Distances are divided by the factor, a float tensor.
    """
    import tensorflow as tf

    shape = tf.cast(tf.shape(example[0])[:2], tf.float32)
    size = tf.maximum(tf.cast(tf.round(factor * shape), tf.int32), 1)
    image, labels, masks = resize_example(example, kinds, size)
    labels = {
        name: kinds[name].zoom(label, factor) for name, label in labels.items()
    }
    return image, labels, masks


def crop(example, seed, size):
    """Cuts a random part out of an example, of `size` pixels at most."""
    import keras
    import tensorflow as tf

    surplus = tf.maximum(tf.shape(example[0])[:2] - size, 0)
    draws = tf.random.stateless_uniform((2,), seed)
    offsets = tf.cast(draws * tf.cast(surplus + 1, tf.float32), tf.int32)
    top, left = tf.unstack(tf.minimum(offsets, surplus))
    return keras.tree.map_structure(
        lambda x: x[top : top + size[0], left : left + size[1]], example
    )


def flip_horizontally(example, kinds):
    """Mirrors an example left to right; directions change the sign of x."""
    import keras
    import tensorflow as tf

    image, labels, masks = keras.tree.map_structure(
        lambda x: tf.reverse(x, axis=[1]), example
    )
    labels = {name: kinds[name].flip(label) for name, label in labels.items()}
    return image, labels, masks


def random_flip(example, kinds, seed):
    """Mirrors an example with probability one half."""
    import tensorflow as tf

    coin = tf.random.stateless_uniform((), seed=seed) < 0.5
    return tf.cond(
        coin, lambda: flip_horizontally(example, kinds), lambda: example
    )
