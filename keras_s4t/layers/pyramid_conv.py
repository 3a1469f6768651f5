import keras
from keras import ops

from keras_s4t.layers.resizing import resize_bilinear


@keras.saving.register_keras_serializable("keras_s4t")
class PyramidConv(keras.layers.Layer):
    """1x1 convolution of a feature pyramid fused at its finest level.

    The pyramid is fused by resizing every level to the finest one and
    concatenating the channels. A 1x1 convolution and a bilinear resize
    commute, since the resize weights sum to one, so the convolution is applied
    per level at its own resolution, and only its few output channels are
    resized and summed:
    `conv(concat(resize(x_i))) == sum(resize(conv_i(x_i)))`. The fused map (3840
    channels for ResNet50) never exists; the stored kernel is that of the
    convolution on it.

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
        size = ops.shape(features[self.levels[0]])[1:3]
        kernel = self.kernel[0, 0]
        outputs, start = self.bias, 0
        for level, channels in zip(self.levels, self.channels, strict=True):
            level_kernel = kernel[start : start + channels]
            level_outputs = ops.matmul(features[level], level_kernel)
            outputs = outputs + resize_bilinear(level_outputs, size)
            start += channels
        return outputs

    def compute_output_shape(self, features_shape):
        finest = features_shape[min(features_shape)]
        return (*finest[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
