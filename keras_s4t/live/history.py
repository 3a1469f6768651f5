"""The last frames and what was predicted, until labels come."""

import collections


class History:
    """Keeps the last frames.

    Args:
        size: int. How many.
    """

    def __init__(self, size):
        self.size = size
        self.entries = collections.OrderedDict()
        #: Numbers of frames whose labels have come.
        self.observed = set()

    def add(self, frame_id, frame, prediction, predicted):
        """Keeps a frame; the oldest one goes if there are too many.

        Args:
            frame_id: int.
            frame: Array.
            prediction: dict of arrays, or `None`.
            predicted: Name of the model that predicted.
        """
        self.entries[frame_id] = frame, prediction, predicted
        while len(self.entries) > self.size:
            oldest, _ = self.entries.popitem(last=False)
            self.observed.discard(oldest)

    def get(self, frame_id):
        """Frame, prediction and name of the model.

        Raises:
            ValueError: If the frame is not kept or was not predicted.
        """
        if frame_id not in self.entries:
            known = list(self.entries)
            kept = f"{known[0]} ... {known[-1]}" if known else "none"
            raise ValueError(
                f"`frame_id` must be one of the last {self.size} frames. "
                f"Received: frame_id={frame_id!r}; kept: {kept}"
            )
        entry = self.entries[frame_id]
        if entry[1] is None:
            raise ValueError(
                "`frame_id` must be a frame that was predicted. "
                f"Received: frame_id={frame_id!r}"
            )
        return entry
