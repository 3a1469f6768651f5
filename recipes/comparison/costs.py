"""What a method costs: parameters, seconds and memory."""

import json
import math
import pathlib
import statistics
import time

import keras
from benchmarking.hardware import device_name
from benchmarking.report import step_seconds

import keras_s4t


def measure_costs(adapter, target, warm_up, repeats):
    """Counts and times an adapter, which is as it was afterwards.

    Args:
        adapter: A `TargetAdapter`, not adapted.
        target: Batched `tf.data.Dataset` of `(images, ...)`, of which the
            first batch is read.
        warm_up: int. Steps that are not counted, compilation among them.
        repeats: int. Steps of which the median counts.

    Returns:
        dict with the `"parameters"` that source training trains, those that
        a step has `"updated"`, `"step_seconds"` for one step without
        prediction, `None` for a method without steps, `"predict_seconds"` for
        one batch, and the `"device"`.
    """
    trainable = (
        adapter.network.trainable_variables + adapter.method.trainable_variables
    )
    batch = target.take(1).map(lambda images, *labels: images)
    seconds = None
    if not isinstance(adapter.method, keras_s4t.methods.SourceOnly):
        timer = StepSeconds()
        stream = keras_s4t.data.online_stream(batch, warm_up + repeats)
        adapter.fit(stream, callbacks=[timer], verbose=0)
        adapter.reset()
        seconds = statistics.median(timer.seconds[warm_up:])
    images = next(batch.as_numpy_iterator())
    predict_seconds = []
    for _ in range(warm_up + repeats):
        start = time.perf_counter()
        adapter.predict_on_batch(images)
        predict_seconds.append(time.perf_counter() - start)
    return {
        "parameters": _count(trainable),
        "updated": _count(adapter.updated_variables),
        "step_seconds": seconds,
        "predict_seconds": statistics.median(predict_seconds[warm_up:]),
        "device": device_name(),
    }


class StepSeconds(keras.callbacks.Callback):
    """Keeps the seconds of every step."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        # To read a number waits for the device.
        float(logs["loss"])
        self.seconds.append(time.perf_counter() - self._start)


def _count(variables):
    return sum(math.prod(variable.shape) for variable in variables)


def read_benchmark(path, names):
    """Adaptation steps that `benchmark.py --methods` measured.

    There every method has a process of its own, whose peak memory means
    something.

    Args:
        path: Path of its `results.json`.
        names: Names of methods.

    Returns:
        dict from the name of a method to a dict with `"parameters"`,
        `"step_seconds"`, `"peak_memory"` in bytes, and `"setting"`.

    Raises:
        ValueError: If the file is not the benchmark's or measured no such
            method.
    """
    try:
        points = json.loads(pathlib.Path(path).read_text())["points"].values()
        costs = {
            name: {
                "parameters": measured["parameters"],
                "step_seconds": step_seconds(point, name),
                "peak_memory": measured["peak_memory"],
                "setting": "{}x{}, batch {}, {} tasks, {}, {}".format(
                    *point["size"],
                    point["batch_size"],
                    point["num_tasks"],
                    point["dtype"],
                    measured["device"],
                ),
            }
            for point in points
            if point["operation"] == "adapt"
            for name, measured in point["contenders"].items()
            if name in names
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            "The costs must be a `results.json` of `benchmark.py`. "
            f"Received: {path} ({error!r})"
        ) from error
    if not costs:
        raise ValueError(
            "The costs must be measured by `benchmark.py --methods`. "
            f"Received: {path} without any of {sorted(names)}"
        )
    return costs
