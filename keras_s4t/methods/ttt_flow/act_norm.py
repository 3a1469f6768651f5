import keras
from keras import ops

EPSILON = 1e-6


@keras.saving.register_keras_serializable("keras_s4t")
class ActNorm(keras.layers.Layer):
    """Scale and shift per channel, initialized from the first batch.

    Computes `((inputs + initial_bias) * exp(initial_log_scale) + bias) *
    exp(log_scale)`. The first batch in training sets the initial values such
    that its outputs have mean 0 and standard deviation 1. They are not trained.
    `bias` and `log_scale` are trained and start at 0. Before the first batch,
    the layer is the identity.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.
        training: bool. Whether the layer may be initialized.

    Returns:
        Pair of float32 tensors: the outputs, with the shape of the inputs, and
        the logarithm of their derivative, with shape `(channels,)`.

    References:
    - [Kingma and Dhariwal, 2018](https://arxiv.org/abs/1807.03039)
    """

    def __init__(self, **kwargs):
        # Densities are float32 with every dtype policy of the network.
        super().__init__(**{**kwargs, "dtype": "float32"})

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.bias = self.add_weight(
            name="bias", shape=shape, initializer="zeros"
        )
        self.log_scale = self.add_weight(
            name="log_scale", shape=shape, initializer="zeros"
        )
        # Not trainable: the JAX trainer of Keras takes trainable variables from
        # the optimizer and would discard values assigned in `call`.
        self.initial_bias = self.add_weight(
            name="initial_bias",
            shape=shape,
            initializer="zeros",
            trainable=False,
        )
        self.initial_log_scale = self.add_weight(
            name="initial_log_scale",
            shape=shape,
            initializer="zeros",
            trainable=False,
        )
        # A weight, so that a loaded layer is not initialized again.
        self.initialized = self.add_weight(
            name="initialized",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    def call(self, inputs, training=False):
        if training:
            self._initialize_once(inputs)
        outputs = inputs + self.initial_bias
        outputs = outputs * ops.exp(self.initial_log_scale) + self.bias
        outputs = outputs * ops.exp(self.log_scale)
        return outputs, self.initial_log_scale + self.log_scale

    def inverse(self, outputs):
        """Computes the inputs from the outputs."""
        inputs = ops.cast(outputs, "float32") * ops.exp(-self.log_scale)
        inputs = (inputs - self.bias) * ops.exp(-self.initial_log_scale)
        return inputs - self.initial_bias

    def _initialize_once(self, inputs):
        inputs = ops.stop_gradient(inputs)
        deviation = ops.std(inputs, axis=(0, 1, 2))
        first = (
            (self.initial_bias, -ops.mean(inputs, axis=(0, 1, 2))),
            (
                self.initial_log_scale,
                -ops.log(ops.maximum(deviation, EPSILON)),
            ),
        )
        is_done = ops.convert_to_tensor(self.initialized) > 0
        # `ops.cond` cannot assign inside a branch on JAX.
        for variable, value in first:
            kept = ops.convert_to_tensor(variable)
            variable.assign(ops.where(is_done, kept, value))
        self.initialized.assign(1)
