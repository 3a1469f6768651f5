"""Frames by the `--input` of the command line."""

import itertools

import numpy as np

import keras_s4t

WALK = "walk"


class Walk:
    """A labeled walk through synthetic rooms.

    Args:
        length: int. Frames.
        phases: list of names of domains, or `None`, see `SynthRooms.walk`.
        size: int. Side of the images, in pixels.
        tasks: list of `Task`. Those that the rooms have no labels for are not
            measured.
        cache_dir: Path of a folder in which the frames are kept.

    Attributes:
        frames: `Frame`s without timestamps.
        phases: Name of the phase of every frame.
    """

    def __init__(self, length, phases, size, tasks, cache_dir):
        rooms = keras_s4t.data.SynthRooms("test", size=size)
        walk = rooms.walk(length, phases)
        arrays = walk.arrays(cache_dir=cache_dir)
        images = arrays["image"]
        self.frames = [
            keras_s4t.live.Frame(image, None, str(i))
            for i, image in enumerate(images)
        ]
        self.phases = [str(phase) for phase in walk.phases]
        tasks = [task for task in tasks if task.name in arrays]
        _, self._labels, self._masks = keras_s4t.data.examples_from_arrays(
            arrays, tasks
        )
        self._tasks = tasks
        self._metrics = {}

    def measure(self, frame_id, predictions):
        """Takes note of how good the predictions of a frame are.

        Args:
            frame_id: int.
            predictions: dict from the heading of a model to a dict from task
                name to values, without a batch axis.
        """
        phase = self.phases[frame_id]
        at = slice(frame_id, frame_id + 1)
        for heading, values in predictions.items():
            for task in self._tasks:
                key = phase, heading, task.metric_key
                if key not in self._metrics:
                    self._metrics[key] = task.make_metric()
                self._metrics[key].update_state(
                    self._labels[task.name][at],
                    np.asarray(values[task.name])[None],
                    self._masks[task.name][at],
                )

    def metrics(self):
        """Metrics by phase, model and metric key, of all frames measured."""
        found = {}
        for (phase, heading, key), metric in self._metrics.items():
            models = found.setdefault(phase, {})
            models.setdefault(heading, {})[key] = float(metric.result())
        return found


def open_frames(source):
    """The frames of a folder, a video file or a camera, and their size.

    Args:
        source: string, a path or the index of a camera.

    Returns:
        Tuple of an iterator of `Frame`s and the `(height, width)` of the first.

    Raises:
        ValueError: If there is no such source, or it has no frame.
        ImportError: If a package that the source needs is missing.
    """
    frames = keras_s4t.live.read_frames(
        int(source) if source.isdecimal() else source
    )
    first = next(frames)
    return itertools.chain([first], frames), first.image.shape[:2]


def scaled(size, side):
    """Height and width whose shorter one is `side`, at the same ratio."""
    return tuple(round(length * side / min(size)) for length in size)
