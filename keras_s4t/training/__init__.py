"""Training on a source and adaptation to a target."""

from keras_s4t.training.source_trainer import SourceTrainer
from keras_s4t.training.target_adapter import TargetAdapter

__all__ = ["SourceTrainer", "TargetAdapter"]
