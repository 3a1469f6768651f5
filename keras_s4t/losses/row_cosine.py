from keras import ops

from keras_s4t.losses.dense import cosine_distance
from keras_s4t.losses.masked_mean import pixel_weights
from keras_s4t.losses.masked_mean import zero_invalid

# Every channel of a row of pixels becomes one vector.
ROWS_LAST = (0, 1, 3, 2)


def row_cosine_distance(y_true, y_pred, mask=None):
    """One minus the cosine between rows of pixels, per channel.

    What the authors' release minimizes for surface normals on Taskonomy: its
    cosine runs along the image width instead of the channels. To reproduce its
    source training; a model of normals needs `cosine_distance`.

    Args:
        y_true: Tensor of shape `(batch_size, height, width, channels)`.
        y_pred: Tensor of the shape of `y_true`.
        mask: Tensor of shape `(batch_size, height, width, 1)`. Pixels of
            weight 0 are left out of their rows, and rows of such pixels do not
            count; rows have the largest weight in them. The release has no
            mask.

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
