"""Streams of frames as they come."""

from keras_s4t.live.frames import Frame
from keras_s4t.live.frames import VideoWriter
from keras_s4t.live.frames import read_frames

__all__ = [
    "Frame",
    "VideoWriter",
    "read_frames",
]
