import keras
from keras import layers

from keras_s4t.models.decoders.mti_net.basic_block import BasicBlock


@keras.saving.register_keras_serializable("keras_s4t")
class InitialPrediction(keras.layers.Layer):
    """First features and prediction of a task at one scale.

    Two basic blocks compute the features of the task, a 1x1 convolution its
    prediction.

    Args:
        channels: int. Channels of the features of the task.
        num_outputs: int. Channels of the prediction.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, in_channels)`.
        training: bool. As `BatchNorm` takes it.

    Returns:
        Pair of the features, of shape `(batch_size, height, width, channels)`,
        and raw outputs of shape `(batch_size, height, width, num_outputs)`.
    """

    def __init__(self, channels, num_outputs, **kwargs):
        super().__init__(**kwargs)
        # === Layers ===
        policy = self.dtype_policy
        self.first = BasicBlock(channels, dtype=policy, name="first")
        self.second = BasicBlock(channels, dtype=policy, name="second")
        self.head = layers.Conv2D(num_outputs, 1, dtype=policy, name="head")

        # === Config ===
        self.channels = channels
        self.num_outputs = num_outputs

    def build(self, input_shape):
        self.first.build(input_shape)
        shape = self.first.compute_output_shape(input_shape)
        self.second.build(shape)
        self.head.build(shape)
        self.built = True

    def call(self, inputs, training=False):
        x = self.first(inputs, training=training)
        x = self.second(x, training=training)
        return x, self.head(x)

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape[:-1])
        return (*shape, self.channels), (*shape, self.num_outputs)

    def get_config(self):
        return {
            **super().get_config(),
            "channels": self.channels,
            "num_outputs": self.num_outputs,
        }
