"""Figures of curves and predictions, drawn without pyplot."""

from keras_s4t.plots.adaptation_curves import adaptation_curves
from keras_s4t.plots.prediction_grid import prediction_grid
from keras_s4t.plots.synchronization import synchronization

__all__ = ["adaptation_curves", "prediction_grid", "synchronization"]
