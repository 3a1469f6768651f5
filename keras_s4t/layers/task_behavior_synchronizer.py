import keras
from keras import layers
from keras import ops

from keras_s4t.layers.patches import PatchEmbedding
from keras_s4t.layers.patches import unpatchify
from keras_s4t.layers.position_embedding import sine_position_embedding
from keras_s4t.layers.random_masking import RandomMasking
from keras_s4t.layers.transformer import Transformer


@keras.saving.register_keras_serializable("keras_s4t")
class TaskBehaviorSynchronizer(keras.layers.Layer):
    """TBS: predicts every task from masked task latents.

    A small masked Vision Transformer (section 3.3). Patches of all task
    latents are embedded in one token per position, most of them are masked,
    and the decoder predicts the labels of every task at every position, so
    that the relations between tasks must be learned.

    With `mask_strategy="shared"` hidden tokens are dropped before the encoder
    and replaced by a mask token after it. The other strategies hide single
    tasks within a token; they keep all tokens and need no mask token.

    Args:
        num_outputs: dict from task name to its number of output channels.
            Channels are addressed by name; the order does not matter.
        image_size: int or pair of ints, the `(height, width)` that latents are
            resized to and predictions are made at. Multiples of `patch_size`.
        patch_size: int. Side of a patch, in pixels of `image_size`.
        hidden_dim: int. Token size, a multiple of 4.
        num_heads: int. Attention heads.
        num_layers: int. Transformer blocks of the encoder.
        num_decoder_layers: int. Transformer blocks of the decoder.
        mlp_ratio: int. Hidden size of the MLPs over `hidden_dim`.
        mask_ratio: float in [0, 1). Share of the patches that is hidden.
        mask_strategy: `"shared"`, `"random"`, `"disjoint"` or
            `"hide_tasks"`; see `RandomMasking`.
        drop_tokens: Optional bool. Whether hidden tokens are dropped; only
            possible, and the default, with `"shared"`.
        seed: Optional int, seed of the masks.

    Call arguments:
        latents: dict from task name to a tensor of shape
            `(batch_size, height, width, latent_dim)`.

    Returns:
        dict from task name to raw outputs of shape
        `(batch_size, *image_size, num_outputs[name])`.

    Raises:
        ValueError: If sizes do not divide, the mask is not possible, or tokens
            are to be dropped with per-task masks.
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
        mlp_ratio=4,
        mask_ratio=0.8,
        mask_strategy="shared",
        drop_tokens=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(image_size, int):
            image_size = (image_size, image_size)
        if any(length % patch_size for length in image_size):
            raise ValueError(
                "`image_size` must be a multiple of `patch_size`. Received: "
                f"image_size={image_size}, patch_size={patch_size}"
            )
        if drop_tokens is None:
            drop_tokens = mask_strategy == "shared"
        if drop_tokens and mask_strategy != "shared":
            raise ValueError(
                "`drop_tokens=True` needs one mask for all tasks, "
                "`mask_strategy='shared'`. "
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
        self.mlp_ratio = mlp_ratio
        self.mask_ratio = mask_ratio
        self.mask_strategy = mask_strategy
        self.drop_tokens = drop_tokens
        self.seed = seed

        # === Layers ===
        policy = self.dtype_policy
        task_names = list(self.num_outputs)
        grid = [length // patch_size for length in self.image_size]
        self.grid_size = tuple(grid)
        self.patch_embedding = PatchEmbedding(
            task_names,
            hidden_dim,
            self.image_size,
            patch_size,
            dtype=policy,
            name="patch_embedding",
        )
        self.masking = RandomMasking(
            grid[0] * grid[1],
            task_names,
            mask_ratio,
            mask_strategy,
            seed=seed,
            name="masking",
        )
        self.encoder = Transformer(
            num_layers,
            hidden_dim,
            num_heads,
            mlp_ratio * hidden_dim,
            dtype=policy,
            name="encoder",
        )
        self.decoder_embedding = layers.Dense(
            hidden_dim, dtype=policy, name="decoder_embedding"
        )
        self.decoder = Transformer(
            num_decoder_layers,
            hidden_dim,
            num_heads,
            mlp_ratio * hidden_dim,
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
            self.mask_token = self.add_weight(
                name="mask_token",
                shape=(1, 1, self.hidden_dim),
                initializer=keras.initializers.RandomNormal(stddev=0.02),
            )
        for layer in (
            self.encoder,
            self.decoder_embedding,
            self.decoder,
            *self.predictors.values(),
        ):
            layer.build(tokens_shape)
        self.positions = sine_position_embedding(
            self.grid_size, self.hidden_dim
        )[None]
        self.built = True

    def call(self, latents):
        batch_size = ops.shape(next(iter(latents.values())))[0]
        if self.drop_tokens:
            tokens = self._encode_visible(latents, batch_size)
        else:
            visible = self.masking.visible_maps(batch_size)
            tokens = self._encode(self._embed(latents, visible))
        tokens = self.decoder(tokens + ops.cast(self.positions, tokens.dtype))
        return {
            name: unpatchify(
                predictor(tokens), self.image_size, self.patch_size
            )
            for name, predictor in self.predictors.items()
        }

    def _embed(self, latents, visible=None):
        tokens = self.patch_embedding(latents, visible=visible)
        return tokens + ops.cast(self.positions, tokens.dtype)

    def _encode(self, tokens):
        return self.decoder_embedding(self.encoder(tokens))

    def _encode_visible(self, latents, batch_size):
        kept, restore = self.masking.visible_tokens(batch_size)
        tokens = self._embed(latents)
        tokens = ops.take_along_axis(tokens, kept[:, :, None], axis=1)
        tokens = self._encode(tokens)
        num_hidden = self.masking.num_tokens - self.masking.num_visible
        hidden = ops.broadcast_to(
            ops.cast(self.mask_token, tokens.dtype),
            (batch_size, num_hidden, self.hidden_dim),
        )
        tokens = ops.concatenate([tokens, hidden], axis=1)
        return ops.take_along_axis(tokens, restore[:, :, None], axis=1)

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
            "mlp_ratio": self.mlp_ratio,
            "mask_ratio": self.mask_ratio,
            "mask_strategy": self.mask_strategy,
            "drop_tokens": self.drop_tokens,
            "seed": self.seed,
        }
