"""Supervised losses of dense tasks, averaged over the valid pixels.

Every function returns a float32 scalar, computed in float32 whatever the
dtype of the prediction. `mask` is a tensor of shape
`(batch_size, height, width, 1)` with one non-negative weight per pixel, 0
where the label is missing; `None` makes every pixel valid. Labels and
predictions of invalid pixels have no influence on value and gradient, not even
NaN. Without any valid pixel, value and gradient are exactly 0.
"""

from keras import ops

from keras_s4t.checks import same_shape
from keras_s4t.losses.masked_mean import masked_mean
from keras_s4t.losses.masked_mean import pixel_weights
from keras_s4t.losses.masked_mean import zero_invalid
from keras_s4t.vectors import MIN_NORM
from keras_s4t.vectors import absolute
from keras_s4t.vectors import norm
from keras_s4t.vectors import shortened

# Swaps width and channels: one vector per row of pixels and channel.
ROWS_LAST = (0, 1, 3, 2)


def softmax_cross_entropy(y_true, y_pred, mask=None, ignore_class=255):
    """Cross-entropy of class predictions.

    Args:
        y_true: Integer tensor of shape `(batch_size, height, width)`, class
            ids. Pixels of `ignore_class` and ids outside
            `[0, num_classes)` are invalid.
        y_pred: Tensor of shape `(batch_size, height, width, num_classes)`,
            logits.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights.
        ignore_class: int or `None`. The id of unlabeled pixels.

    Returns:
        Float32 scalar, in nats per valid pixel.

    Raises:
        ValueError: If the shapes do not fit.
    """
    _check_shapes(y_true, y_pred, tuple(y_pred.shape)[:-1])
    # In uint8, more than 256 classes or a negative `ignore_class` overflow.
    y_true = ops.cast(y_true, "int32")
    labeled = ops.logical_and(y_true >= 0, y_true < y_pred.shape[-1])
    if ignore_class is not None:
        labeled = ops.logical_and(labeled, y_true != ignore_class)
    labeled_weights = ops.cast(labeled, "float32")[..., None]
    weights = pixel_weights(mask, y_pred)
    if weights is None:
        weights = labeled_weights
    else:
        weights = weights * labeled_weights
    # An id without a logit is an error in torch and NaN elsewhere.
    y_true = ops.where(labeled, y_true, 0)
    y_pred = zero_invalid(ops.cast(y_pred, "float32"), weights)
    values = ops.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True
    )
    return masked_mean(values, weights)


def absolute_error(y_true, y_pred, mask=None):
    """L1 distance, summed over channels.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`.
        y_pred: Tensor of the shape of `y_true`.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights.

    Returns:
        Float32 scalar, in the unit of the labels.
    """
    y_true, y_pred, weights = _valid_pixels(y_true, y_pred, mask)
    return masked_mean(absolute(y_pred - y_true), weights)


def squared_error(y_true, y_pred, mask=None):
    """Squared L2 distance, summed over channels.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`.
        y_pred: Tensor of the shape of `y_true`.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights.

    Returns:
        Float32 scalar, in the squared unit of the labels.
    """
    y_true, y_pred, weights = _valid_pixels(y_true, y_pred, mask)
    return masked_mean(ops.square(y_pred - y_true), weights)


def cosine_distance(y_true, y_pred, mask=None):
    """One minus the cosine between vectors along the channel axis.

    The loss of surface normals on Taskonomy, with 1e-6 added to each norm.
    The authors' release takes the cosine along the image width instead. The
    gradient of a cosine grows as `1 / norm`: predictions shorter than 0.01 are
    divided by 0.01 instead of their norm.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`.
        y_pred: Tensor of the shape of `y_true`, of any length per pixel. A
            zero vector has distance 1.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights.

    Returns:
        Float32 scalar in `[0, 2]`.
    """
    y_true, y_pred, weights = _valid_pixels(y_true, y_pred, mask)
    product = ops.sum(y_true * y_pred, axis=-1, keepdims=True)
    predicted_norm = ops.maximum(norm(y_pred) + 1e-6, MIN_NORM)
    cosine = product / ((norm(y_true) + 1e-6) * predicted_norm)
    return masked_mean(1.0 - cosine, weights)


