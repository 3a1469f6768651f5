import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class FeatureQueue(keras.layers.Layer):
    """Keeps the latest features, for statistics that a batch is too small for.

    First in, first out. Every call puts a batch in; entries of earlier batches
    pass no gradient.

    Args:
        size: Positive int. Number of entries.

    Call arguments:
        features: Tensor of shape `(batch_size, channels)`.

    Returns:
        Pair of float32 tensors: the entries, the batch first, of shape
        `(size, channels)`, and 1 for every entry that was put in, 0 for the
        others, of shape `(size,)`.

    Raises:
        ValueError: If `size` is not positive.
    """

    def __init__(self, size, **kwargs):
        # Statistics are float32 whatever the network computes in.
        super().__init__(**{**kwargs, "dtype": "float32"})
        if size < 1:
            raise ValueError(f"`size` must be positive. Received: size={size}")
        self.size = size

    def build(self, features_shape):
        self.entries = self.add_weight(
            name="entries",
            shape=(self.size, features_shape[-1]),
            initializer="zeros",
            trainable=False,
        )
        # "int", as Keras's optimizers count: TensorFlow keeps no int32
        # variable on a GPU.
        self.count = self.add_weight(
            name="count",
            shape=(),
            dtype="int",
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    def call(self, features):
        waiting = ops.convert_to_tensor(self.entries)
        entries = ops.concatenate([features, waiting], axis=0)
        entries = ops.slice(entries, (0, 0), self.entries.shape)
        count = self.count + ops.cast(ops.shape(features)[0], self.count.dtype)
        count = ops.minimum(count, self.size)
        self.entries.assign(ops.stop_gradient(entries))
        self.count.assign(count)
        places = ops.arange(self.size, dtype=self.count.dtype)
        return entries, ops.cast(places < count, "float32")

    def compute_output_shape(self, features_shape):
        return (self.size, features_shape[-1]), (self.size,)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
