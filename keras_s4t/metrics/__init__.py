"""Keras metrics of the tasks, and how alike the latents of tasks are."""

from keras_s4t.metrics.binary_scores import BinaryAccuracy
from keras_s4t.metrics.binary_scores import BinaryF1
from keras_s4t.metrics.binary_scores import BinaryIoU
from keras_s4t.metrics.class_scores import ClassIoU
from keras_s4t.metrics.class_scores import MeanAccuracy
from keras_s4t.metrics.class_scores import PixelAccuracy
from keras_s4t.metrics.mean_absolute_error import MeanAbsoluteError
from keras_s4t.metrics.mean_angular_error import MeanAngularError
from keras_s4t.metrics.mean_iou import MeanIoU
from keras_s4t.metrics.median_angular_error import MedianAngularError
from keras_s4t.metrics.per_image_mean_iou import PerImageMeanIoU
from keras_s4t.metrics.relative_errors import AbsoluteRelativeError
from keras_s4t.metrics.relative_errors import RootMeanSquaredLogError
from keras_s4t.metrics.relative_errors import ShareWithinFactor
from keras_s4t.metrics.relative_errors import SquaredRelativeError
from keras_s4t.metrics.root_mean_squared_error import RootMeanSquaredError
from keras_s4t.metrics.share_within_angle import ShareWithinAngle
from keras_s4t.metrics.task_affinity import cosine_affinity
from keras_s4t.metrics.task_affinity import linear_cka
from keras_s4t.metrics.threshold_counts import AveragePrecision
from keras_s4t.metrics.threshold_counts import OptimalThresholdF1

__all__ = [
    "AbsoluteRelativeError",
    "AveragePrecision",
    "BinaryAccuracy",
    "BinaryF1",
    "BinaryIoU",
    "ClassIoU",
    "MeanAbsoluteError",
    "MeanAngularError",
    "MeanAccuracy",
    "MeanIoU",
    "MedianAngularError",
    "OptimalThresholdF1",
    "PerImageMeanIoU",
    "PixelAccuracy",
    "RootMeanSquaredError",
    "RootMeanSquaredLogError",
    "ShareWithinAngle",
    "ShareWithinFactor",
    "SquaredRelativeError",
    "cosine_affinity",
    "linear_cka",
]
