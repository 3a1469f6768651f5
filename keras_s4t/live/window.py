"""The last frames of a stream, those that adaptation may see."""

import collections

import numpy as np

# Levels between the darkest and the brightest pixel of a blank frame.
BLANK_RANGE = 8


class Window:
    """Keeps the last good frames of a stream.

    A frame is good if it is finite, in range (0 ... 255, or one level beyond),
    not blank (its values span at least 8 of the 255 levels) and not frozen (not
    equal to the frame before it).

    Args:
        size: int. How many frames it keeps.
    """

    def __init__(self, size):
        self.size = size
        self.frames = collections.deque(maxlen=size)
        self.previous = None
        #: How many frames in a row were not added.
        self.num_faults = 0

    @property
    def is_full(self):
        """Whether there are as many frames as it keeps."""
        return len(self.frames) == self.size

    def push(self, frame):
        """Adds a frame if it is good.

        Args:
            frame: Array of shape `(height, width, channels)`.

        Returns:
            `None`, or why it was not added: `"not finite"`, `"out of range"`,
            `"blank"` or `"frozen"`.
        """
        fault = self._fault(frame)
        self.previous = frame
        self.num_faults += 1
        if fault is None:
            self.num_faults = 0
            self.frames.append(frame)
        return fault

    def batch(self):
        """The frames, float32 of shape `(size, height, width, channels)`.

        Frames are repeated in their order until it is full.
        """
        count = len(self.frames)
        frames = [self.frames[i % count] for i in range(self.size)]
        # As source images are, so that steps are compiled once.
        return np.stack(frames).astype("float32")

    def _fault(self, frame):
        if not np.isfinite(frame).all():
            return "not finite"
        low, high = float(frame.min()), float(frame.max())
        if low < -1 or high > 256:
            return "out of range"
        if high - low < BLANK_RANGE:
            return "blank"
        if self.previous is not None and np.array_equal(frame, self.previous):
            return "frozen"
        return None
