"""NC-TTT (Osowiechi et al., CVPR 2024): noise-contrastive TTT."""

import keras
from keras import ops

from keras_s4t.losses import softmax_entropy
from keras_s4t.methods.method import Method
from keras_s4t.methods.nc_ttt.noise_discriminator import NoiseDiscriminator
from keras_s4t.methods.nc_ttt.noise_pair import NoisePair
from keras_s4t.methods.requirements import check_classes
from keras_s4t.methods.requirements import check_levels


@keras.saving.register_keras_serializable("keras_s4t")
class NCTTT(Method):
    """Discriminates large from small noise on projected features.

    On the source, a discriminator learns for every position the probability
    that the noise added to the projected features of one level is large. On
    the target no noise is added, and the loss is that of features with small
    noise. The encoder is adapted up to `level`. All of the encoder runs, so
    that the moving statistics of all its batch norms follow the target. The
    projection and the discriminator are frozen.

    Args:
        level: Pyramid level of the projected features.
        projection_dim: int. Channels of the projection.
        hidden_dim: int. Hidden channels of the discriminator.
        sigma_large: float. Standard deviation of large noise.
        sigma_small: float, positive. That of small noise.
        entropy_weight: float, not negative. Weight of the entropy of the class
            predictions of `entropy_task` in the test-time loss.
        entropy_task: Name of a task that predicts classes.
        weight: float. Weight of the source loss.
        seed: Optional int. Seed of the noise.

    Raises:
        ValueError: If a number is out of range, or if the network lacks the
            level or the task.

    References:
    - [Osowiechi et al., 2024](https://arxiv.org/abs/2404.08392)
    """

    bn_mode = "update"
    needs_source = ("training",)

    def __init__(
        self,
        level="P2",
        projection_dim=1536,
        hidden_dim=4,
        sigma_large=0.1,
        sigma_small=0.015,
        entropy_weight=0.0,
        entropy_task="semseg",
        weight=1.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if entropy_weight < 0:
            raise ValueError(
                "`entropy_weight` must not be negative. "
                f"Received: entropy_weight={entropy_weight}"
            )
        # === Layers ===
        self.noise = NoisePair(sigma_large, sigma_small, seed, name="noise")
        self.discriminator = NoiseDiscriminator(projection_dim, hidden_dim)

        # === Config ===
        self.level = level
        self.entropy_weight = entropy_weight
        self.decodes = entropy_weight > 0
        self.entropy_task = entropy_task
        self.weight = weight

    def check(self, network):
        check_levels(network, level=(self.level,))
        if self.entropy_weight:
            check_classes(network, entropy_task=self.entropy_task)

    def build(self, features_shape):
        self.discriminator.build(features_shape[self.level])
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        features = features[self.level]
        shape = (*ops.shape(features)[:3], self.discriminator.projection_dim)
        noises = self.noise.draw(shape)
        logits = self.discriminator(features, noises)
        # Binary cross-entropy with probabilities as labels.
        is_large = self.noise.posteriors(noises)
        loss = ops.mean(ops.softplus(logits) - is_large * logits)
        return {"noise": self.weight * loss}

    def target_loss(self, adapter, images, features):
        loss = ops.mean(ops.softplus(self.discriminator(features[self.level])))
        if self.entropy_weight:
            size = ops.shape(images)[1:3]
            predictions = adapter.decode(features, size, keep_state=True)
            entropy = softmax_entropy(predictions[self.entropy_task])
            loss = loss + self.entropy_weight * entropy
        return loss

    def select(self, network):
        return network.variables_up_to(self.level)

    def default_optimizer(self):
        return keras.optimizers.Adam(1e-5, epsilon=1e-8)

    def get_config(self):
        return {
            **super().get_config(),
            "level": self.level,
            "projection_dim": self.discriminator.projection_dim,
            "hidden_dim": self.discriminator.hidden_dim,
            "sigma_large": self.noise.sigma_large,
            "sigma_small": self.noise.sigma_small,
            "entropy_weight": self.entropy_weight,
            "entropy_task": self.entropy_task,
            "weight": self.weight,
            "seed": self.noise.seed,
        }
