"""Image reconstruction, an ablation of S4T (Table 2 of the S4T paper)."""

import keras
from keras import ops

from keras_s4t.layers.pyramid_conv import PyramidConv
from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.losses import absolute_error
from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import check_rgb
from keras_s4t.methods.s4t.patches import normalize_patches
from keras_s4t.methods.s4t.task_behavior_synchronizer import (
    TaskBehaviorSynchronizer,
)


@keras.saving.register_keras_serializable("keras_s4t")
class S4TImageRecon(Method):
    """Reconstructs the image instead of tasks, as masked autoencoders do.

    This ablation of S4T measures the contribution of relations between tasks.
    One projection without task supervision, as wide as all projections of S4T
    together, is masked. The synchronizer reconstructs the normalized image from
    it. The loss is the absolute error, summed over channels and averaged over
    all pixels. It is the same on source and target and does not use decoders.

    Args:
        latent_dim: int. Channels of the projection. The width of S4T is 64
            times the number of tasks.
        source_weight: float. Weight of the reconstruction on the source.
        target_weight: float. Weight of the target loss.
        mask_ratio: float in [0, 1). Share of hidden patches.
        norm_pix: bool. Whether every patch of the target is normalized to
            mean 0 and standard deviation 1.
        synchronizer: Optional dict of further arguments of the
            `TaskBehaviorSynchronizer`.
        seed: Optional int. Seed of the masks.
    """

    bn_mode = "update"
    needs_source = ("training",)

    def __init__(
        self,
        latent_dim=256,
        source_weight=1.0,
        target_weight=0.01,
        mask_ratio=0.8,
        norm_pix=False,
        synchronizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === Layers ===
        policy = self.dtype_policy
        self.projection = PyramidConv(
            latent_dim, dtype=policy, name="projection"
        )
        self.synchronizer = TaskBehaviorSynchronizer(
            {"image": 3},
            mask_ratio=mask_ratio,
            seed=seed,
            dtype=policy,
            name="synchronizer",
            **(synchronizer or {}),
        )

        # === Config ===
        self.latent_dim = latent_dim
        self.source_weight = source_weight
        self.target_weight = target_weight
        self.mask_ratio = mask_ratio
        self.norm_pix = norm_pix
        self.synchronizer_options = dict(synchronizer or {})
        self.seed = seed

    def check(self, network):
        check_rgb(network, self)

    def build(self, features_shape):
        self.projection.build(features_shape)
        shape = self.projection.compute_output_shape(features_shape)
        self.synchronizer.build({"image": shape})
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        error = self.reconstruction_error(trainer, images, features)
        return {"reconstruction": self.source_weight * error}

    def target_loss(self, adapter, images, features):
        error = self.reconstruction_error(adapter, images, features)
        return self.target_weight * error

    def reconstruction_error(self, trainer, images, features):
        """Absolute error of the reconstructed normalized images."""
        target = ops.cast(trainer.network.normalization(images), "float32")
        if self.norm_pix:
            synchronizer = self.synchronizer
            target = resize_bilinear(target, synchronizer.image_size)
            target = normalize_patches(target, synchronizer.patch_size)
        latents = {"image": self.projection(features)}
        output = self.synchronizer(latents)["image"]
        output = resize_bilinear(output, ops.shape(target)[1:3])
        return absolute_error(target, output)

    def select(self, network):
        moving = (network.encoder, self.projection, self.synchronizer)
        return [v for layer in moving for v in layer.trainable_variables]

    def default_optimizer(self):
        return keras.optimizers.SGD(2e-5, weight_decay=1e-6)

    def get_config(self):
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "source_weight": self.source_weight,
            "target_weight": self.target_weight,
            "mask_ratio": self.mask_ratio,
            "norm_pix": self.norm_pix,
            "synchronizer": self.synchronizer_options,
            "seed": self.seed,
        }
