"""Adaptation to live streams of frames."""

from keras_s4t.live.audit import read_audit
from keras_s4t.live.live_adapter import LiveAdapter

__all__ = ["LiveAdapter", "read_audit"]
