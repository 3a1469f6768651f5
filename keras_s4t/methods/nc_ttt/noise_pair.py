import math

import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer


@keras.saving.register_keras_serializable("keras_s4t")
class NoisePair(SeededLayer):
    """Draws large and small Gaussian noise, to be told from each other.

    Noise is a vector per position. How likely a vector is one of the large
    noise, both kinds being drawn equally often, depends on its length alone,
    `sigmoid((1 / small^2 - 1 / large^2) |n|^2 / 2 - dim log(large / small))`
    for standard deviations `large` and `small`.

    Args:
        sigma_large: float. Standard deviation of the large noise, per channel.
        sigma_small: float, positive and below `sigma_large`. That of the
            small noise.
        seed: Optional int, seed of the noise.

    Raises:
        ValueError: If the standard deviations are out of range. In the other
            order, "large" would mean small, in the loss at test time too.
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
        """Draws noise of both kinds.

        Args:
            shape: Shape of the noise of each kind, channels last.

        Returns:
            Pair `(large, small)` of float32 tensors of that shape.
        """
        return tuple(
            keras.random.normal(
                shape, stddev=sigma, dtype="float32", seed=self.seed_generator
            )
            for sigma in (self.sigma_large, self.sigma_small)
        )

    def posteriors(self, noises):
        """How likely every vector is large noise.

        Args:
            noises: Sequence of float32 tensors of one shape, channels last.

        Returns:
            A float32 tensor in [0, 1] of that shape, but with one channel, and
            the noises one after the other on the first axis.
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
