import math

import keras
from keras import layers
from keras import ops

from keras_s4t import backend
from keras_s4t.models.following import current_following


@keras.saving.register_keras_serializable("keras_s4t")
class FusedBatchNorm(keras.layers.Layer):
    """A batch normalization layer, computed by one fused operation.

    Keras composes batch normalization of elementary operations, each of which
    reads and writes the whole map, and keeps several for the backward pass.
    The result is the same. The variables and their names stay those of the
    layer.

    Args:
        norm: A built `keras.layers.BatchNormalization` for which
            `FusedBatchNorm.is_exact_for(norm)` holds.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.
        training: bool. Whether to normalize with, and follow, the statistics
            of the batch.

    Returns:
        A tensor of the same shape, in the compute dtype of the layer.
        Statistics are computed in float32.

    Raises:
        ValueError: If the layer is of another kind.
    """

    def __init__(self, norm, **kwargs):
        kwargs.setdefault("dtype", norm.dtype_policy)
        super().__init__(**kwargs)
        if not self.is_exact_for(norm):
            raise ValueError(
                "`norm` must be a built `BatchNormalization` over the last "
                "axis of images, with scale and offset, neither renormalized "
                f"nor synchronized. Received: norm={norm}"
            )
        self.norm = norm
        self.built = True

    @staticmethod
    def is_exact_for(layer):
        """Whether the fused operation computes what the layer does."""
        return (
            type(layer) is layers.BatchNormalization
            and layer.built
            and layer.input_spec.ndim == 4
            and layer.axis in (-1, 3)
            and layer.scale
            and layer.center
            and not layer.renorm
            and not layer.synchronized
        )

    @classmethod
    def is_better_for(cls, layer):
        """Whether it is exact; then it is faster, or more accurate."""
        return cls.is_exact_for(layer)

    def call(self, inputs, training=False):
        return normalize(self.norm, inputs, training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "norm": keras.saving.serialize_keras_object(self.norm),
        }

    @classmethod
    def from_config(cls, config):
        norm = keras.saving.deserialize_keras_object(config["norm"])
        return cls(**{**config, "norm": norm})


def normalize(norm, inputs, training=False):
    """Batch normalization by one fused operation.

    Args:
        norm: A layer for which `FusedBatchNorm.is_exact_for` holds, or of a
            subclass of `keras.layers.BatchNormalization` with such options.
        inputs: As `FusedBatchNorm` takes them.
        training: As `FusedBatchNorm` takes it.

    Returns:
        What `FusedBatchNorm` returns.
    """
    gamma = keras.ops.convert_to_tensor(norm.gamma)
    beta = keras.ops.convert_to_tensor(norm.beta)
    if not training or not norm.trainable:
        return backend.batch_norm_with_given_statistics(
            inputs,
            keras.ops.convert_to_tensor(norm.moving_mean),
            keras.ops.convert_to_tensor(norm.moving_variance),
            gamma,
            beta,
            norm.epsilon,
        )
    if current_following().prior or backend.is_shared():
        return normalize_composed(norm, inputs)
    outputs, *statistics = backend.batch_norm_with_batch_statistics(
        inputs, gamma, beta, norm.epsilon
    )
    move_statistics(norm, statistics)
    return outputs


def normalize_composed(norm, inputs):
    """Batch normalization by elementary operations.

    With the statistics of the batch, of the whole batch where replicas share
    it, mixed with those of the source if a `Following` says so. Gradients flow
    through the share of the batch, which fused operations cannot do.

    Args:
        norm: A `keras.layers.BatchNormalization` over the last axis.
        inputs: Tensor of shape `(batch_size, ..., channels)`.

    Returns:
        A tensor of the same shape.
    """
    values = ops.cast(inputs, "float32")
    axes = tuple(range(len(inputs.shape) - 1))
    size = ops.cast(ops.shape(inputs)[0], "float32")
    if backend.is_shared():
        size, statistics = _shared_statistics(values, size, axes)
    else:
        mean = ops.mean(values, axes)
        statistics = mean, ops.mean(ops.square(values - mean), axes)
    following = current_following()
    if following.prior:
        moving = norm.moving_mean, norm.moving_variance
        statistics = following.mixed(moving, statistics, size)
    move_statistics(norm, map(ops.stop_gradient, statistics))
    return scaled(norm, values, *statistics, inputs.dtype)


def _shared_statistics(values, size, axes):
    """Number of images, and mean and variance of a batch that is shared."""
    pixels = math.prod(values.shape[1:-1])
    total, size = backend.sum_over_batch(ops.sum(values, axes), size)
    mean = total / (size * pixels)
    (total,) = backend.sum_over_batch(ops.sum(ops.square(values - mean), axes))
    return size, (mean, total / (size * pixels))


def scaled(norm, values, mean, variance, dtype):
    """Values normalized with given statistics, then scaled and shifted."""
    outputs = (values - mean) * ops.rsqrt(variance + norm.epsilon)
    if norm.scale:
        outputs = outputs * norm.gamma
    if norm.center:
        outputs = outputs + norm.beta
    return ops.cast(outputs, dtype)


def move_statistics(norm, statistics):
    """Moves the moving statistics of a layer towards those of a batch."""
    momentum = current_following().momentum
    momentum = norm.momentum if momentum is None else momentum
    moving = (norm.moving_mean, norm.moving_variance)
    for variable, value in zip(moving, statistics, strict=True):
        variable.assign(momentum * variable + (1 - momentum) * value)
