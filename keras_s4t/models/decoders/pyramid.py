"""The paper's decoders: a 1x1 convolution per task on the fused pyramid."""

import keras

from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.pyramid_conv import convolve_pyramid
from keras_s4t.layers.resizing import resize_each
from keras_s4t.models.decoders.decoder import Decoder


@keras.saving.register_keras_serializable("keras_s4t")
class PyramidDecoder(Decoder):
    """The paper's decoder: a 1x1 convolution per task on the fused pyramid.

    All tasks are decoded in one pass over the pyramid. Outputs are resized from
    the finest level to `size`. There is no batch norm.

    Args:
        num_outputs: As `Decoder` takes it.

    Call arguments:
        features: As `Decoder` takes them.
        size: As `Decoder` takes it.
        training: Without effect.

    Returns:
        dict from task name to raw outputs of shape
        `(batch_size, *size, num_outputs)`.
    """

    def __init__(self, num_outputs, **kwargs):
        super().__init__(num_outputs, **kwargs)
        self.convolutions = {
            name: PyramidConv(
                filters, dtype=self.dtype_policy, name=f"{name}_decoder"
            )
            for name, filters in self.num_outputs.items()
        }

    def build(self, features_shape):
        for layer in self.convolutions.values():
            # Paths of variables are those before the decoder was a layer.
            with keras.name_scope(layer.name, caller=layer, override_parent=""):
                layer.build(features_shape)
        self.built = True

    def call(self, features, size, training=False):
        outputs = convolve_pyramid(list(self.convolutions.values()), features)
        by_task = dict(zip(self.convolutions, outputs, strict=True))
        return resize_each(by_task, size)
