"""ActMAD and its moments of activations."""

from keras_s4t.methods.actmad.actmad import ActMAD

__all__ = ["ActMAD"]
