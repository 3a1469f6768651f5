import math

import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer

NUM_DRAWS = 11


# Written with `ops`, not with Keras 3.15's augmentation layers:
# - `RandomColorJitter` adds an offset for brightness and takes contrast about
#   the mean of each channel. The authors' code (torchvision) multiplies
#   brightness and takes contrast about the mean of the gray image.
# - In 0 ... 255, `RandomColorJitter` returns values below -90: it clips the
#   saturation to 255 instead of 1. Under a global policy of mixed bfloat16, it
#   computes hue in bfloat16, off by up to 5 of 255 levels.
# - `RandomGrayscale` loses its seed in `get_config`, and neither layer saves
#   its random state.
# - No layer crops a random area and aspect ratio: `RandomCrop` has one size.
#   The flip is part of the weights of the crop, at no cost.
@keras.saving.register_keras_serializable("keras_s4t")
class RandomViews(SeededLayer):
    """Random views of images: crop, flip, color jitter, grayscale.

    The augmentations of SimCLR. Every image has its own draws, in training and
    in inference. A crop is resized to the size of its image.

    Args:
        scale: Pair of floats in (0, 1], the range of the area of the crop as a
            fraction of the image.
        ratio: Pair of positive floats, the range of width over height of the
            crop in pixels. A side longer than that of the image is cut.
        jitter: Four floats in [0, 1], the strengths of brightness, contrast
            and saturation, factors in `[1 - strength, 1 + strength]`, and of
            hue, an offset in `[-strength, strength]` turns. Applied in this
            order.
        jitter_rate: float in [0, 1]. Fraction of the images that are jittered.
        gray_rate: float in [0, 1]. Fraction of the images that are converted to
            grayscale.
        seed: Optional int, seed of the random draws.

    Call arguments:
        images: Tensor of shape `(batch_size, height, width, 3)`, RGB in
            0 ... 255.

    Returns:
        A float32 tensor of the same shape and range.

    Raises:
        ValueError: If a number is out of its range.

    References:
    - [Chen et al., 2020](https://arxiv.org/abs/2002.05709)
    """

    def __init__(
        self,
        scale=(0.2, 1.0),
        ratio=(3 / 4, 4 / 3),
        jitter=(0.4, 0.4, 0.4, 0.1),
        jitter_rate=0.8,
        gray_rate=0.2,
        seed=None,
        **kwargs,
    ):
        # Bfloat16 has 8 bits, too few for products of 8-bit colors.
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        for name, value, ordered, low, high in (
            ("scale", scale, scale, 1e-3, 1),
            ("ratio", ratio, ratio, 1e-3, 1e3),
            ("jitter", jitter, sorted(jitter), 0, 1),
            ("jitter_rate", jitter_rate, [jitter_rate], 0, 1),
            ("gray_rate", gray_rate, [gray_rate], 0, 1),
        ):
            if not low <= ordered[0] <= ordered[-1] <= high:
                raise ValueError(
                    f"`{name}` must be between {low} and {high}, a range in "
                    f"ascending order. Received: {name}={value}"
                )
        self.scale = tuple(scale)
        self.ratio = tuple(ratio)
        self.jitter = tuple(jitter)
        self.jitter_rate = jitter_rate
        self.gray_rate = gray_rate

    def call(self, images):
        shape = (ops.shape(images)[0], NUM_DRAWS)
        return self.transform(
            images, keras.random.uniform(shape, seed=self.seed_generator)
        )

    def transform(self, images, draws):
        """Computes views for given draws.

        `draws` has shape `(batch_size, 11)` and is uniform in [0, 1): area,
        ratio, top and left of the crop, flip, the four factors of the jitter,
        and whether to jitter and to convert to grayscale.
        """
        draws = ops.convert_to_tensor(draws)
        images = ops.cast(images, "float32") / 255
        # Draws broadcast over height, width and channels.
        draws = [draws[:, i, None, None, None] for i in range(NUM_DRAWS)]
        images = self._crop_and_flip(images, *draws[:5])
        jittered = self._jitter(images, *draws[5:9])
        images = ops.where(draws[9] < self.jitter_rate, jittered, images)
        gray = ops.image.rgb_to_grayscale(images)
        return ops.where(draws[10] < self.gray_rate, gray, images) * 255

    def _crop_and_flip(self, images, area, ratio, top, left, flip):
        _, height, width, _ = ops.shape(images)
        ratios = [math.log(value) for value in self.ratio]
        ratio = ops.exp(_between(*ratios, ratio[..., 0]))
        # From pixels to fractions of the sides of the image.
        ratio = ratio * ops.cast(height, "float32") / ops.cast(width, "float32")
        area = _between(*self.scale, area[..., 0])
        rows = ops.minimum(ops.sqrt(area / ratio), 1.0)
        columns = ops.minimum(ops.sqrt(area * ratio), 1.0)
        mirrored = flip[..., 0] < 0.5
        rows = _interpolation(height, top[..., 0] * (1 - rows), rows)
        columns = _interpolation(
            width, left[..., 0] * (1 - columns), columns, mirrored
        )
        images = ops.einsum("bHh,bhwc->bHwc", rows, images)
        return ops.einsum("bWw,bHwc->bHWc", columns, images)

    def _jitter(self, images, brightness, contrast, saturation, hue):
        limits = [(1 - strength, 1 + strength) for strength in self.jitter[:3]]
        images = ops.clip(images * _between(*limits[0], brightness), 0, 1)
        gray = ops.image.rgb_to_grayscale(images)
        mean = ops.mean(gray, axis=(1, 2), keepdims=True)
        images = _blend(mean, images, _between(*limits[1], contrast))
        gray = ops.image.rgb_to_grayscale(images)
        images = _blend(gray, images, _between(*limits[2], saturation))
        hsv = ops.image.rgb_to_hsv(images)
        turn = _between(-self.jitter[3], self.jitter[3], hue)[..., 0]
        turned = ops.mod(hsv[..., 0] + turn, 1.0)
        hsv = ops.stack([turned, hsv[..., 1], hsv[..., 2]], axis=-1)
        return ops.image.hsv_to_rgb(hsv)

    def compute_output_shape(self, images_shape):
        return images_shape

    def get_config(self):
        names = ("scale", "ratio", "jitter", "jitter_rate", "gray_rate")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
        }


def _between(low, high, share):
    return low + (high - low) * share


def _blend(gray, images, factor):
    return ops.clip(gray + (images - gray) * factor, 0, 1)


def _interpolation(length, start, share, mirrored=None):
    """Weights of a bilinear crop along one axis, whose rows sum to one.

    `start` and `share` are the beginning and the length of the crops as
    fractions of the axis, of shape `(batch_size, 1, 1)`, and `mirrored` is
    whether to flip each. The weights have shape `(batch_size, length, length)`.
    """
    size = ops.cast(length, "float32")
    positions = ops.arange(length, dtype="float32")
    places = (positions[None, :, None] + 0.5) / size
    if mirrored is not None:
        places = ops.where(mirrored, 1 - places, places)
    centers = ops.clip((start + share * places) * size - 0.5, 0.0, size - 1)
    return ops.relu(1 - ops.abs(centers - positions))
