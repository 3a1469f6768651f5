import keras

from keras_s4t.models.fused_batch_norm import normalize


@keras.saving.register_keras_serializable("keras_s4t")
class BatchNorm(keras.layers.BatchNormalization):
    """Batch normalization of images by one fused operation.

    With PyTorch's momentum and epsilon. See `FusedBatchNorm` for the reason.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.
        training: bool. Whether to normalize with, and follow, the statistics
            of the batch.

    Returns:
        A tensor of the same shape.
    """

    is_fused = True

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=False):
        return normalize(self, inputs, training)
