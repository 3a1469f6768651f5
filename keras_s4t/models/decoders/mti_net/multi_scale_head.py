import keras
from keras import layers
from keras import ops

from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.models.decoders.mti_net.batch_norm import BatchNorm


@keras.saving.register_keras_serializable("keras_s4t")
class MultiScaleHead(keras.layers.Layer):
    """Prediction of a task from its features at all scales.

    The features are resized to the finest scale and concatenated; a 1x1
    convolution of the same width, batch norm, ReLU and a 1x1 convolution
    follow. The first convolution is a `PyramidConv`.

    Args:
        num_outputs: int. Number of output channels.

    Call arguments:
        features: dict from level to a tensor of shape
            `(batch_size, height, width, channels)`.
        training: bool. As `BatchNorm` takes it.

    Returns:
        A tensor of shape `(batch_size, height, width, num_outputs)` at the
        resolution of the finest level.
    """

    def __init__(self, num_outputs, **kwargs):
        super().__init__(**kwargs)
        self.num_outputs = num_outputs

    def build(self, features_shape):
        width = sum(shape[-1] for shape in features_shape.values())
        policy = self.dtype_policy
        self.fusion = PyramidConv(width, dtype=policy, name="fusion")
        self.norm = BatchNorm(dtype=policy, name="norm")
        self.head = layers.Conv2D(
            self.num_outputs, 1, dtype=policy, name="head"
        )
        self.fusion.build(features_shape)
        shape = self.fusion.compute_output_shape(features_shape)
        self.norm.build(shape)
        self.head.build(shape)
        self.built = True

    def call(self, features, training=False):
        x = self.norm(self.fusion(features), training=training)
        return self.head(ops.relu(x))

    def compute_output_shape(self, features_shape):
        finest = features_shape[min(features_shape)]
        return (*finest[:-1], self.num_outputs)

    def get_config(self):
        return {**super().get_config(), "num_outputs": self.num_outputs}
