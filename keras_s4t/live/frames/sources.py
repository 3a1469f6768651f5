"""One function for all sources of frames."""

import collections.abc
import contextlib
import numbers
import os
import pathlib

import numpy as np

from keras_s4t.live.frames.arrays import frames_of_arrays
from keras_s4t.live.frames.camera import frames_of_camera
from keras_s4t.live.frames.folder import frames_of_folder
from keras_s4t.live.frames.video_file import frames_of_video


def read_frames(source):
    """Reads frames from arrays, a folder, a video file or a camera.

    The first frame is read by the call, so that errors of the source arise
    here. What goes wrong later is a warning: a stream that runs for hours must
    not end in an error for one file.

    - **Arrays**: an iterable of arrays, such as one of shape `(num_frames,
      height, width, 3)`, or of `Frame`s. They are passed on as they are,
      whatever their dtype, values and sizes.
    - **Folder**: the image files under it, in the order of their names, numbers
      in names counting as numbers. Photographs are decoded and turned as
      everywhere in this package. Files that are no photograph are skipped with
      a warning.
    - **Video file**: needs `pip install 'keras-s4t[video]'`. Frames are turned
      as the file says, and have the colors of a photograph of the same picture.
      Timestamps are those of the file, and no frame is repeated to fill the
      gaps of a variable frame rate. Damaged frames are left out, and where no
      more can be decoded, the frames end; either with a warning.
    - **Camera**: needs `pip install 'keras-s4t[camera]'`, which is OpenCV; any
      other of its packages will do. Timestamps are seconds since the first
      frame. Where the camera gives no further frame, the frames end with a
      warning.

    Args:
        source: An iterable of arrays, a path of a folder or of a video file,
            or an int, the index of a camera.

    Returns:
        Generator of `Frame`s. Its `close()` closes the file or the camera.

    Raises:
        ValueError: If there is no such source, or it has no frame.
        ImportError: If a package that the source needs is missing.

    Example:

    ```python
    for frame in keras_s4t.live.read_frames("drive.mp4"):
        print(frame.name, frame.timestamp, frame.image.shape)
    ```
    """
    frames = _frames_of(source)
    first = next(frames, None)
    if first is None:
        shown = repr(source) if isinstance(source, (str, os.PathLike)) else ""
        raise ValueError(
            "`source` must have at least one frame. Received: source="
            f"{shown or type(source).__name__} without any"
        )
    return _joined(first, frames)


def _joined(first, frames):
    with contextlib.closing(frames):
        yield first
        yield from frames


def _frames_of(source):
    if isinstance(source, numbers.Integral) and not isinstance(source, bool):
        if source < 0:
            raise ValueError(
                "The index of a camera must not be negative. "
                f"Received: source={source}"
            )
        return frames_of_camera(int(source))
    if isinstance(source, (str, os.PathLike)):
        path = pathlib.Path(source)
        if path.is_dir():
            return frames_of_folder(path)
        if path.is_file():
            return frames_of_video(path)
        raise ValueError(
            "`source` must be a folder or a file that is there. "
            f"Received: source={str(source)!r}"
        )
    if isinstance(source, collections.abc.Mapping) or not np.iterable(source):
        raise ValueError(
            "`source` must be an iterable of arrays, a path, or the index of a "
            f"camera. Received: source of type {type(source).__name__}"
        )
    # NumPy's or a backend's. Its rows are no frames.
    if getattr(source, "ndim", None) in (2, 3):
        raise ValueError(
            "`source` must be an array of shape (num_frames, height, width, "
            "3), or an iterable of images: put a single image in a list. "
            f"Received: source of shape {tuple(source.shape)}"
        )
    return frames_of_arrays(source)
