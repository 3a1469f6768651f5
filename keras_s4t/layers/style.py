"""The style of images: channel statistics and noise."""

from keras import ops

# Keeps the division finite where an image has one color.
_EPSILON = 1e-3
# Of a second difference along both axes: the root of the sum of its squared
# weights, and the median of the absolute value of a standard normal.
_FILTER_NORM = 6.0
_NORMAL_MEDIAN = 0.6745


def with_style(images, target, noise):
    """Images with the channel statistics and the noise of others.

    The mean and the standard deviation of the channels of each image become
    those of the target image of the same index. Where the target image has more
    noise, noise of the missing variance is added.

    Args:
        images: Tensor of shape `(batch_size, height, width, channels)`, values
            in 0 ... 255.
        target: Tensor of shape `(batch_size, target_height, target_width,
            channels)`, values in 0 ... 255.
        noise: Tensor of the shape of `images`, standard normal.

    Returns:
        float32 tensor of the shape of `images`, values in 0 ... 255.
    """
    images, target, noise = (
        ops.cast(x, "float32") for x in (images, target, noise)
    )
    axes = {"axis": (1, 2), "keepdims": True}
    scale = ops.std(target, **axes) / (ops.std(images, **axes) + _EPSILON)
    centered = images - ops.mean(images, **axes)
    styled = centered * scale + ops.mean(target, **axes)
    missing = ops.square(noise_deviation(target)) - ops.square(
        noise_deviation(styled)
    )
    deviation = ops.sqrt(ops.maximum(missing, 0.0))[:, None, None]
    return ops.clip(styled + deviation * noise, 0.0, 255.0)


def noise_deviation(images):
    """Standard deviation of the white noise in images, estimated.

    Args:
        images: Tensor of shape `(batch_size, height, width, channels)`, at
            least 3 pixels a side.

    Returns:
        float32 tensor of shape `(batch_size, channels)`, in levels.

    References:

    - Immerkaer, "Fast noise variance estimation", CVIU 1996, with the median
      of the absolute values in place of their mean.
    """
    x = ops.cast(images, "float32")
    x = x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2]
    x = x[:, :, 2:] - 2 * x[:, :, 1:-1] + x[:, :, :-2]
    count = x.shape[1] * x.shape[2]
    # Not `ops.median`, which PyTorch computes of up to 16 M numbers.
    ordered = ops.sort(
        ops.reshape(ops.absolute(x), (-1, count, x.shape[3])), axis=1
    )
    median = (ordered[:, (count - 1) // 2] + ordered[:, count // 2]) / 2
    return median / (_FILTER_NORM * _NORMAL_MEDIAN)
