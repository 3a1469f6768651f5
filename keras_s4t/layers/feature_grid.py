import keras

from keras_s4t.layers.resizing import resize_bilinear


@keras.saving.register_keras_serializable("keras_s4t")
class FeatureGrid(keras.layers.Layer):
    """Resizes features to a grid of a fixed size, bilinearly.

    Keras's `Resizing` would do, but asks for TensorFlow on every backend.

    Args:
        size: Pair of ints, `(height, width)` of the grid.

    Call arguments:
        features: Tensor of shape `(batch_size, height, width, channels)`.

    Returns:
        A tensor of shape `(batch_size, *size, channels)`.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = tuple(size)
        self.built = True

    def call(self, features):
        return resize_bilinear(features, self.size)

    def compute_output_shape(self, features_shape):
        return (features_shape[0], *self.size, features_shape[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size}
