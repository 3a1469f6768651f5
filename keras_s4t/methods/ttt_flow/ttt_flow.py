"""TTTFlow (Osowiechi et al., WACV 2023): likelihood of features in a flow."""

import keras
from keras import ops

from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_levels
from keras_s4t.methods.ttt_flow.normalizing_flow import NormalizingFlow


@keras.saving.register_keras_serializable("keras_s4t")
class TTTFlow(Method):
    """Maximizes the likelihood of early features under a normalizing flow.

    On the source, a normalizing flow learns the density of the features at one
    level of a trained and frozen network. On the target, the encoder up to this
    level minimizes the negative log-likelihood of its features. The flow is
    frozen and in inference mode. Layers above the level are not run and keep
    their batch norm statistics. The authors make 10 steps per batch and reset
    the model before every batch (`keras_s4t.callbacks.ResetToSource`).

    Args:
        level: Pyramid level of the features, `"P2"` ... `"P5"`.
        hidden_dim: Optional int. Channels of the flow's coupling networks.
            Defaults to those of the features.
        num_couplings: int. Number of affine couplings of the flow.
        num_blocks: int. Number of residual blocks of a coupling network.
        seed: Optional int. Seed of the flow's initial weights.

    Raises:
        ValueError: If a size is too small or the network lacks the level.

    Example:

    ```python
    method = keras_s4t.methods.TTTFlow()
    trainer = keras_s4t.SourceTrainer(network, method)
    trainer.compile(method.source_optimizer())
    trainer.fit(source)
    ```

    References:
    - [Osowiechi et al., 2023](https://arxiv.org/abs/2210.11389)
    """

    bn_mode = "update"
    needs_source = ("training",)
    frozen_network = True

    def __init__(
        self,
        level="P3",
        hidden_dim=None,
        num_couplings=3,
        num_blocks=2,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # A shared generator: with an int, all kernels would be equal.
        generator = keras.random.SeedGenerator(seed)
        self.flow = NormalizingFlow(
            num_couplings,
            hidden_dim,
            num_blocks,
            keras.initializers.GlorotUniform(generator),
            dtype=self.dtype_policy,
            name="flow",
        )

        # === Config ===
        self.level = level
        self.hidden_dim = hidden_dim
        self.num_couplings = num_couplings
        self.num_blocks = num_blocks
        self.seed = seed

    def taps(self, network):
        return (self.level,)

    def check(self, network):
        check_levels(network, level=(self.level,))

    def build(self, features_shape):
        self.flow.build(features_shape[self.level])
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        x = ops.stop_gradient(features[self.level])
        return {"likelihood": self.flow.negative_log_likelihood(x, True)}

    def target_loss(self, adapter, images, features):
        return self.flow.negative_log_likelihood(features[self.level])

    def select(self, network):
        return network.variables_up_to(self.level)

    def source_optimizer(self):
        """Adam at 1e-4 with gradients clipped to norm 1, for the flow.

        About 10,000 source batches are recommended.
        """
        return keras.optimizers.Adam(1e-4, epsilon=1e-8, global_clipnorm=1.0)

    def default_optimizer(self):
        """SGD at 1e-3 with momentum 0.9 and weight decay 5e-4.

        In Keras, weight decay is decoupled from the gradient. The authors'
        decay is part of the gradient and the momentum.
        """
        return keras.optimizers.SGD(1e-3, momentum=0.9, weight_decay=5e-4)

    def get_config(self):
        return {
            **super().get_config(),
            "level": self.level,
            "hidden_dim": self.hidden_dim,
            "num_couplings": self.num_couplings,
            "num_blocks": self.num_blocks,
            "seed": self.seed,
        }
