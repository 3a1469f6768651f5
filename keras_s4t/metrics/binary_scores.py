"""Scores of binary predictions at the probability 0.5."""

import math

import keras
from keras import ops

from keras_s4t.metrics.counted_cells import CountedCells
from keras_s4t.metrics.counted_cells import ratio_or_nan
from keras_s4t.metrics.valid_pixels import one_channel


class BinaryScore(CountedCells):
    """Base class of scores from the four counts of binary predictions.

    Labels and predictions above 0.5 are positive. Subclasses implement `score`.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name):
        super().__init__(4, name)

    def score(self, tn, fp, fn, tp):
        """The score of true and false negatives and positives."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Tensor `(batch_size, height, width, 1)`, labels in [0, 1].
            y_pred: Tensor of the same shape, probabilities.
            sample_weight: Tensor `(batch_size, height, width, 1)`, weight
                per pixel, 0 where the label is missing. `None` makes every
                pixel valid.

        Raises:
            ValueError: If the shapes do not fit.
        """
        y_true, y_pred, weights = one_channel(y_true, y_pred, sample_weight)
        cells = 2 * ops.cast(y_true > 0.5, "int32")
        cells = cells + ops.cast(y_pred > 0.5, "int32")
        cells = ops.where(weights > 0, cells, -1)
        self.add_cells(cells, weights, ops.any(ops.isnan(y_pred)))

    def result(self):
        """The score so far, a float32 scalar."""
        weights = self.cell_weights
        score = self.score(*(weights[i] for i in range(4)))
        return ops.where(self.is_lost, math.nan, score)


@keras.saving.register_keras_serializable("keras_s4t")
class BinaryAccuracy(BinaryScore):
    """Share of pixels whose binary prediction is right.

    Over all valid pixels since the last reset, NaN before any, and once the
    prediction of a valid pixel was NaN. Labels and probabilities above 0.5 are
    positive.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name="accuracy"):
        super().__init__(name)

    def score(self, tn, fp, fn, tp):
        """`(tp + tn) / all`."""
        return ratio_or_nan(tp + tn, tp + tn + fp + fn)


@keras.saving.register_keras_serializable("keras_s4t")
class BinaryIoU(BinaryScore):
    """Intersection over union of what is positive, `tp / (tp + fp + fn)`.

    Over all valid pixels since the last reset. NaN while nothing is positive in
    labels and predictions (scikit-learn and torchmetrics give 0), and once the
    prediction of a valid pixel was NaN. Labels and probabilities above 0.5 are
    positive.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name="iou"):
        super().__init__(name)

    def score(self, tn, fp, fn, tp):
        """`tp / (tp + fp + fn)`."""
        del tn
        return ratio_or_nan(tp, tp + fp + fn)


@keras.saving.register_keras_serializable("keras_s4t")
class BinaryF1(BinaryScore):
    """F1, the harmonic mean of precision and recall, at the probability 0.5.

    `2 tp / (2 tp + fp + fn)` over all valid pixels since the last reset. NaN
    while nothing is positive in labels and predictions (scikit-learn and
    torchmetrics give 0), and once the prediction of a valid pixel was NaN.
    Labels and probabilities above 0.5 are positive.

    Args:
        name: str. Name of the metric in logs.
    """

    def __init__(self, name="f1"):
        super().__init__(name)

    def score(self, tn, fp, fn, tp):
        """`2 tp / (2 tp + fp + fn)`."""
        del tn
        return ratio_or_nan(2 * tp, 2 * tp + fp + fn)
