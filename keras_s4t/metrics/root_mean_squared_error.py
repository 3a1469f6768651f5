import keras
from keras import ops

from keras_s4t.metrics.pixel_mean import PixelMean

# The axes over which one fit is shared.
IMAGE = (1, 2, 3)
BATCH = (0, 1, 2, 3)


@keras.saving.register_keras_serializable("keras_s4t")
class RootMeanSquaredError(PixelMean):
    """Root of the mean squared error over valid pixels.

    The paper's RMSE of depth and edges: the root of the total squared error
    over the number of valid pixels since the last reset, not a mean of
    images' errors. `update_state` takes labels and predictions of shape
    `(batch_size, height, width, 1)` and a mask of the same shape.

    `alignment` fits the predictions to the labels over the valid pixels by
    least squares before the error is taken, which forgives a wrong unit or
    offset. The paper's numbers use `"batch_affine"`, one scale and one shift
    for all valid pixels of an evaluation batch. It is not the default
    because it makes the result depend on how images are batched and never
    exceed the labels' own deviation, which a constant prediction reaches;
    an inverted prediction scores 0.

    Args:
        alignment: str. `"none"`; `"image_scale"`, one scale per image;
            `"image_affine"`, one scale and shift per image;
            `"batch_affine"`, one scale and shift per call of
            `update_state`. A constant prediction is fitted by the mean
            label.
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
    """`scale * y_pred` nearest to `y_true`."""
    product = ops.sum(weights * y_pred * y_true, axis=axes, keepdims=True)
    square = ops.sum(weights * y_pred * y_pred, axis=axes, keepdims=True)
    return y_pred * ops.divide_no_nan(product, square)


def _fitted(y_true, y_pred, weights, axes):
    """`scale * y_pred + shift` nearest to `y_true`.

    Around the means rather than from raw moments, whose difference loses
    most of its digits in float32.
    """
    count = ops.sum(weights, axis=axes, keepdims=True)
    total_true = ops.sum(weights * y_true, axis=axes, keepdims=True)
    total_pred = ops.sum(weights * y_pred, axis=axes, keepdims=True)
    mean_true = ops.divide_no_nan(total_true, count)
    mean_pred = ops.divide_no_nan(total_pred, count)
    deviation = _scaled(y_true - mean_true, y_pred - mean_pred, weights, axes)
    return deviation + mean_true


def _image_scale(y_true, y_pred, weights):
    return _scaled(y_true, y_pred, weights, IMAGE)


def _image_affine(y_true, y_pred, weights):
    return _fitted(y_true, y_pred, weights, IMAGE)


def _batch_affine(y_true, y_pred, weights):
    return _fitted(y_true, y_pred, weights, BATCH)


ALIGNMENTS = {
    "none": _unchanged,
    "image_scale": _image_scale,
    "image_affine": _image_affine,
    "batch_affine": _batch_affine,
}
