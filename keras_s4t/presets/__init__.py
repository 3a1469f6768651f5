"""Trained networks and adapters as folders, in the layout of keras-hub."""

from keras_s4t.presets.preset import PRESETS
from keras_s4t.presets.preset import Preset

__all__ = ["PRESETS", "Preset"]
