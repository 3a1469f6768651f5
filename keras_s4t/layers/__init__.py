"""Layers of the network and of the methods."""

from keras_s4t.layers.fused_batch_norm import FusedBatchNorm
from keras_s4t.layers.loss_balance import LossBalance
from keras_s4t.layers.patches import PatchEmbedding
from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.random_masking import RandomMasking
from keras_s4t.layers.task_behavior_synchronizer import TaskBehaviorSynchronizer
from keras_s4t.layers.task_projection import TaskProjection
from keras_s4t.layers.transformer_block import TransformerBlock

__all__ = [
    "FusedBatchNorm",
    "LossBalance",
    "PatchEmbedding",
    "PyramidConv",
    "RandomMasking",
    "TaskBehaviorSynchronizer",
    "TaskProjection",
    "TransformerBlock",
]
