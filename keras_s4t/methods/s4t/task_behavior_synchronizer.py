import math

import keras
from keras import layers
from keras import ops

from keras_s4t.methods.s4t.mask_token import MaskToken
from keras_s4t.methods.s4t.patches import PatchEmbedding
from keras_s4t.methods.s4t.patches import unpatchify
from keras_s4t.methods.s4t.position_embedding import sine_position_embedding
from keras_s4t.methods.s4t.random_masking import RandomMasking
from keras_s4t.methods.s4t.transformer import Transformer


@keras.saving.register_keras_serializable("keras_s4t")
class TaskBehaviorSynchronizer(keras.layers.Layer):
    """Predicts every task from masked task latents (TBS).

    A small masked Vision Transformer (section 3.3). A token embeds the patches
    of all task latents at one position. Most patches are masked, and every task
    is predicted at all positions, so that the layer learns relations between
    tasks.

    With `mask_strategy="shared"`, hidden tokens are dropped before the encoder
    and replaced by a mask token after it. The other strategies hide single
    tasks within tokens and keep all tokens.

    Args:
        num_outputs: dict from task name to its number of output channels.
            Their order does not matter.
        image_size: int or pair of ints, the `(height, width)` of resized
            latents and of predictions. Multiples of `patch_size`.
        patch_size: int. Side of a patch, in pixels of `image_size`.
        hidden_dim: int. Token size, a multiple of 4.
        num_heads: int. Number of attention heads.
        num_layers: int. Number of encoder blocks.
        num_decoder_layers: int. Number of decoder blocks.
        mask_ratio: float in [0, 1). Share of hidden patches.
        mask_strategy: `"shared"`, `"random"`, `"disjoint"` or
            `"hide_tasks"`; see `RandomMasking`.
        drop_tokens: Optional bool. Whether hidden tokens are dropped. Only
            possible with `"shared"`, where it is the default.
        seed: Optional int. Seed of the masks.

    Call arguments:
        latents: dict from task name to a tensor of shape
            `(batch_size, height, width, latent_dim)`.

    Returns:
        dict from task name to raw outputs of shape
        `(batch_size, *image_size, num_outputs[name])`.

    Raises:
        ValueError: If `patch_size` does not divide `image_size`, or if the
            mask is not possible.
    """

    def __init__(
        self,
        num_outputs,
        image_size=256,
        patch_size=16,
        hidden_dim=64,
        num_heads=4,
        num_layers=4,
        num_decoder_layers=2,
        mask_ratio=0.8,
        mask_strategy="shared",
        drop_tokens=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(image_size, int):
            image_size = (image_size, image_size)
        if any(n % patch_size for n in image_size):
            raise ValueError(
                "`image_size` must be a multiple of `patch_size`. Received: "
                f"image_size={image_size}, patch_size={patch_size}"
            )
        is_shared = mask_strategy == "shared"
        drop_tokens = is_shared if drop_tokens is None else drop_tokens
        if drop_tokens and not is_shared:
            raise ValueError(
                "`drop_tokens=True` needs `mask_strategy='shared'`. "
                f"Received: mask_strategy={mask_strategy!r}"
            )
        # === Config ===
        self.num_outputs = dict(sorted(num_outputs.items()))
        self.image_size = tuple(image_size)
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.num_layers = num_layers
        self.num_decoder_layers = num_decoder_layers
        self.mask_ratio = mask_ratio
        self.mask_strategy = mask_strategy
        self.drop_tokens = drop_tokens
        self.seed = seed

        # === Layers ===
        policy = self.dtype_policy
        self.patch_embedding = PatchEmbedding(
            list(self.num_outputs),
            hidden_dim,
            self.image_size,
            patch_size,
            dtype=policy,
            name="patch_embedding",
        )
        self.masking = RandomMasking(
            math.prod(self.image_size) // patch_size**2,
            list(self.num_outputs),
            mask_ratio,
            mask_strategy,
            seed=seed,
            name="masking",
        )
        self.encoder = Transformer(
            num_layers,
            hidden_dim,
            num_heads,
            4 * hidden_dim,
            dtype=policy,
            name="encoder",
        )
        self.decoder_embedding = layers.Dense(
            hidden_dim, dtype=policy, name="decoder_embedding"
        )
        if drop_tokens:
            self.mask_token = MaskToken(dtype=policy, name="mask_token")
        self.decoder = Transformer(
            num_decoder_layers,
            hidden_dim,
            num_heads,
            4 * hidden_dim,
            dtype=policy,
            name="decoder",
        )
        self.predictors = {
            name: layers.Dense(
                patch_size**2 * channels, dtype=policy, name=f"{name}_predictor"
            )
            for name, channels in self.num_outputs.items()
        }

    def build(self, latents_shape):
        self.patch_embedding.build(latents_shape)
        tokens_shape = self.patch_embedding.compute_output_shape(latents_shape)
        if self.drop_tokens:
            self.mask_token.build(tokens_shape)
        for layer in (
            self.encoder,
            self.decoder_embedding,
            self.decoder,
            *self.predictors.values(),
        ):
            layer.build(tokens_shape)
        grid_size = [n // self.patch_size for n in self.image_size]
        positions = sine_position_embedding(grid_size, self.hidden_dim)
        self.positions = positions[None]
        self.built = True

    def call(self, latents):
        batch_size = ops.shape(next(iter(latents.values())))[0]
        if self.drop_tokens:
            kept, restore = self.masking.visible_tokens(batch_size)
            tokens = self._with_positions(self.patch_embedding(latents))
            tokens = ops.take_along_axis(tokens, kept[:, :, None], axis=1)
        else:
            visible = self.masking.visible_maps(batch_size)
            tokens = self.patch_embedding(latents, visible=visible)
            tokens = self._with_positions(tokens)
        tokens = self.decoder_embedding(self.encoder(tokens))
        if self.drop_tokens:
            tokens = self.mask_token(tokens, restore)
        return self._predict(tokens)

    def unmasked(self, latents):
        """As the call, with no patch hidden and nothing drawn.

        Args:
            latents: As in the call arguments.

        Returns:
            dict, as that of the call.
        """
        tokens = self._with_positions(self.patch_embedding(latents))
        return self._predict(self.decoder_embedding(self.encoder(tokens)))

    def _predict(self, tokens):
        tokens = self.decoder(self._with_positions(tokens))
        sizes = self.image_size, self.patch_size
        return {
            name: unpatchify(predictor(tokens), *sizes)
            for name, predictor in self.predictors.items()
        }

    def _with_positions(self, tokens):
        return tokens + ops.cast(self.positions, tokens.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_outputs": self.num_outputs,
            "image_size": self.image_size,
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "num_layers": self.num_layers,
            "num_decoder_layers": self.num_decoder_layers,
            "mask_ratio": self.mask_ratio,
            "mask_strategy": self.mask_strategy,
            "drop_tokens": self.drop_tokens,
            "seed": self.seed,
        }
