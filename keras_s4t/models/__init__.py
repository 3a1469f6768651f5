"""The multi-task network, its backbones and the release's checkpoints."""

from keras_s4t.models.backbones import resnet18
from keras_s4t.models.backbones import resnet50
from keras_s4t.models.backbones import resnet_tiny
from keras_s4t.models.decoders import Decoder
from keras_s4t.models.decoders import MTINetDecoder
from keras_s4t.models.decoders import PyramidDecoder
from keras_s4t.models.multi_task_model import MultiTaskModel
from keras_s4t.models.release.checkpoint import load_release_checkpoint
from keras_s4t.models.release.fixed_grid_backbone import FixedGridBackbone

__all__ = [
    "Decoder",
    "FixedGridBackbone",
    "MTINetDecoder",
    "MultiTaskModel",
    "PyramidDecoder",
    "load_release_checkpoint",
    "resnet18",
    "resnet50",
    "resnet_tiny",
]
