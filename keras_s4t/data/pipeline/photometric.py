"""Random changes of an image's colors."""

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
