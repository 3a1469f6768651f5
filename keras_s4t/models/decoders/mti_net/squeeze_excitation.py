import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class SqueezeExcitation(keras.layers.Layer):
    """Weights channels by their means over an image (Hu et al., 2018).

    The weights are `sigmoid(expand(relu(squeeze(mean))))`.

    Args:
        ratio: int. Channels per hidden unit.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.

    Returns:
        A tensor of the same shape.
    """

    def __init__(self, ratio=16, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        policy = self.dtype_policy
        self.squeeze = layers.Dense(
            max(1, channels // self.ratio),
            activation="relu",
            dtype=policy,
            name="squeeze",
        )
        self.expand = layers.Dense(
            channels, activation="sigmoid", dtype=policy, name="expand"
        )
        shape = (input_shape[0], 1, 1, channels)
        self.squeeze.build(shape)
        self.expand.build(self.squeeze.compute_output_shape(shape))
        self.built = True

    def call(self, inputs):
        # A mean over many positions, in float32 under any policy.
        means = ops.mean(ops.cast(inputs, "float32"), (1, 2), keepdims=True)
        return inputs * self.expand(self.squeeze(means))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}
