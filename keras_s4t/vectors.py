"""Lengths and directions of vectors, whatever their scale.

The square of a float32 below 1e-22 loses its digits, and that of one above
1e19 is infinite: vectors are divided by their largest component first. No
gradient passes that scale, since it cancels.
"""

from keras import ops

# Predicted directions that are shorter count as undecided, see `shortened`.
MIN_NORM = 1e-2


def absolute(values):
    """Absolute values, with gradient 0 at 0 on every backend.

    The gradient of `ops.abs` at 0 is 1 on JAX and 0 elsewhere, so that a loss
    of equal tensors would push on JAX alone.

    Args:
        values: Float tensor of any shape.

    Returns:
        A tensor of the same shape.
    """
    return ops.where(values == 0, 0.0, ops.abs(values))


def norm(vectors):
    """Euclidean length along the last axis.

    Args:
        vectors: Float32 tensor of shape `(..., channels)`.

    Returns:
        Float32 tensor of shape `(..., 1)`. The gradient of a zero vector is 0
        on every backend; `ops.norm` has NaN there.
    """
    _, scale, length = _scaled(vectors)
    return scale * length


def unit(vectors, min_norm=1e-12):
    """Vectors of length 1 along the last axis, in the same directions.

    Args:
        vectors: Float32 tensor of shape `(..., channels)`.
        min_norm: Non-negative float. A vector of this length or shorter has no
            direction: the result is 0 and its gradient is 0. Without this
            limit, gradients of short vectors would be as large as `1 / norm`.

    Returns:
        Float32 tensor of the shape of `vectors`.
    """
    scaled, scale, length = _scaled(vectors)
    # NaN is not short: it must stay visible.
    is_short = scale * length <= min_norm
    # The branch that is not taken must have a finite gradient, too.
    scaled = ops.where(is_short, 0.0, scaled)
    return scaled / ops.where(is_short, 1.0, length)


def shortened(vectors, min_norm=MIN_NORM):
    """Vectors of length 1 at most, in the same directions.

    The gradient of the direction of a vector grows as `1 / norm`, without
    bound at zero, where it is undefined. Vectors shorter than `min_norm` are
    divided by `min_norm` instead of their norm: no jump, and a gradient of
    `1 / min_norm` at most that still turns a zero vector.

    Args:
        vectors: Float32 tensor of shape `(..., channels)`.
        min_norm: Positive float.

    Returns:
        Float32 tensor of the shape of `vectors`, of length 1 for vectors that
        are not shorter than `min_norm`.
    """
    scaled, scale, length = _scaled(vectors)
    # NaN is not short: it must stay visible.
    is_short = scale * length < min_norm
    # The branch that is not taken must have a finite gradient, too.
    long = ops.where(is_short, 0.0, scaled) / ops.where(is_short, 1.0, length)
    return ops.where(is_short, vectors / min_norm, long)


def _scaled(vectors):
    """Vectors over their largest component, that component, their length.

    The component is 0, and the length 1, for a zero vector.
    """
    largest = ops.max(ops.abs(vectors), axis=-1, keepdims=True)
    scale = ops.stop_gradient(largest)
    is_zero = scale == 0
    scaled = vectors / ops.where(is_zero, 1.0, scale)
    squared = ops.sum(ops.square(scaled), axis=-1, keepdims=True)
    return scaled, scale, ops.sqrt(ops.where(is_zero, 1.0, squared))
