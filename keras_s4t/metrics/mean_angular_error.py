import math

import keras
from keras import ops

from keras_s4t.metrics.pixel_mean import PixelMean


@keras.saving.register_keras_serializable("keras_s4t")
class MeanAngularError(PixelMean):
    """Mean angle between vectors, in degrees.

    The paper's mErr of surface normals, averaged over all valid pixels since
    the last reset. The angle is `2 * atan2(|p - g|, |p + g|)`, which, unlike
    the inverse cosine, stays exact near 0 and 180 degrees.

    `update_state` takes labels and predictions of shape
    `(batch_size, height, width, 3)`, of any length, since both are
    normalised, and a mask of shape `(batch_size, height, width, 1)`. A zero
    vector is at 90 degrees to any other.

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
        y_true, y_pred = _unit(y_true), _unit(y_pred)
        angle = 2 * ops.arctan2(_norm(y_pred - y_true), _norm(y_pred + y_true))
        return angle * (180 / math.pi)


def _norm(vectors):
    return ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True))


def _unit(vectors):
    # Scaled first: the square of a small float32 is 0, of a large one inf.
    largest = ops.max(ops.abs(vectors), axis=-1, keepdims=True)
    vectors = ops.divide_no_nan(vectors, largest)
    return ops.divide_no_nan(vectors, _norm(vectors))
