"""Callbacks for adaptation protocols."""

from keras_s4t.callbacks.adaptation_curve import AdaptationCurve
from keras_s4t.callbacks.online_curve import OnlineCurve
from keras_s4t.callbacks.reset_to_source import ResetToSource

__all__ = ["AdaptationCurve", "OnlineCurve", "ResetToSource"]
