"""Live adapters that are compared on a stream."""

import dataclasses

import keras
import numpy as np

import keras_s4t
from keras_s4t.data import ArrayBatches
from keras_s4t.data.records import examples_from_arrays
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.live import LiveAdapter
from keras_s4t.live.scores import metrics_of

BASE, CONTROL = "SourceOnly", "BatchNormOnly"


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to adapt to a stream.

    Attributes:
        method: `"SourceOnly"`, `"BatchNormOnly"`, or `None` for the method of
            the preset.
        learning_rate: Optional float, instead of the method's own.
        is_guarded: bool. Whether guards and choice are calibrated.
    """

    method: str | None = None
    learning_rate: float | None = None
    is_guarded: bool = False


def make_live(contender, preset, source, window, corruptions=None, **options):
    """A live adapter.

    Args:
        contender: `Contender`.
        preset: Name or folder of an adapter's preset.
        source: Labeled batches, for the guards.
        window: int. Frames per window, and from one adaptation to the next.
        corruptions: Optional names, for the guards.
        **options: Passed on to `LiveAdapter`.

    Returns:
        `LiveAdapter`.
    """
    adapter = keras_s4t.TargetAdapter.from_preset(preset)
    if contender.method is not None:
        method = getattr(keras_s4t.methods, contender.method)()
        adapter = adapter.source_copy(method)
    optimizer = adapter.default_optimizer()
    if contender.learning_rate is not None:
        optimizer.learning_rate = contender.learning_rate
    adapter.compile(optimizer, metrics=None)
    live = LiveAdapter(adapter, window=window, adapt_every=window, **options)
    if contender.is_guarded:
        chosen = {} if corruptions is None else {"corruptions": corruptions}
        size = 8 * window
        live.collect(source, num_images=size, memory=size // 2, **chosen)
    return live


def predict_all(live, frames, title):
    """Predictions of all frames, one frame at a time.

    Args:
        live: `LiveAdapter`.
        frames: Array of shape `(num_frames, height, width, channels)`.
        title: What the progress bar is called.

    Returns:
        dict from task name to an array, and the names of the models that
        predicted.
    """
    print(title)
    progress = keras.utils.Progbar(len(frames), unit_name="frame")
    predictions, names = [], []
    for i, frame in enumerate(frames):
        predictions.append(live(frame))
        names.append(live.predicts)
        progress.update(i + 1)
    values = {
        name: np.stack([prediction[name] for prediction in predictions])
        for name in predictions[0]
    }
    return values, names


def measure(tasks, values, labels, masks, chosen):
    """Metrics over some of the frames, a dict by metric key.

    Args:
        tasks: list of `Task`.
        values: dict of predictions.
        labels: dict of labels.
        masks: dict of masks.
        chosen: Indices or slice of frames.
    """
    parts = [
        {name: array[chosen] for name, array in arrays.items()}
        for arrays in (values, labels, masks)
    ]
    return metrics_of(tasks, *parts)


def load_source(tasks, arguments):
    """Labeled validation rooms of the source, for the guards.

    Args:
        tasks: list of `Task`.
        arguments: The command line's values.

    Returns:
        `ArrayBatches`.
    """
    count = 8 * arguments.window
    rooms = SynthRooms("validation", size=arguments.size, num_examples=count)
    arrays = rooms.arrays(cache_dir=arguments.cache)
    return ArrayBatches(examples_from_arrays(arrays, tasks), arguments.window)
