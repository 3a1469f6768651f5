import functools

import keras
from keras import ops

from keras_s4t.metrics.pixel_mean import PixelMean

# Axes of one least-squares fit.
IMAGE = (1, 2, 3)
BATCH = (0, 1, 2, 3)


@keras.saving.register_keras_serializable("keras_s4t")
class RootMeanSquaredError(PixelMean):
    """Root of the mean squared error over valid pixels.

    The RMSE of depth and edges in the paper: the root of the mean over all
    valid pixels since the last reset, not a mean of the errors of images.
    Without alignment it is `MeanSquaredError(squared=False)` of torchmetrics.
    `update_state` takes labels and predictions of shape
    `(batch_size, height, width, 1)` and a mask of the same shape.

    `alignment` fits predictions to labels by least squares over the valid
    pixels before the error is computed. The error is then invariant to the
    unit of the predictions and, with a shift, to their offset. The paper uses
    `"batch_affine"`. It is not the default for three reasons: the result
    depends on the batch size, it never exceeds the standard deviation of the
    labels, and an inverted prediction (`-y_true`) has error 0.

    Args:
        alignment: str. `"none"`; `"image_scale"`, one scale per image;
            `"image_affine"`, one scale and one shift per image;
            `"batch_affine"`, one scale and one shift per call of
            `update_state`. With a shift, a constant prediction becomes the
            mean label.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `alignment` is unknown.
    """

    def __init__(self, alignment="none", name="rmse"):
        if alignment not in ALIGNMENTS:
            raise ValueError(
                f"`alignment` must be one of {tuple(ALIGNMENTS)}. "
                f"Received: alignment={alignment!r}"
            )
        super().__init__(name=name)
        self.alignment = alignment

    def pixel_values(self, y_true, y_pred, weights):
        """Squared errors after the alignment."""
        y_pred = ALIGNMENTS[self.alignment](y_true, y_pred, weights)
        errors = ops.square(y_pred - y_true)
        return ops.sum(errors, axis=-1, keepdims=True)

    def result(self):
        """The error so far, in the unit of the labels, a float32 scalar."""
        return ops.sqrt(super().result())

    def get_config(self):
        """The arguments of the constructor."""
        return {**super().get_config(), "alignment": self.alignment}


def _unchanged(y_true, y_pred, weights):
    del y_true, weights
    return y_pred


def _scaled(y_true, y_pred, weights, axes):
    """`scale * y_pred` with the least squared error."""
    product = ops.sum(weights * y_pred * y_true, axis=axes, keepdims=True)
    square = ops.sum(weights * y_pred * y_pred, axis=axes, keepdims=True)
    return y_pred * ops.divide_no_nan(product, square)


def _fitted(y_true, y_pred, weights, axes):
    """`scale * y_pred + shift` with the least squared error.

    Means are subtracted first: the difference of raw moments loses most of
    its digits in float32.
    """
    count = ops.sum(weights, axis=axes, keepdims=True)
    total_true = ops.sum(weights * y_true, axis=axes, keepdims=True)
    total_pred = ops.sum(weights * y_pred, axis=axes, keepdims=True)
    mean_true = ops.divide_no_nan(total_true, count)
    mean_pred = ops.divide_no_nan(total_pred, count)
    deviation = _scaled(y_true - mean_true, y_pred - mean_pred, weights, axes)
    return deviation + mean_true


ALIGNMENTS = {
    "none": _unchanged,
    "image_scale": functools.partial(_scaled, axes=IMAGE),
    "image_affine": functools.partial(_fitted, axes=IMAGE),
    "batch_affine": functools.partial(_fitted, axes=BATCH),
}
