"""Kinds of labels, and how they are mirrored, zoomed and resized."""

import dataclasses
from collections.abc import Callable

IGNORE_CLASS = 255


def _unchanged(label, *args):
    del args
    return label


@dataclasses.dataclass(frozen=True)
class Label:
    """A kind of label.

    Attributes:
        channels: Channels of a label, `None` for a label without a channel
            axis, which holds the ids of classes.
        is_averaged: bool. Whether resizing averages the valid pixels,
            antialiased. Otherwise it takes the nearest pixel.
        flip: `flip(label)`, the values of a label that was mirrored left to
            right.
        zoom: `zoom(label, factor)`, the values of a label whose image was
            enlarged by a factor, as by a longer lens.
    """

    channels: int | None
    is_averaged: bool = False
    flip: Callable = _unchanged
    zoom: Callable = _unchanged

    @property
    def is_classes(self):
        """Whether labels are ids of classes, `IGNORE_CLASS` where missing."""
        return self.channels is None

    @property
    def dtype(self):
        """`"int32"` for ids of classes, else `"float32"`."""
        return "int32" if self.is_classes else "float32"

    @property
    def padding(self):
        """The value of pixels that were not in the image."""
        return IGNORE_CLASS if self.is_classes else 0


def _flip_direction(label):
    return label * [-1.0, 1.0, 1.0]


def _zoom_distance(label, factor):
    # The scene looks that much nearer.
    return label / factor


#: Ids of classes.
CLASSES = Label(channels=None)
#: Meters along the optical axis. An average of depths across an occlusion is a
#: depth that nothing has.
DISTANCE = Label(channels=1, zoom=_zoom_distance)
#: Unit vectors in the frame of the camera, x to the right.
DIRECTION = Label(channels=3, flip=_flip_direction)
#: Numbers in [0, 1].
STRENGTH = Label(channels=1, is_averaged=True)
