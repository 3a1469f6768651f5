"""TTT (Sun et al., ICML 2020): prediction of image rotations."""

import keras
from keras import ops

from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_levels
from keras_s4t.methods.ttt.rotation import RandomSquareRotation
from keras_s4t.methods.ttt.rotation_head import RotationHead


@keras.saving.register_keras_serializable("keras_s4t")
class TTT(Method):
    """Predicts the rotation of images, on the source and on the target.

    A random square of every image is rotated by 0 to 3 quarter turns, which a
    head predicts from the features of the encoder. See `RandomSquareRotation`
    and `RotationHead`. Task losses use unrotated images only.

    Moving statistics are updated from the unrotated images of a batch and, with
    `update_statistics`, a second time from the rotated images.

    Args:
        attach: Optional tuple of the levels that the head reads, such as
            `("P3",)`. Defaults to all levels. At test time the encoder is run
            and adapted up to the highest of them.
        hidden_dim: int. Number of hidden units of the head.
        update_head: bool. Whether the head is adapted with the encoder.
        update_statistics: bool. Whether rotated images update moving
            statistics too, in both stages, as in the authors' code. Otherwise
            rotated images are normalized with their own statistics, which are
            then discarded.
        weight: float. Weight of the source loss.
        seed: Optional int. Seed of crops and rotations.

    Raises:
        ValueError: If `hidden_dim` is not positive, or if the network lacks a
            level.

    References:
    - [Sun et al., 2020](https://arxiv.org/abs/1909.13231)
    """

    bn_mode = "update"
    needs_source = ("training",)

    def __init__(
        self,
        attach=None,
        hidden_dim=1024,
        update_head=True,
        update_statistics=True,
        weight=1.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === Layers ===
        self.rotation = RandomSquareRotation(seed, name="rotation")
        self.head = RotationHead(
            hidden_dim, dtype=self.dtype_policy, name="head"
        )

        # === Config ===
        self.attach = None if attach is None else tuple(attach)
        self.update_head = update_head
        self.update_statistics = update_statistics
        self.weight = weight

    def taps(self, network):
        return self.attach or ("P*",)

    def check(self, network):
        if self.attach is not None:
            check_levels(network, attach=self.attach)

    def build(self, features_shape):
        levels = self.attach or features_shape
        self.head.build({level: features_shape[level] for level in levels})
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        return {"rotation": self.weight * self.rotation_loss(trainer, images)}

    def target_loss(self, adapter, images, features):
        return self.rotation_loss(adapter, images)

    def rotation_loss(self, trainer, images):
        """Cross-entropy of one random rotation per image, a scalar."""
        rotated, labels = self.rotation(images)
        features = trainer.encode(rotated, keep_state=self.update_statistics)
        logits = ops.cast(self.head(features), "float32")
        losses = ops.sparse_categorical_crossentropy(labels, logits, True)
        return ops.mean(losses)

    def select(self, network):
        moving = network.encoder.trainable_variables
        if self.attach is not None:
            moving = network.variables_up_to(max(self.attach))
        return moving + self.head.trainable_variables * self.update_head

    def default_optimizer(self):
        return keras.optimizers.SGD(1e-3)

    def get_config(self):
        return {
            **super().get_config(),
            "attach": self.attach,
            "hidden_dim": self.head.hidden_dim,
            "update_head": self.update_head,
            "update_statistics": self.update_statistics,
            "weight": self.weight,
            "seed": self.rotation.seed,
        }
