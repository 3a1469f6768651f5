"""TTT++, with its views, its contrastive loss and its moments."""

from keras_s4t.methods.ttt_plus_plus.ttt_plus_plus import TTTPlusPlus

__all__ = ["TTTPlusPlus"]
