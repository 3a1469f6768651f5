"""S4T composed as its authors composed it: same weights, same results, slower.

What `benchmark.py` compares this package with. The pyramid is resized to its
finest level and concatenated into one map (3840 channels for ResNet50), every
head is a 1x1 convolution on that map, the task latents are resized to the image
size of the synchronizer before they are cut into patches, batch normalization
is Keras's own, and a prediction runs the synchronizer, too.
"""

from keras import ops

import keras_s4t
from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.methods import S4T
from keras_s4t.methods.s4t.patches import PatchEmbedding
from keras_s4t.models import MultiTaskModel


def _convolve(fused, layer):
    """A `PyramidConv` as the 1x1 convolution that its kernel stands for."""
    dtype = layer.compute_dtype
    kernel = ops.cast(layer.kernel, dtype)
    return ops.conv(fused, kernel) + ops.cast(layer.bias, dtype)


class LiteralNetwork(MultiTaskModel):
    """A `MultiTaskModel` whose features are one map under `"fused"`.

    Args:
        backbone: As `MultiTaskModel` takes it.
        tasks: As `MultiTaskModel` takes them.
        **kwargs: Further arguments of `MultiTaskModel`.
    """

    def __init__(self, backbone, tasks, **kwargs):
        super().__init__(backbone, tasks, fused_norms=False, **kwargs)

    def encode(self, images, training=None, taps=None, keep_state=False):
        features = super().encode(images, training, taps, keep_state)
        size = ops.shape(features[min(features)])[1:3]
        levels = [resize_bilinear(features[k], size) for k in sorted(features)]
        fused = ops.concatenate(levels, axis=-1)
        return {"fused": ops.cast(fused, self.compute_dtype)}

    def decode(self, features, size, training=None, keep_state=False):
        return {
            name: resize_bilinear(_convolve(features["fused"], layer), size)
            for name, layer in self.decoders.items()
        }

    def decode_with_auxiliaries(
        self, features, size, training=None, keep_state=False
    ):
        return self.decode(features, size), []


class LiteralPatchEmbedding(PatchEmbedding):
    """Embeds the concatenation of all latents, resized to `image_size`."""

    def call(self, latents, visible=None):
        if visible is not None:
            raise ValueError(
                "The literal patch embedding hides whole tokens only; use "
                "`mask_strategy='shared'`. Received: a mask per task"
            )
        names = self.task_names
        x = ops.concatenate(
            [resize_bilinear(latents[name], self.image_size) for name in names],
            axis=-1,
        )
        kernel = ops.concatenate([self.kernels[name] for name in names], axis=2)
        x = ops.conv(x, kernel, strides=self.patch_size, padding="valid")
        num_tokens = x.shape[1] * x.shape[2]
        return ops.reshape(x + self.bias, (-1, num_tokens, self.hidden_dim))


class LiteralS4T(S4T):
    """S4T on the fused map of a `LiteralNetwork`."""

    def __init__(self, tasks, **kwargs):
        super().__init__(tasks, **kwargs)
        config = self.synchronizer.patch_embedding.get_config()
        # Deleted first: Keras goes on tracking what is only overwritten.
        del self.synchronizer.patch_embedding
        embedding = LiteralPatchEmbedding.from_config(config)
        self.synchronizer.patch_embedding = embedding

    def project(self, features):
        return {
            name: _convolve(features["fused"], projection.projection)
            for name, projection in self.projections.items()
        }


class LiteralPredictor(keras_s4t.TargetAdapter):
    """Predicts as the authors do: with the synchronizer, for nothing.

    Its outputs are returned as one mean per task under `"synchronizer"`, since
    a compiler would leave out what nobody reads.
    """

    def call(self, images, training=False):
        size = ops.shape(images)[1:3]
        features = self.network.encode(images, training=False)
        latents = self.method.project(features)
        joint = self.method.predict_jointly(latents, size)
        means = [ops.mean(joint[name], axis=(1, 2, 3)) for name in joint]
        return {
            **self.network.decode(features, size),
            "synchronizer": ops.stack(means, axis=-1),
        }
