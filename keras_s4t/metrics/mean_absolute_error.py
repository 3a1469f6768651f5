import keras
from keras import ops

from keras_s4t.metrics.pixel_mean import PixelMean


@keras.saving.register_keras_serializable("keras_s4t")
class MeanAbsoluteError(PixelMean):
    """Mean absolute error over valid pixels.

    Errors of channels are summed, as in `keras_s4t.losses.absolute_error`. For
    one channel it is `MeanAbsoluteError` of torchmetrics and
    `mean_absolute_error` of scikit-learn.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name="mae"):
        super().__init__(name=name)

    def pixel_values(self, y_true, y_pred, weights):
        """Absolute errors, in the unit of the labels."""
        del weights
        return ops.sum(ops.abs(y_pred - y_true), axis=-1, keepdims=True)
