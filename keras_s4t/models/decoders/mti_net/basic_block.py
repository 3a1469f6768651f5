import keras
from keras import ops

from keras_s4t.models.decoders.mti_net.conv_norm import ConvNorm


@keras.saving.register_keras_serializable("keras_s4t")
class BasicBlock(keras.layers.Layer):
    """Basic residual block of ResNet (He et al., 2016), without a stride.

    Two 3x3 convolutions with batch norm, a ReLU in between, are added to the
    input; ReLU follows. If the number of channels changes, the input passes a
    1x1 convolution with batch norm.

    Args:
        filters: int. Number of output channels.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.
        training: bool. As `BatchNorm` takes it.

    Returns:
        A tensor of shape `(batch_size, height, width, filters)`.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        # === Layers ===
        policy = self.dtype_policy
        self.first = ConvNorm(filters, 3, dtype=policy, name="first")
        self.second = ConvNorm(
            filters, 3, relu=False, dtype=policy, name="second"
        )
        self.shortcut = None

        # === Config ===
        self.filters = filters

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build(self.first.compute_output_shape(input_shape))
        if input_shape[-1] != self.filters:
            self.shortcut = ConvNorm(
                self.filters,
                relu=False,
                dtype=self.dtype_policy,
                name="shortcut",
            )
            self.shortcut.build(input_shape)
        self.built = True

    def call(self, inputs, training=False):
        x = self.first(inputs, training=training)
        x = self.second(x, training=training)
        if self.shortcut is not None:
            inputs = self.shortcut(inputs, training=training)
        return ops.relu(x + inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
