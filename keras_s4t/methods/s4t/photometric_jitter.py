import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer


@keras.saving.register_keras_serializable("keras_s4t")
class PhotometricJitter(SeededLayer):
    """Random contrast, brightness, colors and noise.

    Every image has its own draws, in training and in inference. Geometry stays,
    so that predictions of an image and of its jittered copy can be compared.

    Args:
        contrast: float. Contrast about the mean of the image is multiplied by
            a factor in `[1 - contrast, 1 + contrast]`.
        brightness: float. An offset in `[-brightness, brightness]`, in levels.
        color: float. Each channel's contrast is multiplied by a further factor
            in `[1 - color, 1 + color]`.
        noise: float. The standard deviation of Gaussian noise is drawn from
            `[0, noise]`, in levels.
        seed: Optional int, seed of the random draws.

    Call arguments:
        images: Tensor of shape `(batch_size, height, width, channels)`, in
            0 ... 255.

    Returns:
        A float32 tensor of the same shape and range.

    Raises:
        ValueError: If a number is negative, or a factor could be.
    """

    def __init__(
        self,
        contrast=0.3,
        brightness=25.0,
        color=0.1,
        noise=8.0,
        seed=None,
        **kwargs,
    ):
        # Bfloat16 has too few bits for 8-bit colors.
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        for name, value, largest in (
            ("contrast", contrast, 1),
            ("brightness", brightness, 255),
            ("color", color, 1),
            ("noise", noise, 255),
        ):
            if not 0 <= value <= largest:
                raise ValueError(
                    f"`{name}` must be in the range [0, {largest}]. "
                    f"Received: {name}={value}"
                )
        self.contrast = contrast
        self.brightness = brightness
        self.color = color
        self.noise = noise

    def call(self, images):
        images = ops.cast(images, "float32")
        batch_size, _, _, channels = ops.shape(images)
        one, each = (batch_size, 1, 1, 1), (batch_size, 1, 1, channels)
        factor = (1 + self._draw(one, self.contrast)) * (
            1 + self._draw(each, self.color)
        )
        offset = self._draw(one, self.brightness)
        deviation = ops.abs(self._draw(one, self.noise))
        noise = keras.random.normal(ops.shape(images), seed=self.seed_generator)
        mean = ops.mean(images, axis=(1, 2), keepdims=True)
        jittered = (images - mean) * factor + mean + offset + deviation * noise
        return ops.clip(jittered, 0.0, 255.0)

    def _draw(self, shape, limit):
        """Uniform numbers in `[-limit, limit]`."""
        drawn = keras.random.uniform(shape, seed=self.seed_generator)
        return (2 * drawn - 1) * limit

    def get_config(self):
        return {
            **super().get_config(),
            "contrast": self.contrast,
            "brightness": self.brightness,
            "color": self.color,
            "noise": self.noise,
        }
