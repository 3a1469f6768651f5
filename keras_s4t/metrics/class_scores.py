"""Scores of classes beside the mean intersection over union."""

import math

import keras
from keras import ops

from keras_s4t.metrics.counted_cells import ratio_or_nan
from keras_s4t.metrics.mean_iou import MeanIoU


class ClassScore(MeanIoU):
    """Base class of other scores from the confusion matrix of `MeanIoU`.

    Args:
        num_classes: int. As `MeanIoU` takes it.
        ignore_class: int or `None`. The id of unlabeled pixels.
        sparse_y_pred: bool. Whether predictions are class ids instead of
            logits.
        name: str. Name of the metric in logs.
    """

    def __init__(self, num_classes, ignore_class, sparse_y_pred, name):
        super().__init__(num_classes, ignore_class, "skip", sparse_y_pred, name)

    def get_config(self):
        """The arguments of the constructor."""
        config = super().get_config()
        del config["absent"]
        return config


@keras.saving.register_keras_serializable("keras_s4t")
class PixelAccuracy(ClassScore):
    """Share of pixels of the right class, as a fraction in [0, 1].

    Over all valid pixels since the last reset, NaN before any, and once the
    prediction of a valid pixel was not a number. It is the micro average of
    `MulticlassAccuracy` of torchmetrics and `accuracy_score` of scikit-learn.

    Args:
        num_classes: int. As `MeanIoU` takes it.
        ignore_class: int or `None`. The id of unlabeled pixels.
        sparse_y_pred: bool. Whether predictions are class ids instead of
            logits.
        name: str. Name of the metric in logs.
    """

    def __init__(
        self,
        num_classes,
        ignore_class=255,
        sparse_y_pred=False,
        name="pixel_accuracy",
    ):
        super().__init__(num_classes, ignore_class, sparse_y_pred, name)

    def result(self):
        """The share, a float32 scalar."""
        matrix = self.confusion_matrix
        share = ratio_or_nan(ops.sum(ops.diagonal(matrix)), ops.sum(matrix))
        return ops.where(ops.any(ops.isnan(matrix)), math.nan, share)


@keras.saving.register_keras_serializable("keras_s4t")
class MeanAccuracy(ClassScore):
    """Mean over classes of the share of their pixels that is found.

    The mean recall, a fraction in [0, 1], over all valid pixels since the last
    reset. A class without a label has none and is left out, as in
    `balanced_accuracy_score` of scikit-learn; `MulticlassAccuracy` of
    torchmetrics counts it as 0 if it is predicted. NaN before any valid pixel,
    and once the prediction of a valid pixel was not a number.

    Args:
        num_classes: int. As `MeanIoU` takes it.
        ignore_class: int or `None`. The id of unlabeled pixels.
        sparse_y_pred: bool. Whether predictions are class ids instead of
            logits.
        name: str. Name of the metric in logs.
    """

    def __init__(
        self,
        num_classes,
        ignore_class=255,
        sparse_y_pred=False,
        name="mean_accuracy",
    ):
        super().__init__(num_classes, ignore_class, sparse_y_pred, name)

    def result(self):
        """The mean over classes, a float32 scalar."""
        matrix = self.confusion_matrix
        labels = ops.sum(matrix, axis=1)
        found = ops.divide_no_nan(ops.diagonal(matrix), labels)
        present = ops.sum(ops.cast(labels > 0, "float32"))
        mean = ratio_or_nan(ops.sum(found), present)
        return ops.where(ops.any(ops.isnan(matrix)), math.nan, mean)


@keras.saving.register_keras_serializable("keras_s4t")
class ClassIoU(ClassScore):
    """Intersection over union of every class, each a fraction in [0, 1].

    The result is a dict, so that logs have an entry per class,
    `"<name of the metric>/<name of the class>"`. The IoU of a class without a
    pixel in labels and predictions is NaN. All are NaN once the prediction of a
    valid pixel was not a number.

    Args:
        num_classes: int. As `MeanIoU` takes it.
        class_names: Optional list of different strings, by default
            `"class 0"` and so on.
        ignore_class: int or `None`. The id of unlabeled pixels.
        sparse_y_pred: bool. Whether predictions are class ids instead of
            logits.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If there is not one name per class.
    """

    def __init__(
        self,
        num_classes,
        class_names=None,
        ignore_class=255,
        sparse_y_pred=False,
        name="iou",
    ):
        super().__init__(num_classes, ignore_class, sparse_y_pred, name)
        if class_names is None:
            class_names = [f"class {i}" for i in range(num_classes)]
        self.class_names = [str(class_name) for class_name in class_names]
        if (
            not len(set(self.class_names))
            == len(self.class_names)
            == (num_classes)
        ):
            raise ValueError(
                "`class_names` must hold one name per class, all different. "
                f"Received: num_classes={num_classes}, "
                f"class_names={self.class_names}"
            )

    def result(self):
        """The IoU of every class, a dict of float32 scalars."""
        matrix = self.confusion_matrix
        iou, union = self.iou_and_union(matrix)
        is_lost = ops.any(ops.isnan(matrix))
        iou = ops.where(ops.logical_or(is_lost, union == 0), math.nan, iou)
        return {
            f"{self.name}/{class_name}": iou[i]
            for i, class_name in enumerate(self.class_names)
        }

    def get_config(self):
        """The arguments of the constructor."""
        return {**super().get_config(), "class_names": self.class_names}
