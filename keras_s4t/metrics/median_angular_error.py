import math

import keras
from keras import ops

from keras_s4t.metrics.counted_cells import CountedCells
from keras_s4t.metrics.mean_angular_error import angles
from keras_s4t.metrics.valid_pixels import valid_pixels

BINS_PER_DEGREE = 100
NUM_BINS = 180 * BINS_PER_DEGREE


@keras.saving.register_keras_serializable("keras_s4t")
class MedianAngularError(CountedCells):
    """Median angle between vectors, in degrees.

    The weighted median over all valid pixels since the last reset, from a
    histogram of 18000 bins of 0.01 degrees each: the result differs from the
    exact median by up to 0.005 degrees. As in NumPy, it is the mean of the two
    middle values if two are. It is NaN before any valid pixel, and once the
    prediction of a valid pixel was NaN. Angles are those of `MeanAngularError`;
    a zero vector is at 90 degrees to every vector.

    Args:
        name: str. Name of the metric in logs.

    Example:
    ```python
    metric = MedianAngularError()
    metric.update_state([[[[0.0, 0.0, 1.0]]]], [[[[0.0, 2.0, 0.0]]]])
    metric.result()  # 90, to 0.005
    ```
    """

    def __init__(self, name="median"):
        super().__init__(NUM_BINS, name)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Tensor `(batch_size, height, width, 3)`, labels.
            y_pred: Tensor of the same shape, predictions.
            sample_weight: Tensor `(batch_size, height, width, 1)`, weight
                per pixel, 0 where the label is missing. `None` makes every
                pixel valid.

        Raises:
            ValueError: If the shapes do not fit.
        """
        y_true, y_pred, weights = valid_pixels(y_true, y_pred, sample_weight)
        angle = angles(y_true, y_pred)
        is_number = ops.logical_not(ops.isnan(angle))
        counts = ops.logical_and(is_number, weights > 0)
        bins = ops.cast(
            ops.where(counts, BINS_PER_DEGREE * angle, -1.0), "int32"
        )
        # 180 degrees belong to the last bin.
        bins = ops.minimum(bins, NUM_BINS - 1)
        self.add_cells(bins, weights, ops.any(ops.isnan(y_pred)))

    def result(self):
        """The median so far, a float32 scalar."""
        sums = ops.cumsum(self.cell_weights)
        half = sums[-1] / 2
        # Bins below the lower and the upper middle value.
        lower = ops.sum(ops.cast(sums < half, "float32"))
        upper = ops.sum(ops.cast(sums <= half, "float32"))
        median = ((lower + upper) / 2 + 0.5) / BINS_PER_DEGREE
        is_undefined = ops.logical_or(self.is_lost, half == 0)
        return ops.where(is_undefined, math.nan, median)
