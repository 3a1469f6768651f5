"""Kinds of labels: what is missing, and how they are mirrored and resized."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from keras import ops

IGNORE_CLASS = 255
# Meters. Half of a street is nearer.
LARGEST_MEDIAN = 200.0


def _unchanged(label, *args):
    del args
    return label


def _none(values):
    del values
    return []


@dataclasses.dataclass(frozen=True)
class Label:
    """A kind of label.

    `is_known`, `flip` and `zoom` use operators alone, so they take arrays and
    tensors of every library.

    Attributes:
        channels: Channels of a label, `None` for a label without a channel
            axis, which holds the ids of classes.
        is_known: `is_known(label)`, which pixels of a label have a value: bool
            of shape `(..., height, width, 1)`. It counts where no mask is
            given.
        is_averaged: bool. Whether resizing averages the valid pixels,
            antialiased. Otherwise it takes the nearest pixel.
        suspicions: `suspicions(values)`, sentences about known values that look
            like another unit; a float NumPy array of shape `(n, channels)`.
        flip: `flip(label)`, the values of a label that was mirrored left to
            right.
        zoom: `zoom(label, factor)`, the values of a label whose image was
            enlarged by a factor, as by a longer lens.
    """

    channels: int | None
    is_known: Callable
    is_averaged: bool = False
    suspicions: Callable = _none
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


def _other_distances(values):
    median = np.median(values)
    if median <= LARGEST_MEDIAN:
        return []
    return [
        "Depth must be in meters. "
        f"Received: a median of {median:.5g}; millimeters?"
    ]


def _other_directions(values):
    length = np.median(np.linalg.norm(values, axis=-1))
    if 0.5 < length < 1.5:
        return []
    return [
        "Normals must be unit vectors with components in [-1, 1]. "
        f"Received: a median length of {length:.3g}"
    ]


def _other_strengths(values):
    if values.min() >= -1e-3 and values.max() <= 1.001:
        return []
    return [
        "Edges must be in [0, 1]. "
        f"Received: values in [{values.min():.3g}, {values.max():.3g}]"
    ]


def _other_binaries(values):
    if values.min() >= 0 and values.max() <= 1:
        return []
    return [
        "Labels of a binary task must be 0 or 1, and NaN where they are "
        "missing; masks of 0 and 255 must be divided by 255. "
        f"Received: values in [{values.min():.3g}, {values.max():.3g}]"
    ]


def _is_finite(label):
    # NaN compares as false.
    return abs(label) < math.inf


def _is_labeled(label):
    return (label != IGNORE_CLASS)[..., None]


def _is_in_front(label):
    return (label > 0) & _is_finite(label)


def _is_number(label):
    # Tensors of TensorFlow have no `all`.
    known = _is_finite(label[..., :1])
    for i in range(1, label.shape[-1]):
        known = known & _is_finite(label[..., i : i + 1])
    return known


def _is_direction(label):
    x, y, z = (label[..., i : i + 1] for i in range(3))
    is_zero = (x == 0) & (y == 0) & (z == 0)
    return _is_finite(x) & _is_finite(y) & _is_finite(z) & ~is_zero


def _flip_direction(label):
    signs = [-1.0, 1.0, 1.0]
    # Lists mix with tensors of TensorFlow alone.
    if ops.is_tensor(label):
        signs = ops.convert_to_tensor(signs, label.dtype)
    elif isinstance(label, np.ndarray):
        signs = np.asarray(signs, label.dtype)
    return label * signs


def _zoom_distance(label, factor):
    # The scene looks that much nearer.
    return label / factor


#: Ids of classes. `IGNORE_CLASS` is missing.
CLASSES = Label(channels=None, is_known=_is_labeled)
#: Meters along the optical axis. What is not positive or not finite is missing.
#: An average of depths across an occlusion is a depth that nothing has.
DISTANCE = Label(
    channels=1,
    is_known=_is_in_front,
    suspicions=_other_distances,
    zoom=_zoom_distance,
)
#: Unit vectors in the frame of the camera, x to the right. The zero vector, and
#: one that is not finite, is missing.
DIRECTION = Label(
    channels=3,
    is_known=_is_direction,
    suspicions=_other_directions,
    flip=_flip_direction,
)
#: Numbers in [0, 1]. What is not finite is missing.
STRENGTH = Label(
    channels=1,
    is_known=_is_finite,
    is_averaged=True,
    suspicions=_other_strengths,
)
#: 0 or 1. What is not finite is missing.
BINARY = Label(channels=1, is_known=_is_finite, suspicions=_other_binaries)


def numbers(channels):
    """Numbers of any unit. A pixel with one that is not finite is missing."""
    return Label(channels=channels, is_known=_is_number)
