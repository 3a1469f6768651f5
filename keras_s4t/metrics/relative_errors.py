"""Errors relative to positive labels, such as depth in meters."""

import math

import keras
from keras import ops

from keras_s4t.metrics.pixel_mean import PixelMean


class PositivePixelMean(PixelMean):
    """Base class of means over the pixels whose label is positive and finite.

    Relative errors and logarithms are undefined elsewhere; such pixels do not
    count, whatever the mask says. Labels and predictions have one channel or
    several, of which all must be positive; errors of channels are summed.
    """

    def is_defined(self, y_true):
        """Where labels are positive and finite."""
        good = ops.logical_and(y_true > 0, y_true < math.inf)
        return ops.all(good, axis=-1, keepdims=True)


@keras.saving.register_keras_serializable("keras_s4t")
class AbsoluteRelativeError(PositivePixelMean):
    """Mean of `|prediction - label| / label`, "AbsRel".

    The mean over all valid pixels since the last reset whose label is positive
    and finite: `mean_absolute_percentage_error` of scikit-learn and
    `MeanAbsolutePercentageError` of torchmetrics. Any prediction has a value.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name="abs_rel"):
        super().__init__(name=name)

    def pixel_values(self, y_true, y_pred, weights):
        """Relative errors."""
        del weights
        errors = ops.abs(y_pred - y_true) / _divisor(y_true)
        return ops.sum(errors, axis=-1, keepdims=True)


@keras.saving.register_keras_serializable("keras_s4t")
class SquaredRelativeError(PositivePixelMean):
    """Mean of `(prediction - label)^2 / label`, "SqRel".

    In the unit of the labels, over all valid pixels since the last reset whose
    label is positive and finite. Any prediction has a value.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name="sq_rel"):
        super().__init__(name=name)

    def pixel_values(self, y_true, y_pred, weights):
        """Squared errors over labels."""
        del weights
        errors = ops.square(y_pred - y_true) / _divisor(y_true)
        return ops.sum(errors, axis=-1, keepdims=True)


@keras.saving.register_keras_serializable("keras_s4t")
class RootMeanSquaredLogError(PositivePixelMean):
    """Root of the mean of `(log(prediction) - log(label))^2`.

    Natural logarithms, over all valid pixels since the last reset whose label
    is positive and finite. A prediction has no logarithm unless it is positive:
    predictions below `smallest` count as `smallest`. `MeanSquaredLogError` of
    torchmetrics and scikit-learn is another metric, of `log(1 + x)`.

    Args:
        smallest: float. The smallest prediction, in the unit of the labels;
            1 mm for depth in meters.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `smallest` is not positive.
    """

    def __init__(self, smallest=1e-3, name="rmse_log"):
        if not smallest > 0:
            raise ValueError(
                f"`smallest` must be positive. Received: smallest={smallest}"
            )
        super().__init__(name=name)
        self.smallest = smallest

    def pixel_values(self, y_true, y_pred, weights):
        """Squared differences of logarithms."""
        del weights
        difference = ops.log(ops.maximum(y_pred, self.smallest)) - ops.log(
            _divisor(y_true)
        )
        return ops.sum(ops.square(difference), axis=-1, keepdims=True)

    def result(self):
        """The error so far, a float32 scalar."""
        return ops.sqrt(super().result())

    def get_config(self):
        """The arguments of the constructor."""
        return {**super().get_config(), "smallest": self.smallest}


@keras.saving.register_keras_serializable("keras_s4t")
class ShareWithinFactor(PositivePixelMean):
    """Share of pixels whose prediction is within a factor of the label.

    The "delta" of depth: `max(prediction / label, label / prediction) <
    factor`, with the factor 1.25, 1.25^2 or 1.25^3. A fraction in [0, 1] of all
    valid pixels since the last reset whose label is positive and finite. A
    prediction that is not positive is not within any factor.

    Args:
        factor: float above 1. The factor, which itself is not within.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `factor` is not above 1.
    """

    def __init__(self, factor=1.25, name="delta1"):
        if not factor > 1:
            raise ValueError(
                f"`factor` must be above 1. Received: factor={factor}"
            )
        super().__init__(name=name)
        self.factor = factor

    def pixel_values(self, y_true, y_pred, weights):
        """1 within the factor, else 0."""
        del weights
        is_within = ops.logical_and(
            y_pred < self.factor * y_true, y_true < self.factor * y_pred
        )
        is_within = ops.all(is_within, axis=-1, keepdims=True)
        return ops.cast(is_within, "float32")

    def get_config(self):
        """The arguments of the constructor."""
        return {**super().get_config(), "factor": self.factor}


def _divisor(y_true):
    """Labels, 1 where they are 0, which does not count."""
    return ops.where(y_true > 0, y_true, 1.0)
