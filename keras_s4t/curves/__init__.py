"""Metrics over adaptation steps, their gain and their synchronization."""

from keras_s4t.curves.curve import Curve
from keras_s4t.curves.synchronization import cosine_similarity
from keras_s4t.curves.synchronization import dynamic_time_warping
from keras_s4t.curves.synchronization import step_variance
from keras_s4t.curves.synchronization import synchronization
from keras_s4t.curves.ttt_gain import relative_curve
from keras_s4t.curves.ttt_gain import ttt_gain

__all__ = [
    "Curve",
    "cosine_similarity",
    "dynamic_time_warping",
    "relative_curve",
    "step_variance",
    "synchronization",
    "ttt_gain",
]
