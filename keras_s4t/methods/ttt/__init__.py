"""TTT, its rotations and its rotation head."""

from keras_s4t.methods.ttt.ttt import TTT

__all__ = ["TTT"]
