import math

import keras
from keras import ops

from keras_s4t.methods.ttt_flow.act_norm import ActNorm
from keras_s4t.methods.ttt_flow.affine_coupling import AffineCoupling


@keras.saving.register_keras_serializable("keras_s4t")
class NormalizingFlow(keras.layers.Layer):
    """RealNVP: an invertible map of features to a normal distribution.

    The flow alternates affine couplings and `ActNorm` layers. The checkerboards
    of consecutive couplings are complementary. The flow is fully convolutional
    and accepts feature maps of any size.

    Args:
        num_couplings: int. Number of couplings.
        hidden_dim: Optional int. Channels of the coupling networks. Defaults
            to those of the inputs.
        num_blocks: int. Number of bottleneck blocks of a coupling network.
        kernel_initializer: Initializer of all convolutions.

    Call arguments:
        inputs: Tensor of shape `(batch_size, height, width, channels)`.
        training: bool. Whether batch norms use the statistics of the batch and
            update their moving statistics, and whether the first batch
            initializes the `ActNorm` layers.

    Returns:
        Pair of float32 tensors with the shape of the inputs: the outputs and
        the elementwise log-determinant. Its sum over an image is the
        log-determinant of the Jacobian, which is exact in inference only.

    Raises:
        ValueError: If a size is too small.

    References:
    - [Dinh et al., 2017](https://arxiv.org/abs/1605.08803)
    """

    def __init__(
        self,
        num_couplings=3,
        hidden_dim=None,
        num_blocks=2,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        # Densities are float32; the coupling networks may compute in less.
        super().__init__(autocast=False, **kwargs)
        for name, value, minimum in (
            ("num_couplings", num_couplings, 1),
            ("hidden_dim", hidden_dim, 1),
            ("num_blocks", num_blocks, 0),
        ):
            if value is not None and value < minimum:
                raise ValueError(
                    f"`{name}` must be at least {minimum}. "
                    f"Received: {name}={value}"
                )
        # === Layers ===
        initializer = keras.initializers.get(kernel_initializer)
        self.steps = []
        for i in range(num_couplings):
            if i:
                self.steps.append(ActNorm(name=f"norm_{i - 1}"))
            coupling = AffineCoupling(
                i % 2,
                hidden_dim,
                num_blocks,
                initializer,
                dtype=self.dtype_policy,
                name=f"coupling_{i}",
            )
            self.steps.append(coupling)

        # === Config ===
        self.num_couplings = num_couplings
        self.hidden_dim = hidden_dim
        self.num_blocks = num_blocks
        self.kernel_initializer = initializer

    def build(self, input_shape):
        for step in self.steps:
            step.build(input_shape)
        self.built = True

    def call(self, inputs, training=False):
        x = ops.cast(inputs, "float32")
        log_determinant = ops.zeros_like(x)
        for step in self.steps:
            x, added = step(x, training=training)
            log_determinant = log_determinant + added
        return x, log_determinant

    def inverse(self, outputs):
        """Computes the inputs from the outputs, in inference mode.

        Args:
            outputs: Tensor of shape `(batch_size, height, width, channels)`.

        Returns:
            A float32 tensor of the same shape.
        """
        for step in reversed(self.steps):
            outputs = step.inverse(outputs)
        return outputs

    def negative_log_likelihood(self, inputs, training=False):
        """Mean negative log-likelihood of the inputs, in nats per element.

        Args:
            inputs: As in the call arguments.
            training: As in the call arguments.

        Returns:
            A float32 scalar, comparable between feature maps of different
            sizes.
        """
        outputs, log_determinant = self(inputs, training=training)
        log_normal = -0.5 * (ops.square(outputs) + math.log(2 * math.pi))
        return -ops.mean(log_normal + log_determinant)

    def get_config(self):
        return {
            **super().get_config(),
            "num_couplings": self.num_couplings,
            "hidden_dim": self.hidden_dim,
            "num_blocks": self.num_blocks,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }
