"""Layers shared by several methods, or by the network and a method."""

from keras_s4t.layers.loss_balance import LossBalance
from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.layers.seeded_layer import SeededLayer
from keras_s4t.layers.statistics import Statistics

__all__ = [
    "LossBalance",
    "PyramidConv",
    "SeededLayer",
    "Statistics",
    "resize_bilinear",
]
