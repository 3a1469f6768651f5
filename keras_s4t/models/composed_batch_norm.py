import keras
from keras import layers
from keras import ops

from keras_s4t.models.fused_batch_norm import FusedBatchNorm
from keras_s4t.models.fused_batch_norm import normalize_composed
from keras_s4t.models.fused_batch_norm import scaled


@keras.saving.register_keras_serializable("keras_s4t")
class ComposedBatchNorm(FusedBatchNorm):
    """A batch normalization layer, computed by elementary operations.

    On PyTorch, Keras's layer computes the variance as a difference of large
    numbers, which falls below 0 for features far from 0 with a small
    deviation. Here deviations from the mean are squared.

    Args:
        norm: A built `keras.layers.BatchNormalization` for which
            `ComposedBatchNorm.is_exact_for(norm)` holds.

    Raises:
        ValueError: If the layer is of another kind.
    """

    @staticmethod
    def is_exact_for(layer):
        """Whether these operations compute what the layer means."""
        return (
            type(layer) is layers.BatchNormalization
            and layer.built
            and layer.axis in (-1, layer.input_spec.ndim - 1)
            and not layer.renorm
            and not layer.synchronized
        )

    def call(self, inputs, training=False):
        norm = self.norm
        if training and norm.trainable:
            return normalize_composed(norm, inputs)
        values = ops.cast(inputs, "float32")
        statistics = norm.moving_mean, norm.moving_variance
        return scaled(norm, values, *statistics, inputs.dtype)
