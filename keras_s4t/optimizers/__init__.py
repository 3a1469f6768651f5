"""Optimizers that Keras does not have."""

from keras_s4t.optimizers.coupled_adam import CoupledAdam

__all__ = ["CoupledAdam"]
