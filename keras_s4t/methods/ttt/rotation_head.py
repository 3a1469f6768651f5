import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class RotationHead(keras.layers.Layer):
    """Classifies the number of quarter turns of an image from its features.

    A perceptron on the concatenated spatial averages of all levels. If the
    sizes of the levels are integer multiples of each other, these are the
    averages of the pyramid fused at its finest level. Levels for which the
    layer was not built are ignored. Logits have shape `(batch_size, 4)`.

    Raises:
        ValueError: If `hidden_dim` is not positive.
    """

    def __init__(self, hidden_dim=1024, **kwargs):
        super().__init__(**kwargs)
        if hidden_dim < 1:
            raise ValueError(
                "`hidden_dim` must be positive. "
                f"Received: hidden_dim={hidden_dim}"
            )
        # === Layers ===
        policy = self.dtype_policy
        self.hidden = layers.Dense(
            hidden_dim, activation="relu", dtype=policy, name="hidden"
        )
        self.classifier = layers.Dense(4, dtype=policy, name="classifier")

        # === Config ===
        self.hidden_dim = hidden_dim

    def build(self, features_shape):
        self.levels = sorted(features_shape)
        channels = sum(features_shape[level][-1] for level in self.levels)
        self.hidden.build((None, channels))
        self.classifier.build((None, self.hidden_dim))
        self.built = True

    def call(self, features):
        averages = [
            ops.mean(ops.cast(features[level], "float32"), axis=(1, 2))
            for level in self.levels
        ]
        return self.classifier(self.hidden(ops.concatenate(averages, axis=-1)))

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim}
