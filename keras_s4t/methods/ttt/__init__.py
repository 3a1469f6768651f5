"""TTT, with its rotations and the head that recognizes them."""

from keras_s4t.methods.ttt.ttt import TTT

__all__ = ["TTT"]
