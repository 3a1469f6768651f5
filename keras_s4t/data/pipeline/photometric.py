"""Random changes of an image's colors and quality."""

import numpy as np

from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.data.corruptions import STRENGTHS
from keras_s4t.data.corruptions import corrupt

#: The largest strength of each change.
LIMITS = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}


def jitter_colors(image, seed, strengths):
    """Changes brightness, contrast, saturation and hue at random.

    By `tf.image`, whose draws depend on the given seed only. The random layers
    of Keras carry a state from example to example.

    Args:
        image: float32 tensor of shape `(height, width, 3)` in 0 ... 255.
        seed: int64 tensor of shape `(2,)`; the same seed, the same outcome.
        strengths: Object with the attributes of `LIMITS`, see `Augmentation`.

    Returns:
        A tensor as `image`.
    """
    import tensorflow as tf

    def scaled(change):
        return lambda image, strength, seed: change(
            image, 1 - strength, 1 + strength, seed
        )

    changes = {
        "brightness": tf.image.stateless_random_brightness,
        "contrast": scaled(tf.image.stateless_random_contrast),
        "saturation": scaled(tf.image.stateless_random_saturation),
        "hue": tf.image.stateless_random_hue,
    }
    if not any(getattr(strengths, name) for name in LIMITS):
        return image
    image = image / 255.0
    seeds = tf.unstack(tf.random.split(seed, len(changes)))
    for (name, change), own_seed in zip(changes.items(), seeds, strict=True):
        strength = getattr(strengths, name)
        if strength:
            image = tf.clip_by_value(change(image, strength, own_seed), 0, 1)
    return 255.0 * image


def corrupt_some(image, seed, share):
    """Corrupts an image with a probability of `share`.

    The corruption and its severity are drawn uniformly.

    Args:
        image: As that of `jitter_colors`.
        seed: int64 tensor of shape `(2,)`; the same seed, the same outcome.
        share: float in [0, 1].

    Returns:
        A tensor as `image`.
    """
    if not share:
        return image
    import tensorflow as tf

    # The colors of `image` may have been drawn with `seed` itself.
    seeds = tf.unstack(tf.random.split(tf.random.fold_in(seed, 1), 2))

    def corrupted():
        values = tf.numpy_function(
            corrupt_at_random, [image, seeds[1]], tf.float32, stateful=False
        )
        return tf.ensure_shape(values, image.shape)

    is_corrupted = tf.random.stateless_uniform((), seeds[0]) < share
    return tf.cond(is_corrupted, corrupted, lambda: image)


def corrupt_at_random(image, seed):
    """Corrupts an image by one of `CORRUPTIONS`.

    Args:
        image: Array of shape `(height, width, 3)` in 0 ... 255.
        seed: int array; decides the corruption, its severity and its noise.

    Returns:
        float32 array as `image`.
    """
    # A generator takes no negative seeds.
    rng = np.random.default_rng(np.asarray(seed, "int64").view("uint64"))
    name = rng.choice(list(CORRUPTIONS))
    severity = int(rng.integers(len(STRENGTHS[name]))) + 1
    return corrupt(image, name, severity, seed=int(rng.integers(2**31)))
