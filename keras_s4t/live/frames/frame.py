import typing

import numpy as np


class Frame(typing.NamedTuple):
    """A frame of a stream.

    Args:
        image: uint8 array of shape `(height, width, 3)`, RGB.
        timestamp: float, seconds on the clock of the source, or `None` if the
            source has no clock.
        name: string. The path of an image within its folder, with forward
            slashes, or the number of the frame, which starts from 0.
    """

    image: np.ndarray
    timestamp: float | None
    name: str
