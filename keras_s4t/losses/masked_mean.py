"""Means over valid pixels."""

from keras import ops

from keras_s4t.backend import is_shared
from keras_s4t.backend import sum_over_batch
from keras_s4t.checks import same_shape


def masked_mean(values, mask=None):
    """Weighted mean over pixels of the sum over channels.

    In a step that replicas share, over the pixels of the whole batch.

    Args:
        values: Tensor of shape `(batch_size, height, width, channels)`, or
            `(batch_size, height, width)` for one value per pixel. Channels
            are summed, not averaged.
        mask: Tensor of shape `(batch_size, height, width, 1)`, non-negative
            pixel weights. `None` gives every pixel weight 1.

    Returns:
        Float32 scalar, `sum(mask * values) / sum(mask)`; 0 with gradient 0 if
        no pixel is valid.

    Raises:
        ValueError: If `values` or `mask` has another shape.
    """
    values = ops.cast(values, "float32")
    if len(values.shape) == 3:
        values = ops.expand_dims(values, axis=-1)
    if len(values.shape) != 4:
        raise ValueError(
            "`values` must have shape `(batch_size, height, width[, "
            f"channels])`. Received: values.shape={tuple(values.shape)}"
        )
    if mask is None and is_shared():
        # Shares may have different sizes.
        mask = ops.ones_like(values[..., :1])
    if mask is None:
        return values.shape[-1] * ops.mean(values)
    weights = pixel_weights(mask, values)
    values = ops.sum(zero_invalid(values, weights), axis=-1, keepdims=True)
    summed, total = sum_over_batch(ops.sum(values * weights), ops.sum(weights))
    # The branch not taken must not divide by 0 either: its gradient is NaN.
    return summed / ops.where(total > 0, total, 1.0)


def pixel_weights(mask, values):
    """The mask in float32 after a check of its shape, or `None` without one.

    It must have one weight per pixel of `values`, which have channels.
    """
    if mask is None:
        return None
    if not same_shape((*values.shape[:3], 1), mask.shape):
        raise ValueError(
            "`mask` must have shape `(batch_size, height, width, 1)`, with "
            "the size of the values. Received: "
            f"mask.shape={tuple(mask.shape)}, "
            f"values.shape={tuple(values.shape)}"
        )
    return ops.cast(mask, "float32")


def zero_invalid(values, weights):
    """Replaces values at pixels of weight 0 by 0, NaN included."""
    if weights is None:
        return values
    return ops.where(weights > 0, values, 0.0)
