import math

import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer


@keras.saving.register_keras_serializable("keras_s4t")
class NoisePair(SeededLayer):
    """Draws large and small Gaussian noise, a vector per position.

    If both are equally frequent, the probability that a vector `n` of `dim`
    channels is large noise is
    `sigmoid((1 / small^2 - 1 / large^2) |n|^2 / 2 - dim log(large / small))`
    for standard deviations `large` and `small`. The arguments are those of
    `NCTTT`.

    Raises:
        ValueError: If the standard deviations are out of range.
    """

    def __init__(self, sigma_large=0.1, sigma_small=0.015, seed=None, **kwargs):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        if not 0 < sigma_small < sigma_large:
            raise ValueError(
                "`sigma_small` must be positive and `sigma_large` larger. "
                f"Received: sigma_large={sigma_large}, "
                f"sigma_small={sigma_small}"
            )
        self.sigma_large = sigma_large
        self.sigma_small = sigma_small

    def draw(self, shape):
        """Draws a pair `(large, small)` of float32 tensors of a shape."""
        return tuple(
            keras.random.normal(
                shape, stddev=sigma, dtype="float32", seed=self.seed_generator
            )
            for sigma in (self.sigma_large, self.sigma_small)
        )

    def posteriors(self, noises):
        """Probability of every vector to be large noise, with one channel.

        The noises, of equal shape, are concatenated along the first axis.
        """
        noise = ops.concatenate(noises, axis=0)
        squared_length = ops.sum(ops.square(noise), axis=-1, keepdims=True)
        large, small = self.sigma_large, self.sigma_small
        rate = (small**-2 - large**-2) / 2
        threshold = noise.shape[-1] * math.log(large / small)
        return ops.sigmoid(rate * squared_length - threshold)

    def get_config(self):
        return {
            **super().get_config(),
            "sigma_large": self.sigma_large,
            "sigma_small": self.sigma_small,
        }
