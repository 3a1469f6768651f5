"""Metrics of the tasks, and measures of adaptation over steps."""

from keras_s4t.metrics.curve import Curve
from keras_s4t.metrics.mean_angular_error import MeanAngularError
from keras_s4t.metrics.mean_iou import MeanIoU
from keras_s4t.metrics.root_mean_squared_error import RootMeanSquaredError
from keras_s4t.metrics.synchronization import cosine_similarity
from keras_s4t.metrics.synchronization import dynamic_time_warping
from keras_s4t.metrics.synchronization import step_variance
from keras_s4t.metrics.synchronization import synchronization
from keras_s4t.metrics.ttt_gain import relative_curve
from keras_s4t.metrics.ttt_gain import ttt_gain

__all__ = [
    "Curve",
    "MeanAngularError",
    "MeanIoU",
    "RootMeanSquaredError",
    "cosine_similarity",
    "dynamic_time_warping",
    "relative_curve",
    "step_variance",
    "synchronization",
    "ttt_gain",
]
