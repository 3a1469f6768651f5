"""Figures. They never touch pyplot or its backend."""

from keras_s4t.plots.adaptation_curves import adaptation_curves
from keras_s4t.plots.prediction_grid import prediction_grid
from keras_s4t.plots.synchronization import synchronization

__all__ = ["adaptation_curves", "prediction_grid", "synchronization"]
