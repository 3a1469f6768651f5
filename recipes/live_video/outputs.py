"""The pictures of all frames as a video, or as files."""

import pathlib
import warnings

from PIL import Image

import keras_s4t
from keras_s4t.files import atomic_path


class PictureFolder:
    """Writes pictures as PNG files, as `VideoWriter` writes a video.

    Args:
        folder: Path of the folder. Pictures in it that are numbered from the
            first one on are removed.
        first: int. Number of the first picture.
    """

    def __init__(self, folder, first=0):
        self.folder = pathlib.Path(folder)
        self._number = first
        for path in self.folder.glob("[0-9]*.png"):
            if path.stem.isdecimal() and int(path.stem) >= first:
                path.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        """Does nothing: every file is complete."""

    def write(self, image, timestamp=None):
        """Writes a picture; its timestamp has no place in it."""
        with atomic_path(self.folder / f"{self._number:06d}.png") as path:
            Image.fromarray(image).save(path)
        self._number += 1


def open_output(folder, first, frame_rate):
    """What the pictures are written with.

    Args:
        folder: Path of the output folder.
        first: int. Number of the first frame; a video that does not begin with
            frame 0 has it in its name.
        frame_rate: float. For frames without timestamps.

    Returns:
        Pair of a context manager with `write(image, timestamp)` and the path
        that it writes to. Without the extra `[video]`, a `PictureFolder`, with
        a warning.
    """
    number = f"_{first:06d}" if first else ""
    path = folder / f"before_after{number}.mp4"
    try:
        return keras_s4t.live.VideoWriter(path, frame_rate), path
    except ImportError as error:
        path = folder / "before_after"
        warnings.warn(
            f"Frames are written as PNG files to {path}, not as a video. "
            f"{error}",
            stacklevel=2,
        )
        return PictureFolder(path, first), path
