import keras
from keras import ops


class ConfusionMetric(keras.Metric):
    """Base class of metrics of confusions of classes.

    Args:
        num_classes: int. Number of classes, with ids `0 ... num_classes - 1`.
        ignore_class: int or `None`. The id of unlabeled pixels.
        absent: str. Whether a class without a pixel in labels and predictions
            counts as `"zero"` in a mean over classes, or is left out:
            `"skip"`.
        sparse_y_pred: bool. Whether predictions are class ids, of the shape
            of the labels, instead of logits.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `num_classes` is not positive or `absent` unknown.
    """

    def __init__(self, num_classes, ignore_class, absent, sparse_y_pred, name):
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
        cells, weights, is_lost = self._cells(y_true, y_pred, sample_weight)
        self._add(cells, weights, is_lost)

    def _add(self, cells, weights, is_lost):
        """Adds what `_cells` returns."""
        raise NotImplementedError

    def mean_iou(self, matrix):
        """The mean over classes of matrices of shape `(..., label, class)`."""
        iou, union = self.iou_and_union(matrix)
        if self.absent == "zero":
            return ops.mean(iou, axis=-1)
        # NaN is not 0: it must stay visible.
        present = ops.sum(ops.cast(union != 0, "float32"), axis=-1)
        return ops.divide_no_nan(ops.sum(iou, axis=-1), present)

    def iou_and_union(self, matrix):
        """Of every class, the IoU, 0 without a pixel, and the union."""
        intersection = ops.diagonal(matrix, axis1=-2, axis2=-1)
        sizes = ops.sum(matrix, axis=-2) + ops.sum(matrix, axis=-1)
        union = sizes - intersection
        return intersection / ops.maximum(union, 1e-8), union

    def get_config(self):
        """The arguments of the constructor."""
        return {
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "absent": self.absent,
            "sparse_y_pred": self.sparse_y_pred,
            "name": self.name,
        }

    def _cells(self, y_true, y_pred, sample_weight):
        """Where pixels belong in a confusion matrix.

        Returns:
            Tuple of the index of the entry of every pixel, an int32 tensor of
            shape `(batch_size, height, width)`, -1 for pixels that do not
            count; their weights, of the same shape, or `None`; and whether
            the prediction of a pixel that counts is not a number.
        """
        y_true = ops.cast(y_true, "int32")
        y_pred = ops.convert_to_tensor(y_pred)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
        self._check_shapes(y_true, y_pred, sample_weight)
        if not self.sparse_y_pred:
            is_nan = ops.any(ops.isnan(y_pred), axis=-1)
            y_pred = ops.where(is_nan, -1, ops.argmax(y_pred, axis=-1))
        y_pred = ops.cast(y_pred, "int32")
        valid = self._is_class(y_true)
        if self.ignore_class is not None:
            valid = ops.logical_and(valid, y_true != self.ignore_class)
        weights = None
        if sample_weight is not None:
            weights = sample_weight[..., 0]
            valid = ops.logical_and(valid, weights > 0)
        is_lost = ops.any(ops.logical_and(valid, y_pred == -1))
        valid = ops.logical_and(valid, self._is_class(y_pred))
        cells = ops.where(valid, y_true * self.num_classes + y_pred, -1)
        return cells, weights, is_lost

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
