import keras
from keras import layers
from keras import ops

from keras_s4t import backend


@keras.saving.register_keras_serializable("keras_s4t")
class ProductConvolution(keras.layers.Layer):
    """A convolution layer, computed as one matrix product.

    XLA convolves on CPUs more slowly than it multiplies matrices. A 1x1
    convolution is a product of the features of all positions; a larger one is
    a product of all patches. The result is the same. The variables and their
    names stay those of the layer.

    Args:
        convolution: A built `keras.layers.Conv2D` for which
            `ProductConvolution.is_exact_for(convolution)` holds.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.

    Returns:
        What the layer returns.

    Raises:
        ValueError: If the layer is of another kind.
    """

    def __init__(self, convolution, **kwargs):
        kwargs.setdefault("dtype", convolution.dtype_policy)
        super().__init__(**kwargs)
        if not self.is_exact_for(convolution):
            raise ValueError(
                "`convolution` must be a built `Conv2D` with channels last, "
                "one group, no dilation and no activation, with strides of 1 "
                "unless it is 1x1 or pads nothing. "
                f"Received: convolution={convolution}"
            )
        self.convolution = convolution
        self.built = True

    @staticmethod
    def is_exact_for(layer):
        """Whether a matrix product computes what the layer does."""
        return (
            type(layer) is layers.Conv2D
            and layer.built
            and layer.data_format == "channels_last"
            and layer.groups == 1
            and set(layer.dilation_rate) == {1}
            and layer.activation is keras.activations.linear
            and not layer.lora_enabled
            and getattr(layer, "quantization_mode", None) is None
            and (
                set(layer.kernel_size) == {1}
                or layer.padding == "valid"
                or set(layer.strides) == {1}
            )
        )

    @classmethod
    def is_better_for(cls, layer):
        """Whether it is exact, and faster on this backend and device."""
        if not cls.is_exact_for(layer):
            return False
        channels = layer.kernel.shape[-2]
        return backend.multiplies_faster(layer.kernel_size, channels)

    @property
    def kernel(self):
        """The kernel of the layer, a `keras.Variable`."""
        return self.convolution.kernel

    def call(self, inputs):
        layer = self.convolution
        kernel = ops.convert_to_tensor(layer.kernel)
        outputs = multiply_patches(inputs, kernel, layer.strides, layer.padding)
        if layer.use_bias:
            outputs = outputs + ops.convert_to_tensor(layer.bias)
        return outputs

    def compute_output_shape(self, input_shape):
        return self.convolution.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "convolution": keras.saving.serialize_keras_object(
                self.convolution
            ),
        }

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config["convolution"])
        return cls(**{**config, "convolution": layer})


def multiply_patches(x, kernel, strides, padding):
    """A convolution as one matrix product.

    Args:
        x: Tensor of shape `(batch_size, height, width, channels)`.
        kernel: Tensor of shape `(rows, columns, channels, filters)`.
        strides: Pair of ints; with padding they are 1.
        padding: `"valid"` or `"same"`.

    Returns:
        A tensor of shape `(batch_size, new_height, new_width, filters)`.
    """
    patches = _patches(x, kernel.shape[:2], strides, padding)
    return ops.matmul(patches, ops.reshape(kernel, (-1, kernel.shape[-1])))


def _patches(x, kernel_size, strides, padding):
    """What the kernel sees at every position, joined along the channels."""
    pads = [(0, 0)] * 4
    if padding == "same":
        # With strides of 1. Keras pads the odd one at the end.
        for axis, length in enumerate(kernel_size, start=1):
            pads[axis] = ((length - 1) // 2, length // 2)
    if any(map(any, pads)):
        x = ops.pad(x, pads)
    height, width = ops.shape(x)[1:3]
    rows, columns = kernel_size
    shifted = [
        x[
            :,
            i : height - rows + 1 + i : strides[0],
            j : width - columns + 1 + j : strides[1],
        ]
        for i in range(rows)
        for j in range(columns)
    ]
    if len(shifted) == 1:
        return shifted[0]
    return ops.concatenate(shifted, axis=-1)
