import math

import keras
from keras import ops

from keras_s4t.metrics.counted_cells import CountedCells
from keras_s4t.metrics.valid_pixels import one_channel

# 0, 0.01, ..., 1.
NUM_THRESHOLDS = 101
THRESHOLDS = [i / (NUM_THRESHOLDS - 1) for i in range(NUM_THRESHOLDS)]


class ThresholdCounts(CountedCells):
    """Base class of precision and recall over thresholds of a probability.

    Pixels are counted at the 101 thresholds 0, 0.01, ..., 1 over all updates;
    a pixel is predicted where its probability reaches a threshold.

    With a tolerance, a predicted pixel is right if a labeled one is near, and a
    labeled pixel is found if a predicted one is. Near means that neither row
    nor column differ by more than `tolerance` times the diagonal of the image,
    rounded down to pixels: the other map is dilated by a square. What is
    predicted or labeled at an invalid pixel is near nothing.

    Args:
        tolerance: float. Distance in parts of the diagonal of the image.
        positive: float. Labels from this value on are positive.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `tolerance` is negative or `positive` not positive.
    """

    def __init__(self, tolerance, positive, name):
        if not 0 <= tolerance < 1:
            raise ValueError(
                f"`tolerance` must be in [0, 1). Received: {tolerance}"
            )
        if not positive > 0:
            raise ValueError(
                f"`positive` must be above 0. Received: positive={positive}"
            )
        # By thresholds reached, from none to all: predicted pixels, those of
        # them that are right, and labeled pixels by what is predicted near.
        super().__init__(3 * (NUM_THRESHOLDS + 1), name)
        self.tolerance = tolerance
        self.positive = positive

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Tensor `(batch_size, height, width, 1)`, labels.
            y_pred: Tensor of the same shape, probabilities in [0, 1].
            sample_weight: Tensor `(batch_size, height, width, 1)`, weight
                per pixel, 0 where the label is missing. `None` makes every
                pixel valid.

        Raises:
            ValueError: If the shapes do not fit.
        """
        y_true, y_pred, weights = one_channel(y_true, y_pred, sample_weight)
        is_lost = ops.any(ops.isnan(y_pred))
        y_pred = ops.where(ops.isnan(y_pred), 0.0, y_pred)
        is_positive = y_true >= self.positive
        near_label, near_pred = is_positive, y_pred
        if self.tolerance:
            radius = self._radius(y_pred)
            near_label = dilate(ops.cast(is_positive, "float32"), radius) > 0
            near_pred = dilate(y_pred, radius)
        is_valid = weights > 0
        cells = [
            _cells(0, y_pred, is_valid),
            _cells(1, y_pred, ops.logical_and(is_valid, near_label)),
            _cells(2, near_pred, ops.logical_and(is_valid, is_positive)),
        ]
        self.add_cells(
            ops.stack(cells), ops.stack([weights, weights, weights]), is_lost
        )

    def _radius(self, images):
        height, width = ops.shape(images)[1:3]
        if isinstance(height, int) and isinstance(width, int):
            return math.floor(self.tolerance * math.hypot(height, width))
        height, width = ops.cast(height, "float32"), ops.cast(width, "float32")
        diagonal = ops.sqrt(ops.square(height) + ops.square(width))
        return ops.cast(ops.floor(self.tolerance * diagonal), "int32")

    def precision_and_recall(self):
        """At every threshold, from 0 to 1.

        Returns:
            Float32 tensors of shape `(101,)`. The precision is 0 where nothing
            is predicted, the recall NaN without a labeled pixel.
        """
        rows = ops.reshape(self.cell_weights, (3, NUM_THRESHOLDS + 1))
        # Pixels that reach a threshold: all bins from there on.
        reached = ops.flip(ops.cumsum(ops.flip(rows, axis=1), axis=1), axis=1)
        predicted, right, found = (reached[i] for i in range(3))
        labeled = found[0]
        precision = ops.divide_no_nan(right, predicted)[1:]
        recall = found[1:] / ops.where(labeled > 0, labeled, math.nan)
        return precision, recall

    def get_config(self):
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "tolerance": self.tolerance,
            "positive": self.positive,
        }


def dilate(images, radius):
    """Maxima over squares of `2 * radius + 1` pixels around every pixel.

    Args:
        images: Float32 tensor `(batch_size, height, width, channels)`, no NaN.
        radius: int or int32 scalar.

    Returns:
        Tensor of the same shape.
    """

    def step(i, images):
        del i
        return ops.max_pool(
            images, 3, strides=1, padding="same", data_format="channels_last"
        )

    return ops.fori_loop(0, radius, step, images)


def _cells(row, probabilities, counts):
    """Cells by the number of thresholds that are reached, -1 elsewhere."""
    reached = ops.searchsorted(
        ops.convert_to_tensor(THRESHOLDS, "float32"),
        ops.reshape(probabilities, (-1,)),
        side="right",
    )
    cells = ops.cast(reached, "int32") + row * (NUM_THRESHOLDS + 1)
    return ops.where(ops.reshape(counts, (-1,)), cells, -1)


@keras.saving.register_keras_serializable("keras_s4t")
class AveragePrecision(ThresholdCounts):
    """Average precision: the mean precision, weighted by gains in recall.

    `sum_k (R_k - R_(k+1)) P_k` over the thresholds 0, 0.01, ..., 1, the
    probabilities being rounded down to them. Without a tolerance it is
    `BinaryAveragePrecision(thresholds=101)` of torchmetrics. Precision and
    recall are those of all valid pixels since the last reset. The result is NaN
    without a labeled pixel, and once the prediction of a valid pixel was NaN.

    Args:
        tolerance: float. Distance at which edges match, in parts of the
            diagonal of the image; see `OptimalThresholdF1`.
        positive: float. Labels from this value on are positive.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `tolerance` is not in [0, 1) or `positive` not positive.
    """

    def __init__(self, tolerance=0.0, positive=0.5, name="ap"):
        super().__init__(tolerance, positive, name)

    def result(self):
        """The average precision, a float32 scalar."""
        precision, recall = self.precision_and_recall()
        gains = recall - ops.append(recall[1:], ops.zeros((1,)))
        average = ops.sum(gains * precision)
        return ops.where(
            ops.logical_or(self.is_lost, ops.isnan(recall[0])),
            math.nan,
            average,
        )


@keras.saving.register_keras_serializable("keras_s4t")
class OptimalThresholdF1(ThresholdCounts):
    """The best F1 of edges at one threshold for all images, "ODS-F".

    `max_k 2 P_k R_k / (P_k + R_k)` over the thresholds 0.01, 0.02, ..., 0.99.
    Precision and recall are those of all valid pixels since the last reset. The
    protocol: a predicted pixel is right if a labeled one is near, a labeled
    pixel is found if a predicted one is; near means that neither row nor column
    differ by more than `tolerance` times the diagonal of the image, rounded
    down to pixels (none at 64x64, 2 at 256x256). It differs from the BSDS
    benchmark, whose numbers it does not reproduce:

    - There, predictions are thinned to lines by non-maximum suppression. Here,
      they are taken as they are: thick edges keep their precision as long as
      they stay within the tolerance.
    - There, predicted and labeled pixels are matched one to one. Here, several
      pixels may match the same one.
    - There, near is a Euclidean distance, here a square.
    - There, an image has several annotators, here one label.

    The result is NaN without a labeled pixel, and once the prediction of a
    valid pixel was NaN.

    Args:
        tolerance: float. Distance in parts of the diagonal of the image:
            0.0075 on BSDS, 0.011 on NYUD.
        positive: float. Labels from this value on are edges.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `tolerance` is not in [0, 1) or `positive` not positive.

    References:
    - [Martin et al., 2004](https://doi.org/10.1109/TPAMI.2004.1273918)
    """

    def __init__(self, tolerance=0.0075, positive=0.5, name="odsf"):
        super().__init__(tolerance, positive, name)

    def result(self):
        """The F1 at the best threshold, a float32 scalar."""
        precision, recall = self.precision_and_recall()
        is_undefined = ops.logical_or(self.is_lost, ops.isnan(recall[0]))
        scores = ops.divide_no_nan(2 * precision * recall, precision + recall)
        return ops.where(is_undefined, math.nan, ops.max(scores[1:-1]))
