"""What predictions look like when they collapse, measured without labels."""

import numpy as np
from keras import ops

from keras_s4t.curves import ttt_gain


def spread(task, outputs):
    """How much a task's predictions vary.

    Args:
        task: `Task`.
        outputs: Raw outputs, an array of shape `(batch_size, height, width,
            num_outputs)`.

    Returns:
        float. For classes, the entropy of the mean prediction, in nats. Else
        the standard deviation of values over pixels, the mean over channels,
        in the unit of the task.
    """
    outputs = np.asarray(outputs, "float64")
    if task.activation == "softmax":
        exps = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        probabilities = exps / exps.sum(axis=-1, keepdims=True)
        mean = probabilities.mean(axis=(0, 1, 2))
        return float(-np.sum(mean * np.log(np.maximum(mean, 1e-12))))
    values = ops.convert_to_numpy(task.postprocess(outputs.astype("float32")))
    return float(values.std(axis=(0, 1, 2)).mean())


def metrics_of(tasks, values, labels, masks=None):
    """The first metric of every task, a dict by metric key.

    Args:
        tasks: list of `Task`. Those without labels are left out.
        values: dict from task name to postprocessed values.
        labels: dict from task name to labels.
        masks: Optional dict from task name to masks.
    """
    measured = {}
    for task in tasks:
        if task.name not in labels:
            continue
        label = labels[task.name]
        mask = (masks or {}).get(task.name)
        if mask is None:
            typed = ops.cast(label, task.label.dtype)
            mask = task.label.is_known(typed)
        metric = task.make_metric()
        metric.update_state(label, values[task.name], mask)
        measured[task.metric_key] = float(metric.result())
    return measured


def distances(tasks, values, reference):
    """How far predictions are from others, a dict by metric key.

    The metric of a task with the reference as its labels, counted from what
    the reference itself has.
    """
    perfect = metrics_of(tasks, reference, reference)
    received = metrics_of(tasks, values, reference)
    return {key: abs(perfect[key] - received[key]) for key in perfect}


def gain(tasks, before, after):
    """Delta_TTT in percent over the metrics that both have and allow it.

    Args:
        tasks: list of `Task`.
        before: dict by metric key.
        after: dict by metric key.

    Returns:
        float; NaN if no metric before is positive.
    """
    directions = {
        task.metric_key: task.higher_is_better
        for task in tasks
        if before.get(task.metric_key, 0) > 0
    }
    if not directions:
        return float("nan")
    return ttt_gain(
        {key: before[key] for key in directions},
        {key: after[key] for key in directions},
        directions,
    )
