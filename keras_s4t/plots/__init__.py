"""Figures of curves, predictions and measurements, drawn without pyplot."""

from keras_s4t.plots.adaptation_curves import adaptation_curves
from keras_s4t.plots.intervals import intervals
from keras_s4t.plots.lines import lines
from keras_s4t.plots.mask_grid import mask_grid
from keras_s4t.plots.matrices import matrices
from keras_s4t.plots.prediction_grid import prediction_grid
from keras_s4t.plots.synchronization import synchronization

__all__ = [
    "adaptation_curves",
    "intervals",
    "lines",
    "mask_grid",
    "matrices",
    "prediction_grid",
    "synchronization",
]
