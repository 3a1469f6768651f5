"""Adaptation to live streams of frames."""

from keras_s4t.live.audit import read_audit
from keras_s4t.live.frames import Frame
from keras_s4t.live.frames import VideoWriter
from keras_s4t.live.frames import read_frames
from keras_s4t.live.live_adapter import LiveAdapter
from keras_s4t.live.monitors import CSVLog
from keras_s4t.live.monitors import LiveTable
from keras_s4t.live.monitors import TensorBoardLog

__all__ = [
    "CSVLog",
    "Frame",
    "LiveAdapter",
    "LiveTable",
    "TensorBoardLog",
    "VideoWriter",
    "read_audit",
    "read_frames",
]
