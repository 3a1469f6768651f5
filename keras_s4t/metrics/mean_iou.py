import math

import keras
from keras import ops

from keras_s4t.metrics.confusion_metric import ConfusionMetric
from keras_s4t.metrics.counted_cells import BLOCK
from keras_s4t.metrics.counted_cells import add_counts
from keras_s4t.metrics.counted_cells import count_cells


# Not a subclass of `keras.metrics.MeanIoU`: on PyTorch, Keras 3.15 counts the
# pixels in a Python loop (20 times the time of `segment_sum` here), on JAX it
# warns about int64 indices, and `result` adds 1e-7 to its divisors.
@keras.saving.register_keras_serializable("keras_s4t")
class MeanIoU(ConfusionMetric):
    """Mean intersection over union of classes, as a fraction in [0, 1].

    Confusions are summed over all valid pixels since the last reset;
    `IoU = tp / max(tp + fp + fn, 1e-8)` per class. The result is NaN
    before any valid pixel, and once the prediction of a valid pixel was not a
    number. Up to 2**31 pixels per update are counted exactly.

    Libraries differ on the same maps. Keras and `JaccardIndex` of torchmetrics
    give what `absent="skip"` gives, and scikit-learn with `labels=` what
    `"zero"` gives. `torchmetrics.segmentation.MeanIoU`, kornia and MONAI
    average over images; see `PerImageMeanIoU`. kornia and
    segmentation-models-pytorch count an absent class as 1.

    Args:
        num_classes: int. Number of classes, with ids `0 ... num_classes - 1`.
            Pixels whose label or prediction has any other id are ignored.
            A predicted id of -1 stands for logits that are not numbers.
        ignore_class: int or `None`. The id of unlabeled pixels.
        absent: str. `"zero"`, as in the paper, averages over all classes; a
            class without a pixel in labels and predictions counts as 0.
            `"skip"` leaves such classes out, as `keras.metrics.MeanIoU` does.
        sparse_y_pred: bool. Whether predictions are class ids, of the shape
            of the labels, instead of logits.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `num_classes` is not positive or `absent` unknown.

    Example:
    ```python
    metric = MeanIoU(num_classes=2)
    metric.update_state([[[0, 1, 255]]], [[[[2.0, 1], [0, 3], [5, 0]]]])
    metric.result()  # 1.0
    ```
    """

    def __init__(
        self,
        num_classes,
        ignore_class=255,
        absent="zero",
        sparse_y_pred=False,
        name="miou",
    ):
        super().__init__(num_classes, ignore_class, absent, sparse_y_pred, name)
        # Rows are labels, columns predictions.
        shape = (num_classes, num_classes)
        self._blocks = self.add_variable(
            shape, "zeros", "float32", name="blocks"
        )
        self._rest = self.add_variable(shape, "zeros", "float32", name="rest")

    def _add(self, cells, weights, is_lost):
        counts, sums = count_cells(cells, weights, self.num_classes**2)
        shape = self._rest.shape
        add_counts(
            self._blocks,
            self._rest,
            ops.reshape(counts, shape),
            ops.reshape(sums, shape),
            is_lost,
        )

    @property
    def confusion_matrix(self):
        """Weight of pixels per label (row) and prediction (column).

        Float32 tensor of shape `(num_classes, num_classes)`.
        """
        return self._blocks * BLOCK + self._rest

    def class_iou(self):
        """IoU of every class.

        Returns:
            Float32 tensor of shape `(num_classes,)`, 0 for a class without a
            pixel.
        """
        return self.iou_and_union(self.confusion_matrix)[0]

    def result(self):
        """The mean over classes, a float32 scalar."""
        matrix = self.confusion_matrix
        return ops.where(ops.sum(matrix) == 0, math.nan, self.mean_iou(matrix))
