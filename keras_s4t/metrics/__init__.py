"""Keras metrics of the tasks, on postprocessed values."""

from keras_s4t.metrics.mean_angular_error import MeanAngularError
from keras_s4t.metrics.mean_iou import MeanIoU
from keras_s4t.metrics.per_image_mean_iou import PerImageMeanIoU
from keras_s4t.metrics.root_mean_squared_error import RootMeanSquaredError

__all__ = [
    "MeanAngularError",
    "MeanIoU",
    "PerImageMeanIoU",
    "RootMeanSquaredError",
]
