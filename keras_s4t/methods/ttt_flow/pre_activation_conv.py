import keras
from keras import layers
from keras import ops

from keras_s4t.methods.ttt_flow.weight_normalized_conv import (
    WeightNormalizedConv,
)


@keras.saving.register_keras_serializable("keras_s4t")
class PreActivationConv(keras.layers.Layer):
    """Batch norm, ReLU, then a `WeightNormalizedConv`."""

    def __init__(
        self,
        filters,
        kernel_size=1,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === Layers ===
        policy = self.dtype_policy
        self.norm = layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=policy, name="norm"
        )
        self.conv = WeightNormalizedConv(
            filters, kernel_size, kernel_initializer, dtype=policy, name="conv"
        )

        # === Config ===
        self.filters = filters
        self.kernel_size = kernel_size

    def build(self, input_shape):
        self.norm.build(input_shape)
        self.conv.build(input_shape)
        self.built = True

    def call(self, inputs, training=False):
        return self.conv(ops.relu(self.norm(inputs, training=training)))

    def compute_output_shape(self, input_shape):
        return self.conv.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(
                self.conv.kernel_initializer
            ),
        }
