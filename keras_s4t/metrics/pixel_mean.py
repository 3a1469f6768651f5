import math

import keras
from keras import ops

from keras_s4t.metrics.counted_cells import ratio_or_nan
from keras_s4t.metrics.valid_pixels import valid_pixels


class PixelMean(keras.Metric):
    """Base class of means over all valid pixels since the last reset.

    Sums are float32 whatever the dtype of the prediction. The result is
    NaN before any valid pixel, and once the prediction of a valid pixel was
    NaN. Subclasses implement `pixel_values`.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name=None):
        super().__init__(dtype="float32", name=name)
        # Variables have Keras's floatx by default, not the metric's dtype.
        self.total = self.add_variable((), "zeros", "float32", name="total")
        self.count = self.add_variable((), "zeros", "float32", name="count")

    def pixel_values(self, y_true, y_pred, weights):
        """The value of every pixel.

        Args:
            y_true: Float32 tensor `(batch_size, height, width, channels)`, 0
                at invalid pixels.
            y_pred: Float32 tensor of the same shape, 0 at invalid pixels.
            weights: Float32 tensor `(batch_size, height, width, 1)`, 0 at
                invalid pixels.

        Returns:
            Float32 tensor of the shape of `weights`.
        """
        raise NotImplementedError

    def is_defined(self, y_true):
        """Where labels have a value of the metric; other pixels do not count.

        Args:
            y_true: As `pixel_values` takes it.

        Returns:
            Bool tensor `(batch_size, height, width, 1)`, or `None` if every
            label has one.
        """
        del y_true

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Tensor `(batch_size, height, width, channels)`, labels.
            y_pred: Tensor of the same shape, predictions.
            sample_weight: Tensor `(batch_size, height, width, 1)`, weight
                per pixel, 0 where the label is missing. `None` makes every
                pixel valid.

        Raises:
            ValueError: If the shapes do not fit.
        """
        y_true, y_pred, weights = valid_pixels(y_true, y_pred, sample_weight)
        defined = self.is_defined(y_true)
        if defined is not None:
            y_true = ops.where(defined, y_true, 0.0)
            y_pred = ops.where(defined, y_pred, 0.0)
            weights = ops.where(defined, weights, 0.0)
        values = self.pixel_values(y_true, y_pred, weights)
        total = ops.sum(weights * values)
        # A compiled sum may lose NaN on JAX.
        is_lost = ops.any(ops.isnan(y_pred))
        self.total.assign_add(ops.where(is_lost, math.nan, total))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        """The mean so far, a float32 scalar."""
        return ratio_or_nan(self.total, self.count)

    def get_config(self):
        """The arguments of the constructor."""
        return {"name": self.name}
