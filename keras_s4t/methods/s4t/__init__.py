"""S4T, its ablation, what goes beyond it, and their synchronizer."""

from keras_s4t.methods.s4t.patches import PatchEmbedding
from keras_s4t.methods.s4t.random_masking import RandomMasking
from keras_s4t.methods.s4t.replay_s4t import ReplayS4T
from keras_s4t.methods.s4t.s4t import S4T
from keras_s4t.methods.s4t.s4t_image_recon import S4TImageRecon
from keras_s4t.methods.s4t.task_behavior_synchronizer import (
    TaskBehaviorSynchronizer,
)
from keras_s4t.methods.s4t.task_projection import TaskProjection

__all__ = [
    "PatchEmbedding",
    "RandomMasking",
    "ReplayS4T",
    "S4T",
    "S4TImageRecon",
    "TaskBehaviorSynchronizer",
    "TaskProjection",
]
