import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer


@keras.saving.register_keras_serializable("keras_s4t")
class RandomSquareRotation(SeededLayer):
    """Rotates every image by a random number of quarter turns.

    Images that are not square are first randomly cropped to squares of their
    shorter side. Sizes may be unknown in a TensorFlow graph.

    Args:
        seed: Optional int. Seed of crops and rotations.

    Call arguments:
        images: Tensor of shape `(batch_size, height, width, channels)`, of
            any range.

    Returns:
        Pair of the rotated squares, of shape
        `(batch_size, side, side, channels)` with
        `side = min(height, width)`, and the number of quarter turns of each,
        int32 in 0 ... 3, of shape `(batch_size,)`.
    """

    def __init__(self, seed=None, **kwargs):
        # Half precision would round the gray levels.
        super().__init__(seed, **{**kwargs, "dtype": "float32"})

    def call(self, images):
        squares = self.crop(images)
        labels = keras.random.randint(
            (ops.shape(images)[0],), 0, 4, "int32", self.seed_generator
        )
        return rotate(squares, labels), labels

    def crop(self, images):
        """Crops every image to a random square."""
        static_height, static_width = images.shape[1:3]
        if static_height is not None and static_height == static_width:
            return images
        batch_size, height, width, _ = ops.shape(images)
        if static_height is not None and static_width is not None:
            # `ops.minimum` would not be static under `jax.jit`.
            side = min(height, width)
        else:
            side = ops.minimum(height, width)
        steps = ops.arange(side, dtype="int32")
        rows = self._starts(batch_size, height - side)[:, None] + steps
        columns = self._starts(batch_size, width - side)[:, None] + steps
        # A single gather from the flat list of pixels of the batch.
        rows = ops.arange(batch_size, dtype="int32")[:, None] * height + rows
        pixels = rows[:, :, None] * width + columns[:, None, :]
        channels = images.shape[-1]
        return ops.take(ops.reshape(images, (-1, channels)), pixels, axis=0)

    def _starts(self, batch_size, slack):
        """Uniform integers in 0 ... slack. `slack` may be a tensor."""
        draws = keras.random.uniform((batch_size,), seed=self.seed_generator)
        return ops.cast(draws * ops.cast(slack + 1, "float32"), "int32")


def rotate(images, quarter_turns):
    """Rotates every image by its own number of quarter turns.

    The turns are integers in 0 ... 3, of shape `(batch_size,)`, and
    counterclockwise, as in `np.rot90`.
    """
    turns = quarter_turns[:, None, None, None]
    turned = ops.flip(ops.transpose(images, (0, 2, 1, 3)), axis=1)
    images = ops.where(turns % 2 == 1, turned, images)
    return ops.where(turns >= 2, ops.flip(images, axis=(1, 2)), images)
