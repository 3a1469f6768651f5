"""Source images in the style of a target."""

import numpy as np
from keras import ops

from keras_s4t.layers.style import with_style


def restyle(images, target, seed=0):
    """Gives images the channel statistics and the noise of target images.

    Each image is paired with a target image drawn at random. The mean and the
    standard deviation of its channels become those of the target image. Where
    the target image has more noise, Gaussian noise of the missing variance is
    added.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, values
            in 0 ... 255.
        target: Array of shape `(num_targets, height, width, channels)`, of
            any height and width from 3 pixels on, values in 0 ... 255.
        seed: int, or a `numpy.random.Generator`.

    Returns:
        float32 array of the shape of `images`, values in 0 ... 255.

    Raises:
        ValueError: If an array has another shape or is not finite.

    References:

    - The noise is estimated as in Immerkaer, "Fast noise variance
      estimation", CVIU 1996, by the median of the absolute values in place of
      their mean.
    """
    images, target = _checked("images", images), _checked("target", target)
    if images.shape[-1] != target.shape[-1]:
        raise ValueError(
            "`images` and `target` must have as many channels. Received: "
            f"{images.shape[-1]} and {target.shape[-1]}"
        )
    rng = np.random.default_rng(seed)
    paired = target[rng.integers(len(target), size=len(images))]
    noise = rng.standard_normal(images.shape, dtype="float32")
    return ops.convert_to_numpy(with_style(images, paired, noise))


def _checked(name, images):
    array = np.asarray(images, "float32")
    if array.ndim != 4 or not array.size or min(array.shape[1:3]) < 3:
        raise ValueError(
            f"`{name}` must be an array of shape (num_images, height, width, "
            f"channels), at least 3 pixels a side. Received: shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in it"
        )
    return array
