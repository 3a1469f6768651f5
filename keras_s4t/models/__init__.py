"""The multi-task network and its backbones."""

from keras_s4t.models.backbones import resnet50
from keras_s4t.models.backbones import resnet_tiny
from keras_s4t.models.multi_task_model import MultiTaskModel

__all__ = ["MultiTaskModel", "resnet50", "resnet_tiny"]
