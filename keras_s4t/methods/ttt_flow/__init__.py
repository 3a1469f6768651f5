"""TTTFlow and its normalizing flow."""

from keras_s4t.methods.ttt_flow.ttt_flow import TTTFlow

__all__ = ["TTTFlow"]
