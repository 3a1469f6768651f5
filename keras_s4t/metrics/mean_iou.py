import keras
from keras import ops

from keras_s4t.backend import count_ids

# Float32 counts no further than 2**24 by ones. Whole pixels are counted in
# int32 and kept as blocks of this many and a rest, both of them exact.
BLOCK = 2**20


# Not a subclass of `keras.metrics.MeanIoU`: on PyTorch, Keras 3.15 counts the
# pixels in a Python loop (20 times the time of `segment_sum` here), on JAX it
# warns about int64 indices, and `result` adds 1e-7 to its divisors.
@keras.saving.register_keras_serializable("keras_s4t")
class MeanIoU(keras.Metric):
    """Mean intersection over union of classes, as a fraction in [0, 1].

    Confusions are summed over all valid pixels since the last reset;
    `IoU = tp / max(tp + fp + fn, 1e-8)` per class. Before any valid pixel
    the result is 0. Up to 2**31 pixels per update are counted exactly.

    Args:
        num_classes: int. Number of classes, with ids `0 ... num_classes - 1`.
            Pixels whose label or prediction has any other id are ignored.
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
        if num_classes < 1:
            raise ValueError(
                "`num_classes` must be a positive integer. "
                f"Received: num_classes={num_classes}"
            )
        if absent not in ("zero", "skip"):
            raise ValueError(
                "`absent` must be 'zero' or 'skip'. "
                f"Received: absent={absent!r}"
            )
        super().__init__(dtype="float32", name=name)
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.absent = absent
        self.sparse_y_pred = sparse_y_pred
        # Rows are labels, columns predictions.
        shape = (num_classes, num_classes)
        self._blocks = self.add_variable(
            shape, "zeros", "float32", name="blocks"
        )
        self._rest = self.add_variable(shape, "zeros", "float32", name="rest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Integer tensor `(batch_size, height, width)`, class ids.
            y_pred: Tensor `(batch_size, height, width, num_classes)`,
                logits, or, with `sparse_y_pred`, ids of the shape of
                `y_true`.
            sample_weight: Tensor `(batch_size, height, width, 1)`, weight
                per pixel, 0 where the label is missing. `None` makes every
                pixel valid.

        Raises:
            ValueError: If the shapes do not fit.
        """
        y_true = ops.cast(y_true, "int32")
        y_pred = ops.convert_to_tensor(y_pred)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
        self._check_shapes(y_true, y_pred, sample_weight)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=-1)
        y_pred = ops.cast(y_pred, "int32")
        valid = ops.logical_and(self._is_class(y_true), self._is_class(y_pred))
        if self.ignore_class is not None:
            valid = ops.logical_and(valid, y_true != self.ignore_class)
        cells = ops.where(valid, y_true * self.num_classes + y_pred, -1)
        cells = ops.reshape(cells, (-1,))
        rest = ops.convert_to_tensor(self._rest)
        if sample_weight is not None:
            weights = ops.reshape(sample_weight, (-1,))
            fractions = ops.where(weights == 1, 0.0, weights)
            sums = ops.segment_sum(
                ops.where(cells < 0, 0.0, fractions),
                ops.maximum(cells, 0),
                num_segments=self.num_classes**2,
            )
            rest = rest + ops.reshape(sums, rest.shape)
            cells = ops.where(weights == 1, cells, -1)
        counts = count_ids(cells, self.num_classes**2)
        counts = ops.reshape(counts, rest.shape)
        rest = rest + ops.cast(counts % BLOCK, "float32")
        full = ops.floor(rest / BLOCK)
        self._rest.assign(rest - full * BLOCK)
        blocks = ops.cast(counts // BLOCK, "float32") + full
        self._blocks.assign_add(blocks)

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
        intersection, union = self._intersection_and_union()
        return intersection / ops.maximum(union, 1e-8)

    def result(self):
        """The mean over classes, a float32 scalar."""
        if self.absent == "zero":
            return ops.mean(self.class_iou())
        _, union = self._intersection_and_union()
        present = ops.sum(ops.cast(union > 0, "float32"))
        return ops.divide_no_nan(ops.sum(self.class_iou()), present)

    def get_config(self):
        """The arguments of the constructor."""
        return {
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "absent": self.absent,
            "sparse_y_pred": self.sparse_y_pred,
            "name": self.name,
        }

    def _intersection_and_union(self):
        matrix = self.confusion_matrix
        intersection = ops.diagonal(matrix)
        sizes = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1)
        return intersection, sizes - intersection

    def _is_class(self, ids):
        return ops.logical_and(ids >= 0, ids < self.num_classes)

    def _check_shapes(self, y_true, y_pred, sample_weight):
        channels = () if self.sparse_y_pred else (self.num_classes,)
        if (
            len(y_true.shape) != 3
            or len(y_pred.shape) != 3 + len(channels)
            or tuple(y_pred.shape[3:]) != channels
        ):
            raise ValueError(
                "`y_true` must have shape `(batch_size, height, width)` and "
                f"`y_pred` that shape plus {channels}. Received: "
                f"y_true.shape={tuple(y_true.shape)}, "
                f"y_pred.shape={tuple(y_pred.shape)}"
            )
        if sample_weight is not None and (
            len(sample_weight.shape) != 4 or sample_weight.shape[-1] != 1
        ):
            raise ValueError(
                "`sample_weight` must have shape `(batch_size, height, width,"
                " 1)`. Received: "
                f"sample_weight.shape={tuple(sample_weight.shape)}"
            )
