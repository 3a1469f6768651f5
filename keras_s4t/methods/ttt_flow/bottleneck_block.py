import keras

from keras_s4t.methods.ttt_flow.pre_activation_conv import PreActivationConv


@keras.saving.register_keras_serializable("keras_s4t")
class BottleneckBlock(keras.layers.Layer):
    """Residual block of 1x1, 3x3 and 1x1 pre-activation convolutions.

    Inputs, outputs and every convolution have `filters` channels.
    """

    def __init__(self, filters, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.convs = [
            PreActivationConv(
                filters,
                kernel_size,
                kernel_initializer,
                dtype=self.dtype_policy,
                name=f"conv_{i}",
            )
            for i, kernel_size in enumerate((1, 3, 1))
        ]
        self.filters = filters

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
        self.built = True

    def call(self, inputs, training=False):
        x = inputs
        for conv in self.convs:
            x = conv(x, training=training)
        return inputs + x

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = self.convs[0].conv.kernel_initializer
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_initializer": keras.initializers.serialize(initializer),
        }
