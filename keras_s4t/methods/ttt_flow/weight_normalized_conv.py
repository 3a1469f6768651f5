import keras
from keras import ops

EPSILON = 1e-12


@keras.saving.register_keras_serializable("keras_s4t")
class WeightNormalizedConv(keras.layers.Layer):
    """Convolution with weight normalization.

    The kernel of output channel `o` is `scale_o * kernel_o / ||kernel_o||`,
    with the norm over height, width and input channels. `scale` starts at 1.
    The convolution has stride 1, same padding and a bias.

    References:
    - [Salimans and Kingma, 2016](https://arxiv.org/abs/1602.07868)
    """

    def __init__(
        self,
        filters,
        kernel_size=1,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        # Float32 under mixed precision too, for the precision of the norm.
        self.kernel = self.add_weight(
            name="kernel",
            shape=(
                self.kernel_size,
                self.kernel_size,
                input_shape[-1],
                self.filters,
            ),
            initializer=self.kernel_initializer,
            autocast=False,
        )
        self.scale = self.add_weight(
            name="scale",
            shape=(self.filters,),
            initializer="ones",
            autocast=False,
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros"
        )
        self.built = True

    @property
    def normalized_kernel(self):
        """The kernel that the convolution applies."""
        squared_norm = ops.sum(ops.square(self.kernel), axis=(0, 1, 2))
        return self.kernel * (self.scale * ops.rsqrt(squared_norm + EPSILON))

    def call(self, inputs):
        kernel = ops.cast(self.normalized_kernel, self.compute_dtype)
        outputs = ops.conv(
            inputs, kernel, padding="same", data_format="channels_last"
        )
        return outputs + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }
