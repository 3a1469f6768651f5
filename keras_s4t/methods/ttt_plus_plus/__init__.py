"""TTT++ and its layers and losses."""

from keras_s4t.methods.ttt_plus_plus.ttt_plus_plus import TTTPlusPlus

__all__ = ["TTTPlusPlus"]
