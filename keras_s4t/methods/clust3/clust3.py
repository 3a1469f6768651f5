"""ClusT3 (Hakim et al., ICCV 2023): mutual information of feature clusters."""

import keras
from keras import layers
from keras import ops

from keras_s4t.methods.clust3.mutual_information import mutual_information_loss
from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_levels


@keras.saving.register_keras_serializable("keras_s4t")
class ClusT3(Method):
    """Maximizes the mutual information of features and their clusters.

    Several projectors per level assign every position to soft clusters. Each
    projector is a 1x1 convolution. The loss is the negative mutual information
    of clusters and features over all positions of the batch, summed over
    projectors and levels. On the target, the projectors are frozen and the
    encoder is adapted up to the highest of the levels. All of the encoder runs,
    so that the moving statistics of all its batch norms follow the target.

    Args:
        levels: Tuple of pyramid levels with projectors.
        num_clusters: int, at least 2. Number of clusters per projector.
        num_projectors: int. Number of projectors per level.
        legacy_kl: bool. Whether clusters are balanced as in the authors' code.
            See `mutual_information_loss`.
        weight: float. Weight of the source loss.

    Raises:
        ValueError: If a number is out of range, or if the network lacks a
            level.

    References:
    - [Hakim et al., 2023](https://arxiv.org/abs/2310.12345)
    """

    bn_mode = "update"
    needs_source = ("training",)
    # The loss is of the statistics of a batch.
    shares_batch = False

    def __init__(
        self,
        levels=("P2", "P3"),
        num_clusters=10,
        num_projectors=5,
        legacy_kl=False,
        weight=1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_clusters < 2 or num_projectors < 1:
            raise ValueError(
                "`num_clusters` must be at least 2 and `num_projectors` at "
                f"least 1. Received: num_clusters={num_clusters}, "
                f"num_projectors={num_projectors}"
            )
        # === Layers ===
        # With channels last, a dense layer is a 1x1 convolution.
        self.projectors = {
            level: layers.Dense(
                num_projectors * num_clusters,
                dtype=self.dtype_policy,
                name=f"{level}_projectors",
            )
            for level in levels
        }

        # === Config ===
        self.levels = tuple(levels)
        self.num_clusters = num_clusters
        self.num_projectors = num_projectors
        self.legacy_kl = legacy_kl
        self.weight = weight

    def check(self, network):
        check_levels(network, levels=self.levels)

    def build(self, features_shape):
        for level, projectors in self.projectors.items():
            projectors.build(features_shape[level])
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        return {"clustering": self.weight * self.clustering_loss(features)}

    def target_loss(self, adapter, images, features):
        return self.clustering_loss(features)

    def clustering_loss(self, features):
        """Negative mutual information, summed over levels and projectors."""
        shape = (-1, self.num_projectors, self.num_clusters)
        total = 0.0
        for level, projectors in self.projectors.items():
            logits = ops.reshape(projectors(features[level]), shape)
            losses = mutual_information_loss(logits, self.legacy_kl)
            total = total + ops.sum(losses)
        return total

    def select(self, network):
        return network.variables_up_to(max(self.levels))

    def default_optimizer(self):
        return keras.optimizers.Adam(1e-5, epsilon=1e-8)

    def get_config(self):
        return {
            **super().get_config(),
            "levels": self.levels,
            "num_clusters": self.num_clusters,
            "num_projectors": self.num_projectors,
            "legacy_kl": self.legacy_kl,
            "weight": self.weight,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        # Name of the argument in older saved models.
        if "reference_kl" in config:
            config["legacy_kl"] = config.pop("reference_kl")
        return cls(**config)
