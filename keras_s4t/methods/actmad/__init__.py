"""ActMAD, and the moments that it collects."""

from keras_s4t.methods.actmad.actmad import ActMAD

__all__ = ["ActMAD"]
