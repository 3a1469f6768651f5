"""Supervised and unsupervised losses of dense predictions, as functions."""

from keras_s4t.losses.dense import absolute_error
from keras_s4t.losses.dense import balanced_binary_cross_entropy
from keras_s4t.losses.dense import cosine_distance
from keras_s4t.losses.dense import row_cosine_distance
from keras_s4t.losses.dense import softmax_cross_entropy
from keras_s4t.losses.dense import squared_error
from keras_s4t.losses.dense import unit_absolute_error
from keras_s4t.losses.divergences import bernoulli_kl_divergence
from keras_s4t.losses.divergences import direction_divergence
from keras_s4t.losses.divergences import gaussian_kl_divergence
from keras_s4t.losses.divergences import softmax_entropy
from keras_s4t.losses.divergences import softmax_kl_divergence
from keras_s4t.losses.masked_mean import masked_mean

__all__ = [
    "absolute_error",
    "balanced_binary_cross_entropy",
    "bernoulli_kl_divergence",
    "cosine_distance",
    "direction_divergence",
    "gaussian_kl_divergence",
    "masked_mean",
    "row_cosine_distance",
    "softmax_cross_entropy",
    "softmax_entropy",
    "softmax_kl_divergence",
    "squared_error",
    "unit_absolute_error",
]
