import math

import keras
from keras import ops

from keras_s4t.metrics.pixel_mean import PixelMean
from keras_s4t.vectors import norm
from keras_s4t.vectors import unit


@keras.saving.register_keras_serializable("keras_s4t")
class MeanAngularError(PixelMean):
    """Mean angle between vectors, in degrees.

    The mErr of surface normals in the paper, averaged over all valid pixels
    since the last reset. The angle is `2 * atan2(|p - g|, |p + g|)`, which,
    unlike the inverse cosine, is exact near 0 and 180 degrees: the inverse
    cosine in float32 finds 0.03 degrees between equal vectors, or NaN.

    `update_state` takes labels and predictions of shape
    `(batch_size, height, width, 3)`, which are normalized, and a mask of shape
    `(batch_size, height, width, 1)`. A zero vector is at 90 degrees to every
    vector, a zero vector included: no direction is never a correct one.

    Args:
        name: str. Name of the metric in logs.

    Example:
    ```python
    metric = MeanAngularError()
    metric.update_state([[[[0.0, 0.0, 1.0]]]], [[[[0.0, 2.0, 0.0]]]])
    metric.result()  # 90.0
    ```
    """

    def __init__(self, name="merr"):
        super().__init__(name=name)

    def pixel_values(self, y_true, y_pred, weights):
        """Angles, in degrees."""
        del weights
        return angles(y_true, y_pred)


def angles(y_true, y_pred):
    """Angles between vectors along the last axis, in degrees.

    Args:
        y_true: Float32 tensor of shape `(..., 3)`, of any lengths.
        y_pred: Float32 tensor of the same shape.

    Returns:
        Float32 tensor of shape `(..., 1)` in [0, 180].
    """
    y_true, y_pred = unit(y_true, 0.0), unit(y_pred, 0.0)
    sines, cosines = norm(y_pred - y_true), norm(y_pred + y_true)
    angle = ops.where(
        ops.logical_and(sines == 0, cosines == 0),
        math.pi / 2,
        2 * ops.arctan2(sines, cosines),
    )
    return angle * (180 / math.pi)
