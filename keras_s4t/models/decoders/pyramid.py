"""The paper's decoders: a 1x1 convolution per task on the fused pyramid."""

from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.pyramid_conv import convolve_pyramid
from keras_s4t.layers.resizing import resize_bilinear


def make_decoders(tasks, features_shape, dtype=None):
    """A decoder for each task.

    Args:
        tasks: list of `Task`.
        features_shape: dict from level to
            `(batch_size, height, width, channels)`.
        dtype: The dtype policy of the decoders.

    Returns:
        dict from task name to a built `PyramidConv`.
    """
    decoders = {
        task.name: PyramidConv(
            task.num_outputs, dtype=dtype, name=f"{task.name}_decoder"
        )
        for task in tasks
    }
    for decoder in decoders.values():
        decoder.build(features_shape)
    return decoders


def decode(decoders, features, size):
    """Predictions of all decoders, in one pass over the pyramid.

    Args:
        decoders: What `make_decoders` returned.
        features: dict from level to a tensor of shape
            `(batch_size, height, width, channels)`.
        size: Pair of ints or int tensors, `(height, width)` of the outputs.

    Returns:
        dict from task name to raw outputs of shape
        `(batch_size, *size, task.num_outputs)`.
    """
    outputs = convolve_pyramid(list(decoders.values()), features)
    return {
        name: resize_bilinear(x, size)
        for name, x in zip(decoders, outputs, strict=True)
    }
