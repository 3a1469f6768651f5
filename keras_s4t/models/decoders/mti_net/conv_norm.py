import keras
from keras import layers
from keras import ops

from keras_s4t.models.decoders.mti_net.batch_norm import BatchNorm


@keras.saving.register_keras_serializable("keras_s4t")
class ConvNorm(keras.layers.Layer):
    """A convolution without bias, batch norm and, by default, ReLU.

    Args:
        filters: int. Number of output channels.
        kernel_size: int. Side of the kernel.
        relu: bool. Whether ReLU follows.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.
        training: bool. As `BatchNorm` takes it.

    Returns:
        A tensor of shape `(batch_size, height, width, filters)`.
    """

    def __init__(self, filters, kernel_size=1, relu=True, **kwargs):
        super().__init__(**kwargs)
        # === Layers ===
        policy = self.dtype_policy
        self.conv = layers.Conv2D(
            filters,
            kernel_size,
            padding="same",
            use_bias=False,
            dtype=policy,
            name="conv",
        )
        self.norm = BatchNorm(dtype=policy, name="norm")

        # === Config ===
        self.filters = filters
        self.kernel_size = kernel_size
        self.relu = relu

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.norm.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, inputs, training=False):
        x = self.norm(self.conv(inputs), training=training)
        return ops.relu(x) if self.relu else x

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "relu": self.relu,
        }
