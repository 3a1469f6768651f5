"""Layers shared by several methods, or by the network and a method."""

from keras_s4t.layers.loss_balance import LossBalance
from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.layers.seeded_layer import SeededLayer

__all__ = ["LossBalance", "PyramidConv", "SeededLayer", "resize_bilinear"]
