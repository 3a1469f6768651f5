import keras

from keras_s4t.methods.ttt_flow.bottleneck_block import BottleneckBlock
from keras_s4t.methods.ttt_flow.pre_activation_conv import PreActivationConv
from keras_s4t.methods.ttt_flow.weight_normalized_conv import (
    WeightNormalizedConv,
)


@keras.saving.register_keras_serializable("keras_s4t")
class CouplingNetwork(keras.layers.Layer):
    """Residual network of an affine coupling.

    It consists of a weight-normalized 3x3 convolution to `hidden_dim` channels,
    `num_blocks` pre-activation bottleneck blocks and a pre-activation 1x1
    convolution to `filters` channels.
    """

    def __init__(
        self,
        filters,
        hidden_dim,
        num_blocks=2,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === Layers ===
        options = {
            "kernel_initializer": kernel_initializer,
            "dtype": self.dtype_policy,
        }
        self.stem = WeightNormalizedConv(hidden_dim, 3, name="stem", **options)
        self.blocks = [
            BottleneckBlock(hidden_dim, name=f"block_{i}", **options)
            for i in range(num_blocks)
        ]
        self.head = PreActivationConv(filters, name="head", **options)

        # === Config ===
        self.filters = filters
        self.hidden_dim = hidden_dim
        self.num_blocks = num_blocks

    def build(self, input_shape):
        self.stem.build(input_shape)
        hidden_shape = (*input_shape[:-1], self.hidden_dim)
        for layer in (*self.blocks, self.head):
            layer.build(hidden_shape)
        self.built = True

    def call(self, inputs, training=False):
        x = self.stem(inputs)
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(x, training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "hidden_dim": self.hidden_dim,
            "num_blocks": self.num_blocks,
            "kernel_initializer": keras.initializers.serialize(
                self.stem.kernel_initializer
            ),
        }
