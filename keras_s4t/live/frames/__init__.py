"""Frames of folders, video files and cameras, and video files of frames."""

from keras_s4t.live.frames.frame import Frame
from keras_s4t.live.frames.sources import read_frames
from keras_s4t.live.frames.video_writer import VideoWriter

__all__ = [
    "Frame",
    "VideoWriter",
    "read_frames",
]
