"""TTT++ (Liu et al., NeurIPS 2021): contrastive loss, moment alignment."""

import keras
from keras import ops

from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_levels
from keras_s4t.methods.requirements import check_rgb
from keras_s4t.methods.ttt_plus_plus.contrastive import nt_xent
from keras_s4t.methods.ttt_plus_plus.moment_alignment import MomentAlignment
from keras_s4t.methods.ttt_plus_plus.projection_head import ProjectionHead
from keras_s4t.methods.ttt_plus_plus.random_views import RandomViews


@keras.saving.register_keras_serializable("keras_s4t")
class TTTPlusPlus(Method):
    """Contrastive learning at test time, with moments aligned to the source.

    A projection head is trained on the source with a contrastive loss of two
    random views. On the target, the encoder minimizes the same loss and the
    distance of its moments to those of the source; see `MomentAlignment`. All
    other variables are fixed.

    Args:
        level: str. Pyramid level to read; the encoder is adapted up to it.
            Defaults to the coarsest level.
        projection_dim: int. Channels of a projection.
        hidden_dim: Optional int. Hidden width of the projection head; see
            `ProjectionHead`.
        temperature: Positive float. Temperature of the contrastive loss.
        queue_size: int. Number of projections in the queue.
        align_weights: Pair of floats. Weights of features and of projections.
        mean_weight: float. Weight of means relative to covariances.
        legacy_scale: bool. Whether the contrastive loss on the target is
            multiplied by `temperature / 0.07`, as in the authors' code.
        seed: Optional int, seed of the views.

    Raises:
        ValueError: If a number is out of its range or the level unknown.

    References:
    - [Liu et al., 2021](https://openreview.net/forum?id=86NHK__yFDl)
    """

    bn_mode = "update"
    needs_source = ("training", "statistics")
    # The loss is of the statistics of a batch.
    shares_batch = False

    def __init__(
        self,
        level=None,
        projection_dim=128,
        hidden_dim=None,
        temperature=0.5,
        queue_size=256,
        align_weights=(0.05, 0.2),
        mean_weight=0.5,
        legacy_scale=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise ValueError(
                f"`temperature` must be positive. Received: {temperature=}"
            )
        policy = self.dtype_policy
        self.head = ProjectionHead(projection_dim, hidden_dim, dtype=policy)
        self.alignment = MomentAlignment(queue_size, align_weights, mean_weight)
        self.views = RandomViews(seed=seed)
        self.level = level
        self.temperature = temperature
        self.legacy_scale = legacy_scale

    def check(self, network):
        check_rgb(network, self)
        check_levels(network, level=self.taps(network))

    def taps(self, network):
        return (self.level or max(network.encoder.output),)

    def _read(self, features):
        """The level to read, from all levels or from the tapped one alone."""
        return features[self.level or max(features)]

    def build(self, features_shape):
        shape = self._read(features_shape)
        self.head.build(shape)
        self.alignment.build(shape, self.head.compute_output_shape(shape))
        self.built = True

    def contrast(self, trainer, images):
        """The contrastive loss of two views of every image."""
        views = ops.concatenate([self.views(images), self.views(images)], 0)
        projected = self.head(self._read(trainer.encode(views)))
        return nt_xent(projected, self.temperature)

    def source_loss(self, trainer, images, features, supervise):
        return {"contrastive": self.contrast(trainer, images)}

    def collect(self, features):
        x = self._read(features)
        self.alignment.collect(x, self.head(x))

    def target_loss(self, adapter, images, features):
        x = self._read(features)
        scale = self.temperature / 0.07 if self.legacy_scale else 1.0
        contrast = scale * self.contrast(adapter, images)
        return contrast + self.alignment(x, self.head(x))

    def select(self, network):
        return network.variables_up_to(*self.taps(network))

    def default_optimizer(self):
        return keras.optimizers.SGD(0.0001, momentum=0.9)

    def get_config(self):
        own = ("level", "temperature", "legacy_scale")
        aligned = ("queue_size", "align_weights", "mean_weight")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{name: getattr(self.alignment, name) for name in aligned},
            "projection_dim": self.head.projection_dim,
            "hidden_dim": self.head.hidden_dim,
            "seed": self.views.seed,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        # The name of `legacy_scale` in models saved before.
        if "reference_scale" in config:
            config["legacy_scale"] = config.pop("reference_scale")
        return cls(**config)
