import keras
from keras import initializers
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class NoiseDiscriminator(keras.layers.Layer):
    """Projects features and classifies the noise on them, per position.

    The layers are 1x1 convolutions: a projection, a hidden layer with batch
    normalization and leaky ReLU, and an output. Only noise is added between
    the projection and the hidden convolution, and both are linear:
    `(x @ P + noise) @ W == x @ (P @ W) + noise @ W`. They are applied as one
    convolution, so that the wide projected map is never computed.

    Batch normalization always uses the statistics of the batch and has no
    moving statistics.

    Computations are in float32, because small noise on large features is below
    the resolution of half precision. The arguments are those of `NCTTT`.

    Call arguments:
        features: Tensor of shape `(batch_size, height, width, channels)`.
        noises: Sequence of float32 tensors of shape
            `(batch_size, height, width, projection_dim)`, each added to the
            projection of the features. If empty, no noise is added.

    Returns:
        Logits of shape `(num_noises * batch_size, height, width, 1)`, those of
        the first noise first; without noise `(batch_size, height, width, 1)`.

    Raises:
        ValueError: If a size is not positive.
    """

    def __init__(self, projection_dim=1536, hidden_dim=4, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if projection_dim < 1 or hidden_dim < 1:
            raise ValueError(
                "`projection_dim` and `hidden_dim` must be positive. Received: "
                f"projection_dim={projection_dim}, hidden_dim={hidden_dim}"
            )
        self.projection_dim = projection_dim
        self.hidden_dim = hidden_dim
        self.epsilon = 1e-5

    def build(self, features_shape):
        channels = features_shape[-1]
        projection_dim, hidden_dim = self.projection_dim, self.hidden_dim
        self.projection = self._add_kernel(
            "projection", channels, projection_dim
        )
        self.projection_bias = self._add_vector(
            "projection_bias", projection_dim
        )
        self.hidden = self._add_kernel("hidden", projection_dim, hidden_dim)
        self.hidden_bias = self._add_vector("hidden_bias", hidden_dim)
        self.gamma = self._add_vector("gamma", hidden_dim, "ones")
        self.beta = self._add_vector("beta", hidden_dim)
        self.output_kernel = self._add_kernel("output_kernel", hidden_dim, 1)
        self.output_bias = self._add_vector("output_bias", 1)
        self.built = True

    def _add_kernel(self, name, inputs, outputs):
        return self.add_weight(
            name=name,
            shape=(inputs, outputs),
            initializer=initializers.GlorotNormal(),
        )

    def _add_vector(self, name, length, initializer="zeros"):
        return self.add_weight(
            name=name, shape=(length,), initializer=initializer
        )

    def call(self, features, noises=()):
        bias = ops.matmul(self.projection_bias, self.hidden) + self.hidden_bias
        x = ops.matmul(features, ops.matmul(self.projection, self.hidden))
        x = x + bias
        if noises:
            noises = [ops.matmul(noise, self.hidden) for noise in noises]
            x = ops.concatenate([x + noise for noise in noises], axis=0)
        x = ops.leaky_relu(self._normalize(x), negative_slope=0.2)
        return ops.matmul(x, self.output_kernel) + self.output_bias

    def _normalize(self, x):
        mean, variance = ops.moments(x, axes=(0, 1, 2), keepdims=True)
        x = (x - mean) * ops.rsqrt(variance + self.epsilon)
        return x * self.gamma + self.beta

    def get_config(self):
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "hidden_dim": self.hidden_dim,
        }
