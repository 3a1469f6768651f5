"""Augmentation that moves an image, its labels and its masks together."""


def flip_horizontally(example):
    """Mirrors an example left to right; the normals' x changes its sign.

    Args:
        example: Tuple `(image, labels, masks)` of tensors without a batch
            axis, see `records.py`.

    Returns:
        A tuple of the same structure.
    """
    import keras
    import tensorflow as tf

    image, labels, masks = keras.tree.map_structure(
        lambda x: tf.reverse(x, axis=[1]), example
    )
    # A label with three channels is a vector in the camera's frame.
    labels = {
        name: label * [-1.0, 1.0, 1.0] if _is_vector(label) else label
        for name, label in labels.items()
    }
    return image, labels, masks


def random_flip(example, seed):
    """Mirrors an example with probability one half.

    Args:
        example: Tuple `(image, labels, masks)`.
        seed: int64 tensor of shape `(2,)`; the same seed, the same outcome.

    Returns:
        A tuple of the same structure.
    """
    import tensorflow as tf

    coin = tf.random.stateless_uniform((), seed=seed) < 0.5
    return tf.cond(coin, lambda: flip_horizontally(example), lambda: example)


def _is_vector(label):
    return label.shape.rank == 3 and label.shape[-1] == 3
