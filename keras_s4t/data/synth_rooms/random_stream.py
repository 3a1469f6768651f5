"""A reproducible stream of random numbers."""

import zlib

import numpy as np


class RandomStream:
    """Reproducible random stream that is identified by a key.

    All draws except `normal` are derived from `Generator.random()`, whose
    output is the same in all versions of NumPy.

    Args:
        *key: ints and strings. Equal keys give equal streams. Different keys
            give independent streams.

    Example:
    ```python
    layout = RandomStream(0, 1, 17, "layout")
    width = layout.uniform(3.2, 4.9)
    ```
    """

    def __init__(self, *key):
        self.generator = np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([_word(k) for k in key]))
        )

    def uniform(self, low=0.0, high=1.0):
        """Draws a float uniformly from `[low, high)`."""
        return low + (high - low) * self.generator.random()

    def within(self, bounds):
        """Draws a float uniformly from a `(low, high)` pair."""
        return self.uniform(bounds[0], bounds[1])

    def integer(self, low, high):
        """Draws an int from `low` to `high`, both inclusive."""
        return int(low + np.floor(self.generator.random() * (high - low + 1)))

    def chance(self, probability=0.5):
        """Returns `True` with the given probability."""
        return self.generator.random() < probability

    def choice(self, options, weights=None):
        """Draws one of `options`, uniformly or by `weights`."""
        options = list(options)
        draw = self.generator.random()
        if weights is None:
            index = int(draw * len(options))
        else:
            limits = np.cumsum(np.array(list(weights), float))
            index = int(np.searchsorted(limits, draw * limits[-1], "right"))
        return options[min(index, len(options) - 1)]

    def normal(self, shape):
        """Draws standard normal float64 numbers of the given shape."""
        return self.generator.standard_normal(shape)


def _word(key):
    """Maps one element of a key to 32 bits."""
    if isinstance(key, str):
        return zlib.crc32(key.encode())
    return int(key) & 0xFFFFFFFF
