from keras import ops


def resize_bilinear(x, size):
    """Bilinear resize with half-pixel centers and without antialiasing.

    Args:
        x: Tensor of shape `(batch_size, height, width, channels)`.
        size: Pair of ints or scalar int tensors, the new `(height, width)`.

    Returns:
        A tensor of shape `(batch_size, *size, channels)`. If the size is
        statically known to be the same, `x` itself.
    """
    if not all(isinstance(length, int) for length in size):
        return _resize_dynamically(x, size)
    if tuple(x.shape[1:3]) == tuple(size):
        return x
    return ops.image.resize(x, size, interpolation="bilinear", antialias=False)


def resize_each(outputs, size):
    """`resize_bilinear` of every tensor of a dict."""
    return {name: resize_bilinear(x, size) for name, x in outputs.items()}


def _resize_dynamically(x, size):
    """Resizes to dynamic sizes, which Keras rejects in a TensorFlow graph."""
    _, height, width, _ = ops.shape(x)
    rows = interpolation_matrix(height, size[0], x.dtype)
    columns = interpolation_matrix(width, size[1], x.dtype)
    x = ops.einsum("Hh,bhwc->bHwc", rows, x)
    return ops.einsum("Ww,bHwc->bHWc", columns, x)


def interpolation_matrix(old_length, new_length, dtype="float32"):
    """Weights of the bilinear resize along one axis.

    Lengths may be int tensors. The weights have shape
    `(new_length, old_length)`, and their rows sum to one.
    """
    old = ops.cast(old_length, "float32")
    new = ops.cast(new_length, "float32")
    centers = (ops.arange(new_length, dtype="float32") + 0.5) * old / new - 0.5
    centers = ops.clip(centers, 0.0, old - 1)
    positions = ops.arange(old_length, dtype="float32")
    distances = ops.abs(centers[:, None] - positions[None])
    return ops.cast(ops.relu(1 - distances), dtype)