def row_cosine_distance(y_true, y_pred, mask=None):
    """One minus the cosine between rows of pixels, per channel.

    The loss of surface normals on Taskonomy in the authors' release, which
    takes the cosine along the image width instead of the channels. It is meant
    for reproducing the release; otherwise, use `cosine_distance`.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`.
        y_pred: Tensor of the shape of `y_true`.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights. Pixels of weight 0 are left out of their row. The weight
            of a row is the largest of its pixels. The release has no mask.

    Returns:
        Float32 scalar in `[0, 2]`.
    """
    weights = pixel_weights(mask, y_pred)
    y_true, y_pred = (
        ops.transpose(zero_invalid(ops.cast(y, "float32"), weights), ROWS_LAST)
        for y in (y_true, y_pred)
    )
    if weights is not None:
        weights = ops.max(weights, axis=2, keepdims=True)
        weights = ops.repeat(weights, y_pred.shape[2], axis=2)
    return cosine_distance(y_true, y_pred, weights)


def unit_absolute_error(y_true, y_pred, mask=None):
    """L1 distance to predictions of unit length, summed over channels.

    The loss of surface normals on NYUD and PASCAL-Context.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`, unit
            vectors; they are not normalized again.
        y_pred: Tensor of the shape of `y_true`, of any length per pixel;
            divided by its norm, or by 0.01 if that is larger, which bounds
            the gradient.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights.

    Returns:
        Float32 scalar.
    """
    y_true, y_pred, weights = _valid_pixels(y_true, y_pred, mask)
    return masked_mean(absolute(shortened(y_pred) - y_true), weights)


def balanced_binary_cross_entropy(
    y_true, y_pred, mask=None, positive_weight=0.95
):
    """Binary cross-entropy with a fixed weight for the rare positives.

    The loss of edges on NYUD and PASCAL-Context.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`, in
            `[0, 1]`.
        y_pred: Tensor of the shape of `y_true`, logits.
        mask: Tensor of shape `(batch_size, height, width, 1)`, pixel
            weights.
        positive_weight: float in `[0, 1]`. Weight of positive pixels;
            negative ones have `1 - positive_weight`.

    Returns:
        Float32 scalar, in nats per valid pixel.

    Raises:
        ValueError: If `positive_weight` is not in `[0, 1]`.
    """
    if not 0 <= positive_weight <= 1:
        raise ValueError(
            "`positive_weight` must be in [0, 1]. "
            f"Received: positive_weight={positive_weight}"
        )
    y_true, y_pred, weights = _valid_pixels(y_true, y_pred, mask)
    positive = positive_weight * y_true * ops.softplus(-y_pred)
    negative = (1 - positive_weight) * (1 - y_true) * ops.softplus(y_pred)
    return masked_mean(positive + negative, weights)


def _check_shapes(y_true, y_pred, expected):
    if len(y_pred.shape) != 4 or not same_shape(expected, y_true.shape):
        raise ValueError(
            "`y_pred` must have shape `(batch_size, height, width, channels)`"
            f" and `y_true` the shape {tuple(expected)}. "
            f"Received: y_pred.shape={tuple(y_pred.shape)}, "
            f"y_true.shape={tuple(y_true.shape)}"
        )


def _valid_pixels(y_true, y_pred, mask):
    """Float32 labels and predictions, 0 where invalid, and pixel weights."""
    _check_shapes(y_true, y_pred, y_pred.shape)
    weights = pixel_weights(mask, y_pred)
    y_true = zero_invalid(ops.cast(y_true, "float32"), weights)
    y_pred = zero_invalid(ops.cast(y_pred, "float32"), weights)
    return y_true, y_pred, weights
