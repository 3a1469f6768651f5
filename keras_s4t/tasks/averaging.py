"""The mean of several predictions of a task."""

from keras import ops

from keras_s4t.tasks.label import DIRECTION
from keras_s4t.vectors import shortened

# Keeps logarithms finite.
_EPSILON = 1e-7


def average(task, outputs, weights=None):
    """The mean of raw outputs, in a space where they can be averaged.

    Probabilities of classes and of what is there or not are averaged as such,
    directions as unit vectors, and everything else as raw outputs.

    Args:
        task: `Task`.
        outputs: list of tensors of shape `(batch_size, height, width,
            task.num_outputs)`.
        weights: Optional list of numbers that sum to 1, one per tensor; by
            default all count the same.

    Returns:
        Tensor of the same shape, raw outputs in float32. For classes, the
        logarithms of the probabilities.
    """
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


def mirrored(tasks, outputs):
    """Raw outputs of images that were mirrored left to right.

    Args:
        tasks: list of `Task`.
        outputs: dict from task name to raw outputs of the images.

    Returns:
        dict of tensors of the same shapes.
    """
    return {
        task.name: task.label.flip(ops.flip(outputs[task.name], axis=2))
        for task in tasks
    }
