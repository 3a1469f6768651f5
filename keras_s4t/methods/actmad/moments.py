from keras import ops


def mean_and_variance(x, axis):
    """Mean and unbiased variance over some axes, in float32.

    The variance of a single sample is 0, not NaN.

    Args:
        x: Tensor.
        axis: Tuple of ints. Axes to reduce.

    Returns:
        Pair of float32 tensors with the shape of `x` without these axes.
    """
    x = ops.cast(x, "float32")
    mean = ops.mean(x, axis=axis, keepdims=True)
    squares = ops.sum(ops.square(x - mean), axis=axis)
    shape = ops.shape(x)
    count = 1.0
    for i in axis:
        count = count * ops.cast(shape[i], "float32")
    return ops.squeeze(mean, axis), squares / ops.maximum(count - 1, 1.0)
