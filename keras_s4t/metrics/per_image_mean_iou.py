import math

import keras
from keras import ops

from keras_s4t.metrics.confusion_metric import ConfusionMetric
from keras_s4t.metrics.counted_cells import count_cells
from keras_s4t.metrics.counted_cells import ratio_or_nan


@keras.saving.register_keras_serializable("keras_s4t")
class PerImageMeanIoU(ConfusionMetric):
    """Mean over images of the mean intersection over union of their classes.

    Papers use it beside `MeanIoU`, which sums over the pixels of all images.
    An image without a valid pixel does not count. The result is NaN
    before any that counts, and once the prediction of a valid pixel was not a
    number.

    `torchmetrics.segmentation.MeanIoU` gives the same number. MONAI leaves out
    a class that the label of an image lacks, so that inventing it costs
    nothing; kornia counts absent classes as 1.

    Args:
        num_classes: int. Number of classes, with ids `0 ... num_classes - 1`.
        ignore_class: int or `None`. The id of unlabeled pixels.
        absent: str. `"skip"` averages over the classes that an image has in
            label or prediction; `"zero"` over all, absent ones counting as 0.
        sparse_y_pred: bool. Whether predictions are class ids instead of
            logits.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `num_classes` is not positive or `absent` unknown.

    Example:
    ```python
    metric = PerImageMeanIoU(num_classes=2, sparse_y_pred=True)
    metric.update_state([[[0, 0]], [[1, 0]]], [[[0, 0]], [[1, 1]]])
    metric.result()  # The mean of 1 and (1/2 + 0) / 2: 0.625
    ```
    """

    def __init__(
        self,
        num_classes,
        ignore_class=255,
        absent="skip",
        sparse_y_pred=False,
        name="per_image_miou",
    ):
        super().__init__(num_classes, ignore_class, absent, sparse_y_pred, name)
        self.total = self.add_variable((), "zeros", "float32", name="total")
        self.count = self.add_variable((), "zeros", "float32", name="count")

    def _add(self, cells, weights, is_lost):
        num_images = ops.shape(cells)[0]
        num_cells = self.num_classes**2
        starts = num_cells * ops.arange(num_images, dtype="int32")
        cells = ops.where(cells < 0, -1, cells + starts[:, None, None])
        counts, sums = count_cells(cells, weights, num_images * num_cells)
        matrices = ops.reshape(
            ops.cast(counts, "float32") + sums,
            (num_images, self.num_classes, self.num_classes),
        )
        has_pixels = ops.cast(ops.any(matrices > 0, axis=(1, 2)), "float32")
        total = ops.sum(has_pixels * self.mean_iou(matrices))
        self.total.assign_add(ops.where(is_lost, math.nan, total))
        self.count.assign_add(ops.sum(has_pixels))

    def result(self):
        """The mean over images, a float32 scalar."""
        return ratio_or_nan(self.total, self.count)
