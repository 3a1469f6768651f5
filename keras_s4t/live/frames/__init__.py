"""Frames of folders, video files and cameras."""

from keras_s4t.live.frames.frame import Frame
from keras_s4t.live.frames.sources import read_frames

__all__ = [
    "Frame",
    "read_frames",
]
