import itertools

import keras
from keras import ops

from keras_s4t.layers.resizing import resize_bilinear


@keras.saving.register_keras_serializable("keras_s4t")
class PyramidConv(keras.layers.Layer):
    """1x1 convolution of a feature pyramid fused at its finest level.

    The pyramid is fused by resizing every level to the finest one and
    concatenating the channels. A 1x1 convolution and a bilinear resize
    commute, since the resize weights sum to one. The convolution is therefore
    applied to each level at its own resolution, and only its few output
    channels are resized and summed:
    `conv(concat(resize(x_i))) == sum(resize(conv_i(x_i)))`. The fused map (3840
    channels for ResNet50) is not computed. The stored kernel is that of the
    convolution of the fused map.

    Args:
        filters: int. Number of output channels.

    Call arguments:
        features: dict from level (`"P2"` ... `"P5"`) to a tensor of shape
            `(batch_size, height, width, channels)`, finest level first in
            alphabetical order.

    Returns:
        A tensor of shape `(batch_size, height, width, filters)` at the
        resolution of the finest level.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, features_shape):
        self.levels = sorted(features_shape)
        self.channels = [features_shape[level][-1] for level in self.levels]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(1, 1, sum(self.channels), self.filters),
            initializer="glorot_uniform",
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros"
        )
        self.built = True

    def call(self, features):
        return convolve_pyramid([self], features)[0]

    def compute_output_shape(self, features_shape):
        finest = features_shape[min(features_shape)]
        return (*finest[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


def convolve_pyramid(convolutions, features):
    """Applies several `PyramidConv` layers to one pyramid, in one pass.

    The kernels are concatenated, so that every level is read and resized once
    for all layers.

    Args:
        convolutions: list of built `PyramidConv` layers.
        features: dict from level to a tensor of shape
            `(batch_size, height, width, channels)`.

    Returns:
        list of tensors, the outputs of each layer.
    """
    first = convolutions[0]
    dtype = first.compute_dtype
    kernels = [ops.cast(layer.kernel[0, 0], dtype) for layer in convolutions]
    biases = [ops.cast(layer.bias, dtype) for layer in convolutions]
    kernel = ops.concatenate(kernels, axis=-1)
    size = ops.shape(features[first.levels[0]])[1:3]
    outputs, start = ops.concatenate(biases), 0
    for level, channels in zip(first.levels, first.channels, strict=True):
        x = ops.cast(features[level], dtype)
        x = ops.matmul(x, kernel[start : start + channels])
        outputs = outputs + resize_bilinear(x, size)
        start += channels
    # Slices, since `ops.split` on PyTorch reads its indices from the device.
    ends = [0, *itertools.accumulate(c.filters for c in convolutions)]
    return [outputs[..., a:b] for a, b in itertools.pairwise(ends)]
