"""Kinds of labels: what is missing, and how they are mirrored and resized."""

import dataclasses
import math
from collections.abc import Callable

IGNORE_CLASS = 255


def _unchanged(label, *args):
    del args
    return label


@dataclasses.dataclass(frozen=True)
class Label:
    """A kind of label.

    Its functions use operators alone, so they take arrays and tensors of every
    library.

    Attributes:
        channels: Channels of a label, `None` for a label without a channel
            axis, which holds the ids of classes.
        is_known: `is_known(label)`, which pixels of a label have a value: bool
            of shape `(..., height, width, 1)`. It counts where no mask is
            given.
        is_averaged: bool. Whether resizing averages the valid pixels,
            antialiased. Otherwise it takes the nearest pixel.
        flip: `flip(label)`, the values of a label that was mirrored left to
            right.
        zoom: `zoom(label, factor)`, the values of a label whose image was
            enlarged by a factor, as by a longer lens.
    """

    channels: int | None
    is_known: Callable
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


def _is_finite(label):
    # NaN compares as false.
    return abs(label) < math.inf


def _is_labeled(label):
    return (label != IGNORE_CLASS)[..., None]


def _is_in_front(label):
    return (label > 0) & _is_finite(label)


def _is_direction(label):
    x, y, z = (label[..., i : i + 1] for i in range(3))
    is_zero = (x == 0) & (y == 0) & (z == 0)
    return _is_finite(x) & _is_finite(y) & _is_finite(z) & ~is_zero


def _flip_direction(label):
    return label * [-1.0, 1.0, 1.0]


def _zoom_distance(label, factor):
    # The scene looks that much nearer.
    return label / factor


#: Ids of classes. `IGNORE_CLASS` is missing.
CLASSES = Label(channels=None, is_known=_is_labeled)
#: Meters along the optical axis. What is not positive or not finite is missing.
#: An average of depths across an occlusion is a depth that nothing has.
DISTANCE = Label(channels=1, is_known=_is_in_front, zoom=_zoom_distance)
#: Unit vectors in the frame of the camera, x to the right. The zero vector, and
#: one that is not finite, is missing.
DIRECTION = Label(channels=3, is_known=_is_direction, flip=_flip_direction)
#: Numbers in [0, 1]. What is not finite is missing.
STRENGTH = Label(channels=1, is_known=_is_finite, is_averaged=True)
