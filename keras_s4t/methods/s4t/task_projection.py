import keras
from keras import layers

from keras_s4t.layers.pyramid_conv import PyramidConv


@keras.saving.register_keras_serializable("keras_s4t")
class TaskProjection(keras.layers.Layer):
    """Projects shared features to the latent of one task.

    On the source, the latent is supervised through a head of its own (section
    3.3, "task projection"; Equation 4).

    Args:
        num_outputs: int. Output channels of the task.
        latent_dim: int. Channels of the task latent.

    Call arguments:
        features: dict from level to a tensor of shape
            `(batch_size, height, width, channels)`.

    Returns:
        The task latent, of shape `(batch_size, height, width, latent_dim)` at
        the resolution of the finest level.

    References:
    - "Synchronizing Task Behavior: Aligning Multiple Tasks during Test-Time
      Training", ICCV 2025.
    """

    def __init__(self, num_outputs, latent_dim=64, **kwargs):
        super().__init__(**kwargs)
        # === Layers ===
        self.projection = PyramidConv(
            latent_dim, dtype=self.dtype_policy, name="projection"
        )
        self.head = layers.Conv2D(
            num_outputs, 1, dtype=self.dtype_policy, name="head"
        )

        # === Config ===
        self.num_outputs = num_outputs
        self.latent_dim = latent_dim

    def build(self, features_shape):
        self.projection.build(features_shape)
        self.head.build(self.projection.compute_output_shape(features_shape))
        self.built = True

    def call(self, features):
        return self.projection(features)

    def predict_task(self, latent):
        """The raw outputs of the head, at the resolution of the latent."""
        return self.head(latent)

    def compute_output_shape(self, features_shape):
        return self.projection.compute_output_shape(features_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "num_outputs": self.num_outputs,
            "latent_dim": self.latent_dim,
        }
