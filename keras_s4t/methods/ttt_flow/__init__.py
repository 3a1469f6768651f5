"""TTTFlow, and the normalizing flow that it trains."""

from keras_s4t.methods.ttt_flow.ttt_flow import TTTFlow

__all__ = ["TTTFlow"]
