"""Synthetic corruptions of source images.

They replace the target domain in the choice of hyper-parameters: adapt a source
model to corrupted source images. Most follow the definitions of ImageNet-C
(Hendrycks and Dietterich, ICLR 2019). `haze` follows Koschmieder's law.
"""

import io

import numpy as np
from PIL import Image

#: Strength of the severities 1 ... 5. Shares refer to the range of 255.
STRENGTHS = {
    # Standard deviation of the noise, as a share.
    "gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    # Amount added to or subtracted from every value, as a share.
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    # Factor of the difference from the mean color of the image.
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
    # Standard deviation of the blur, in pixels for a shorter side of 224.
    "blur": (1.0, 2.0, 3.0, 4.0, 6.0),
    # JPEG quality.
    "jpeg": (25, 18, 15, 10, 7),
    # Share of the light that the haze replaces where it is densest.
    "haze": (0.2, 0.35, 0.5, 0.65, 0.8),
}
_BLUR_SIDE = 224
_BLUR_RADIUS = 4.0  # in standard deviations
_VEIL = 0.9 * 255.0  # light gray
_VEIL_KNOTS = 4  # along each side
_VEIL_THINNEST = 0.5  # as a share of the maximum density


def gaussian_noise(images, severity=3, seed=0):
    """Adds independent Gaussian noise to every value.

    All corruptions have the arguments and the result of `corrupt`.
    """
    batch, strength = _prepare(images, "gaussian_noise", severity)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(batch.shape, dtype="float32")
    return _finish(batch + 255.0 * strength * noise, images)


def brightness(images, severity=3, seed=0):
    """Brightens or darkens each image, with equal probability."""
    batch, strength = _prepare(images, "brightness", severity)
    coins = np.random.default_rng(seed).integers(2, size=(len(batch), 1, 1, 1))
    return _finish(batch + 255.0 * strength * (2 * coins - 1), images)


def contrast(images, severity=3, seed=0):
    """Moves values toward the mean of their channel, for each image."""
    del seed
    batch, strength = _prepare(images, "contrast", severity)
    mean = batch.mean(axis=(1, 2), keepdims=True)
    return _finish(mean + strength * (batch - mean), images)


def blur(images, severity=3, seed=0):
    """Blurs with a Gaussian whose width is proportional to the image size.

    Below about 100 pixels, the first severities have little effect.
    """
    del seed
    batch, strength = _prepare(images, "blur", severity)
    deviation = strength * min(batch.shape[1:3]) / _BLUR_SIDE
    radius = max(1, int(np.ceil(_BLUR_RADIUS * deviation)))
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / deviation) ** 2)
    weights = (weights / weights.sum()).astype("float32")
    for axis in (1, 2):
        size = batch.shape[axis]
        pad = [(0, 0)] * 4
        pad[axis] = (radius, radius)
        padded = np.pad(batch, pad, mode="symmetric")
        batch = sum(
            weight * padded.take(range(start, start + size), axis=axis)
            for start, weight in enumerate(weights)
        )
    return _finish(batch, images)


def jpeg(images, severity=3, seed=0):
    """Encodes images as JPEG and decodes them."""
    del seed
    batch, strength = _prepare(images, "jpeg", severity)
    decoded = [_jpeg_round_trip(image, strength) for image in batch]
    return _finish(np.stack(decoded), images)


def haze(images, severity=3, seed=0):
    """Blends images with light gray, with a smoothly varying density.

    A value `x` becomes `(1 - d) * x + d * 0.9 * 255`, where the density `d` is
    between half of the strength and the strength.
    """
    batch, strength = _prepare(images, "haze", severity)
    shape = (len(batch), _VEIL_KNOTS, _VEIL_KNOTS, 1)
    density = np.random.default_rng(seed).uniform(_VEIL_THINNEST, 1.0, shape)
    for axis in (1, 2):
        density = _stretch(density, axis, batch.shape[axis])
    density = (strength * density).astype("float32")
    return _finish((1.0 - density) * batch + density * _VEIL, images)


CORRUPTIONS = {
    "gaussian_noise": gaussian_noise,
    "brightness": brightness,
    "contrast": contrast,
    "blur": blur,
    "jpeg": jpeg,
    "haze": haze,
}


def corrupt(images, name, severity=3, seed=0):
    """Corrupts images.

    Args:
        images: Array of shape `(num_images, height, width, 3)` or
            `(height, width, 3)`, values in `[0, 255]`.
        name: string, a key of `CORRUPTIONS`.
        severity: int in 1 ... 5. Index into the rows of `STRENGTHS`.
        seed: int or sequence of ints. Equal seeds give equal results. A
            stream should use another seed for every batch, such as
            `(seed, batch)`.

    Returns:
        float32 array of the same shape, values in `[0, 255]`.

    Raises:
        ValueError: If the name or the severity is unknown, or if the images
            are not RGB images.

    Example:
    ```python
    darker_or_lighter = corrupt(images, "brightness", severity=2, seed=7)
    ```
    """
    if name not in CORRUPTIONS:
        raise ValueError(
            f"`name` must be one of {sorted(CORRUPTIONS)}. "
            f"Received: name={name!r}"
        )
    return CORRUPTIONS[name](images, severity=severity, seed=seed)


def _prepare(images, name, severity):
    """Checks arguments. Returns a float32 batch and the strength."""
    strengths = STRENGTHS[name]
    if severity not in range(1, len(strengths) + 1):
        raise ValueError(
            f"`severity` must be an integer in 1 ... {len(strengths)}. "
            f"Received: severity={severity!r}"
        )
    shape = np.shape(images)
    if len(shape) not in (3, 4) or shape[-1] != 3 or 0 in shape:
        raise ValueError(
            "`images` must have the shape (num_images, height, width, 3) or "
            f"(height, width, 3). Received: images of shape {shape}"
        )
    batch = np.asarray(images, "float32").reshape((-1, *shape[-3:]))
    return batch, strengths[severity - 1]


def _finish(batch, images):
    clipped = np.clip(batch, 0.0, 255.0).astype("float32")
    return clipped.reshape(np.shape(images))


def _jpeg_round_trip(image, quality):
    file = io.BytesIO()
    rounded = np.rint(np.clip(image, 0.0, 255.0)).astype("uint8")
    # The usual chroma subsampling, independent of the default of Pillow.
    Image.fromarray(rounded).save(
        file, "JPEG", quality=quality, subsampling="4:2:0"
    )
    with Image.open(file) as decoded:
        return np.asarray(decoded, "float32")


def _stretch(knots, axis, size):
    """Linear interpolation along an axis with aligned corners."""
    place = np.linspace(0.0, knots.shape[axis] - 1.0, size)
    before = np.minimum(place.astype(int), knots.shape[axis] - 2)
    shape = [1] * knots.ndim
    shape[axis] = size
    share = (place - before).reshape(shape)
    left, right = knots.take(before, axis), knots.take(before + 1, axis)
    return (1.0 - share) * left + share * right
