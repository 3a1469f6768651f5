import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class ProjectionHead(keras.layers.Layer):
    """Projects pooled features by two dense layers with a ReLU in between.

    Args:
        projection_dim: Positive int. Channels of a projection.
        hidden_dim: Optional positive int, the hidden width. Defaults to the
            number of channels of the features.

    Call arguments:
        features: Tensor of shape `(batch_size, height, width, channels)`.

    Returns:
        A tensor of shape `(batch_size, projection_dim)`, projections of the
        features averaged over the locations.

    Raises:
        ValueError: If a size is not positive.
    """

    def __init__(self, projection_dim, hidden_dim=None, **kwargs):
        super().__init__(**kwargs)
        if min(projection_dim, hidden_dim or 1) < 1:
            raise ValueError(
                "`projection_dim` and `hidden_dim` must be positive. Received: "
                f"projection_dim={projection_dim}, hidden_dim={hidden_dim}"
            )
        # === Layers ===
        self.projection = layers.Dense(
            projection_dim, dtype=self.dtype_policy, name="projection"
        )

        # === Config ===
        self.projection_dim = projection_dim
        self.hidden_dim = hidden_dim

    def build(self, features_shape):
        channels = features_shape[-1]
        hidden_dim = self.hidden_dim or channels
        self.hidden = layers.Dense(
            hidden_dim,
            activation="relu",
            dtype=self.dtype_policy,
            name="hidden",
        )
        self.hidden.build((None, channels))
        self.projection.build((None, hidden_dim))
        self.built = True

    def call(self, features):
        pooled = ops.mean(ops.cast(features, "float32"), axis=(1, 2))
        return self.projection(self.hidden(pooled))

    def compute_output_shape(self, features_shape):
        return (features_shape[0], self.projection_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "hidden_dim": self.hidden_dim,
        }
