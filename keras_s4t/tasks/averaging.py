"""The mean of several predictions of a task."""

from keras import ops

from keras_s4t.tasks.label import DIRECTION
from keras_s4t.vectors import shortened

# Keeps logarithms finite.
_EPSILON = 1e-7


def average(task, outputs, weights=None):
    """As `Task.average`."""
    weights = weights or [1 / len(outputs)] * len(outputs)
    outputs = [ops.cast(x, "float32") for x in outputs]
    if task.activation == "softmax":
        outputs = [ops.softmax(x, axis=-1) for x in outputs]
    elif task.activation == "sigmoid":
        outputs = [ops.sigmoid(x) for x in outputs]
    elif task.label is DIRECTION:
        outputs = [shortened(x) for x in outputs]
    mean = sum(w * x for w, x in zip(weights, outputs, strict=True))
    if task.activation == "softmax":
        return ops.log(mean + _EPSILON)
    if task.activation == "sigmoid":
        mean = ops.clip(mean, _EPSILON, 1 - _EPSILON)
        return ops.log(mean) - ops.log1p(-mean)
    return mean
