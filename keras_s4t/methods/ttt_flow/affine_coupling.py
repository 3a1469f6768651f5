import keras
from keras import ops

from keras_s4t.methods.ttt_flow.coupling_network import CouplingNetwork


@keras.saving.register_keras_serializable("keras_s4t")
class AffineCoupling(keras.layers.Layer):
    """Affine coupling of RealNVP with a checkerboard mask.

    `mask` is 1 on the half of the positions that is not changed. With
    `a, b = network(inputs * mask)`, the other half becomes
    `inputs * exp(s) + b`, where `s = alpha * tanh(a) + beta`. The trainable
    scalars `alpha` and `beta` start at 0, so that the initial scale is 1.

    The determinant is exact in inference only. In training, the batch norms
    of the network couple the images of a batch.

    Args:
        parity: 0 or 1. Parity of `row + column` at the changed positions.
        hidden_dim: As of `NormalizingFlow`.
        num_blocks: As of `NormalizingFlow`.
        kernel_initializer: As of `NormalizingFlow`.

    Returns:
        Pair of float32 tensors with the shape of the inputs: the outputs and
        the logarithm of their elementwise derivative.

    References:
    - [Dinh et al., 2017](https://arxiv.org/abs/1605.08803)
    """

    def __init__(
        self,
        parity=0,
        hidden_dim=None,
        num_blocks=2,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        # Densities are float32; the network may compute in less.
        super().__init__(autocast=False, **kwargs)
        self.parity = parity
        self.hidden_dim = hidden_dim
        self.num_blocks = num_blocks
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        channels = input_shape[-1]
        self.network = CouplingNetwork(
            2 * channels,
            self.hidden_dim or channels,
            self.num_blocks,
            self.kernel_initializer,
            dtype=self.dtype_policy,
            name="network",
        )
        self.network.build(input_shape)
        self.alpha, self.beta = (
            self.add_weight(
                name=name, shape=(), initializer="zeros", autocast=False
            )
            for name in ("alpha", "beta")
        )
        self.built = True

    def call(self, inputs, training=False):
        inputs = ops.cast(inputs, "float32")
        log_scale, shift = self._affine(inputs, training)
        return inputs * ops.exp(log_scale) + shift, log_scale

    def inverse(self, outputs):
        """Computes the inputs from the outputs, in inference mode."""
        outputs = ops.cast(outputs, "float32")
        # The unchanged half, which the network reads, is the same in both.
        log_scale, shift = self._affine(outputs, training=False)
        return (outputs - shift) * ops.exp(-log_scale)

    def _affine(self, x, training):
        _, height, width, channels = ops.shape(x)
        changes = checkerboard(height, width, self.parity)
        outputs = self.network(x * (1 - changes), training=training)
        outputs = ops.cast(outputs, "float32")
        log_scale = self.alpha * ops.tanh(outputs[..., :channels]) + self.beta
        return log_scale * changes, outputs[..., channels:] * changes

    def get_config(self):
        return {
            **super().get_config(),
            "parity": self.parity,
            "hidden_dim": self.hidden_dim,
            "num_blocks": self.num_blocks,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }


def checkerboard(height, width, parity):
    """Mask of the positions where `row + column` has a given parity.

    A float32 tensor of shape `(height, width, 1)`: 1 there, 0 elsewhere.
    """
    rows, columns = ops.arange(height), ops.arange(width)
    sums = ops.expand_dims(rows, 1) + columns
    changes = ops.cast(ops.equal(sums % 2, parity), "float32")
    return ops.expand_dims(changes, -1)
