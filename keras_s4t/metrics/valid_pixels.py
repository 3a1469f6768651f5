from keras import ops


def valid_pixels(y_true, y_pred, sample_weight):
    """Labels, predictions and weights in float32, 0 at invalid pixels.

    Args:
        y_true: Tensor `(batch_size, height, width, channels)`, labels.
        y_pred: Tensor of the same shape, predictions.
        sample_weight: Tensor `(batch_size, height, width, 1)`, weight per
            pixel, 0 where the label is missing. `None` makes every pixel
            valid. Negative weights count as 0: they would turn an error into
            a gain.

    Returns:
        Tuple `(y_true, y_pred, weights)`.

    Raises:
        ValueError: If the shapes do not fit.
    """
    y_true = ops.cast(y_true, "float32")
    y_pred = ops.cast(y_pred, "float32")
    if sample_weight is None:
        sample_weight = ops.ones_like(y_pred[..., :1])
    weights = ops.maximum(ops.cast(sample_weight, "float32"), 0.0)
    # Wrong shapes would broadcast without an error.
    if (
        not len(y_true.shape) == len(y_pred.shape) == 4
        or y_true.shape[-1] != y_pred.shape[-1]
        or len(weights.shape) != 4
        or weights.shape[-1] != 1
    ):
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape "
            "`(batch_size, height, width, channels)` and `sample_weight` "
            "the shape `(batch_size, height, width, 1)`. Received: "
            f"y_true.shape={tuple(y_true.shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}, "
            f"sample_weight.shape={tuple(weights.shape)}"
        )
    y_true = ops.where(weights > 0, y_true, 0.0)
    y_pred = ops.where(weights > 0, y_pred, 0.0)
    return y_true, y_pred, weights


def one_channel(y_true, y_pred, sample_weight):
    """As `valid_pixels`, of labels and predictions of one channel."""
    pixels = valid_pixels(y_true, y_pred, sample_weight)
    channels = pixels[1].shape[-1]
    if channels != 1:
        raise ValueError(
            "Labels and predictions must have one channel. "
            f"Received: {channels} channels"
        )
    return pixels
