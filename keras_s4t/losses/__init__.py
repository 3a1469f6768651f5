"""Losses: pure functions on dense predictions and validity masks."""

from keras_s4t.losses.dense import absolute_error
from keras_s4t.losses.dense import balanced_binary_cross_entropy
from keras_s4t.losses.dense import cosine_distance
from keras_s4t.losses.dense import softmax_cross_entropy
from keras_s4t.losses.dense import squared_error
from keras_s4t.losses.dense import unit_absolute_error
from keras_s4t.losses.masked_mean import masked_mean

__all__ = [
    "absolute_error",
    "balanced_binary_cross_entropy",
    "cosine_distance",
    "masked_mean",
    "softmax_cross_entropy",
    "squared_error",
    "unit_absolute_error",
]
