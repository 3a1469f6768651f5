from keras import ops


def resize_bilinear(x, size):
    """Bilinear resize with half-pixel centres and without antialiasing.

    Args:
        x: Tensor of shape `(batch_size, height, width, channels)`.
        size: Pair of ints or scalar int tensors, the new `(height, width)`.

    Returns:
        A tensor of shape `(batch_size, *size, channels)`; `x` itself where the
        size is statically known to be the same.
    """
    is_static = all(isinstance(length, int) for length in size)
    if is_static and tuple(x.shape[1:3]) == tuple(size):
        return x
    return ops.image.resize(x, size, interpolation="bilinear", antialias=False)
