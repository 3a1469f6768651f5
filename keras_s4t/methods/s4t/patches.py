import math

import keras
from keras import initializers
from keras import ops

from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.methods.s4t.folding import fold_resize


@keras.saving.register_keras_serializable("keras_s4t")
class PatchEmbedding(keras.layers.Layer):
    """Embeds the patches of several task latents at a position in one token.

    Every latent is resized to `image_size` and cut into patches. If the sizes
    allow it, the resize is folded into the kernel without approximation. The
    linear embedding of the concatenated latents is a sum over tasks:
    `token[p] = bias + sum_t kernel_t . patch_t[p]`. Each task has its own
    kernel, so that latents are addressed by task name and a task can be hidden
    from a token by leaving out its term.

    Args:
        task_names: Names of the tasks.
        hidden_dim: int. Token size.
        image_size: Pair of ints, the `(height, width)` to which latents are
            resized. Multiples of `patch_size`.
        patch_size: int. Side of a patch.

    Call arguments:
        latents: dict from task name to a tensor of shape
            `(batch_size, height, width, latent_dim)`.
        visible: Optional dict from task name to a float tensor of shape
            `(batch_size, num_tokens)`: 1 where the task is visible in the
            token, 0 where it is hidden.

    Returns:
        Tokens of shape `(batch_size, num_tokens, hidden_dim)`, row-major.
    """

    def __init__(
        self, task_names, hidden_dim, image_size, patch_size, **kwargs
    ):
        super().__init__(**kwargs)
        # === Config ===
        self.task_names = sorted(task_names)
        self.hidden_dim = hidden_dim
        self.image_size = tuple(image_size)
        self.patch_size = patch_size

    def build(self, latents_shape):
        latent_dims = [latents_shape[name][-1] for name in self.task_names]
        # The Glorot bound of the concatenated kernels.
        fan_in = self.patch_size**2 * sum(latent_dims)
        bound = math.sqrt(6 / (fan_in + self.hidden_dim))
        self.kernels = {
            name: self.add_weight(
                name=f"{name}_kernel",
                shape=(self.patch_size, self.patch_size, dim, self.hidden_dim),
                initializer=initializers.RandomUniform(-bound, bound),
            )
            for name, dim in zip(self.task_names, latent_dims, strict=True)
        }
        self.bias = self.add_weight(
            name="bias", shape=(self.hidden_dim,), initializer="zeros"
        )
        self.built = True

    def call(self, latents, visible=None):
        tokens = self.bias
        for name in self.task_names:
            task_tokens = self._embed(latents[name], self.kernels[name])
            if visible is not None:
                shown = ops.cast(visible[name], task_tokens.dtype)
                task_tokens = task_tokens * ops.expand_dims(shown, -1)
            tokens = tokens + task_tokens
        return tokens

    def _embed(self, latent, kernel):
        scales = [
            _whole_scale(old, new, self.patch_size)
            for old, new in zip(latent.shape[1:3], self.image_size, strict=True)
        ]
        if all(scales):
            latent, kernel = fold_resize(latent, kernel, scales)
            strides = tuple(self.patch_size // scale for scale in scales)
        else:
            latent = resize_bilinear(latent, self.image_size)
            strides = self.patch_size
        x = ops.conv(latent, kernel, strides=strides, padding="valid")
        rows, columns = (size // self.patch_size for size in self.image_size)
        return ops.reshape(x, (-1, rows * columns, self.hidden_dim))

    def compute_output_shape(self, latents_shape):
        batch_size = latents_shape[self.task_names[0]][0]
        num_tokens = math.prod(self.image_size) // self.patch_size**2
        return (batch_size, num_tokens, self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "task_names": self.task_names,
            "hidden_dim": self.hidden_dim,
            "image_size": self.image_size,
            "patch_size": self.patch_size,
        }


def _whole_scale(old, new, patch_size):
    """Upsampling factor if it is an integer that divides the patch size."""
    if not old or new % old or patch_size % (new // old):
        return None
    return new // old


def unpatchify(tokens, image_size, patch_size):
    """Arranges tokens as an image, the inverse of cutting it into patches.

    Args:
        tokens: Tensor of shape `(batch_size, num_tokens, patch_size *
            patch_size * channels)`: row-major tokens, each holding a patch as
            `(row, column, channel)`.
        image_size: Pair of ints, `(height, width)`.
        patch_size: int. Side of a patch.

    Returns:
        A tensor of shape `(batch_size, height, width, channels)`.
    """
    height, width = image_size
    rows, columns = height // patch_size, width // patch_size
    channels = tokens.shape[-1] // patch_size**2
    x = ops.reshape(
        tokens, (-1, rows, columns, patch_size, patch_size, channels)
    )
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, height, width, channels))


def normalize_patches(images, patch_size):
    """Normalizes every patch to mean 0 and standard deviation 1.

    The moments are those of all pixels and channels of a patch, as for the
    targets of masked autoencoders.

    Args:
        images: Float32 tensor of shape `(batch_size, height, width,
            channels)`; height and width are multiples of `patch_size`.
        patch_size: int. Side of a patch.

    Returns:
        A tensor of the same shape.
    """
    height, width, channels = images.shape[1:]
    x = ops.reshape(
        images,
        (
            -1,
            height // patch_size,
            patch_size,
            width // patch_size,
            patch_size,
            channels,
        ),
    )
    mean = ops.mean(x, axis=(2, 4, 5), keepdims=True)
    variance = ops.var(x, axis=(2, 4, 5), keepdims=True)
    x = (x - mean) * ops.rsqrt(variance + 1e-6)
    return ops.reshape(x, (-1, height, width, channels))
