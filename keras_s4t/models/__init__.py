"""The multi-task network, its backbones and the release's checkpoints."""

from keras_s4t.models.backbones import resnet50
from keras_s4t.models.backbones import resnet_tiny
from keras_s4t.models.fixed_grid_backbone import FixedGridBackbone
from keras_s4t.models.multi_task_model import MultiTaskModel
from keras_s4t.models.release_checkpoint import load_release_checkpoint

__all__ = [
    "FixedGridBackbone",
    "MultiTaskModel",
    "load_release_checkpoint",
    "resnet50",
    "resnet_tiny",
]
