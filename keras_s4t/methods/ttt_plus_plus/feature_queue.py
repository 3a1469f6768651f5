import keras
from keras import ops

from keras_s4t.layers import Statistics


@keras.saving.register_keras_serializable("keras_s4t")
class FeatureQueue(Statistics):
    """First-in-first-out queue of features.

    Statistics that need more samples than a batch are computed over the queue.
    Every call adds a batch. Entries of earlier batches receive no gradient.

    Args:
        size: Positive int. Number of entries.

    Call arguments:
        features: Tensor of shape `(batch_size, channels)`.

    Returns:
        Pair of float32 tensors: the entries, latest first, of shape
        `(size, channels)`, and a mask of shape `(size,)`, 1 for entries that
        were added and 0 for empty places.

    Raises:
        ValueError: If `size` is not positive.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"`size` must be positive. Received: size={size}")
        self.size = size

    def build(self, features_shape):
        shape = (self.size, features_shape[-1])
        self.entries = self.add_statistic("entries", shape)
        # "int" is int64 on TensorFlow, which keeps no int32 variable on a GPU.
        self.count = self.add_statistic("count", (), "int")
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
