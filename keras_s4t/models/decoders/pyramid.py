"""The paper's decoders: a 1x1 convolution per task on the fused pyramid."""

from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.pyramid_conv import convolve_pyramid
from keras_s4t.layers.resizing import resize_bilinear


def make_decoders(tasks, features_shape, dtype=None):
    """A built `PyramidConv` for each task, a dict by task name."""
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

    As `MultiTaskModel.decode`.
    """
    outputs = convolve_pyramid(list(decoders.values()), features)
    return {
        name: resize_bilinear(x, size)
        for name, x in zip(decoders, outputs, strict=True)
    }
