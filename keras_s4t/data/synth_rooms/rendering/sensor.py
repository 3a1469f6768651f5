"""Sensor model: converts linear radiance to an 8-bit picture."""

import numpy as np

from keras_s4t.data.synth_rooms.random_stream import RandomStream
from keras_s4t.data.synth_rooms.rendering.blur import blur
from keras_s4t.data.synth_rooms.rendering.blur import gaussian_kernel
from keras_s4t.data.synth_rooms.rendering.vectors import dot

MEAN_BRIGHTNESS = 0.30
HAZE_BRIGHTNESS = 0.55
BRIGHTNESS_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
GRAY_WEIGHTS = (0.299, 0.587, 0.114)
MIN_SIGMA = 0.12
BLUR_REFERENCE_SIZE = 128
WHITE_POINT = 2.2
GAMMA = 2.2


def take_picture(radiance, depth, domain, key, noise=None):
    """Applies exposure, haze, blur, noise and tone mapping.

    Args:
        radiance: float32 array of shape `(size, size, 3)`, linear RGB.
        depth: float32 array of shape `(size, size)`, meters.
        domain: `Domain`.
        key: tuple of ints, `(seed, split, index)`.
        noise: Optional `RandomStream` of the noise, for several pictures by
            one camera. By default, the key has one noise.

    Returns:
        uint8 array of shape `(size, size, 3)`, RGB.
    """
    stream = RandomStream(*key, "sensor")
    exposure = stream.within(domain.exposure)
    white_balance = stream.within(domain.white_balance)
    tint = stream.within(domain.tint)
    contrast = stream.within(domain.contrast)
    saturation = stream.within(domain.saturation)
    vignette = stream.within(domain.vignette)
    sigma = stream.within(domain.blur)
    read_noise = stream.within(domain.read_noise)
    shot_noise = stream.within(domain.shot_noise)
    haze = stream.within(domain.haze)

    x = _expose(radiance, exposure)
    x = _add_haze(x, depth, haze)
    x = x * (1 - vignette * 0.5 * _squared_radius(len(x)))[..., None]
    x = _defocus(x.astype(np.float32), sigma * len(x) / BLUR_REFERENCE_SIZE)
    x = x * np.array([1 + white_balance, 1 + tint, 1 - white_balance])
    deviation = read_noise + shot_noise * np.sqrt(np.maximum(x, 0))
    x = x + (noise or stream).normal(x.shape) * deviation
    x = _tone_map(np.maximum(x, 0))
    gray = dot(x, GRAY_WEIGHTS)[..., None]
    x = gray + saturation * (x - gray)
    x = 0.5 + contrast * (x - 0.5)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _expose(radiance, exposure):
    brightness = np.minimum(dot(radiance, BRIGHTNESS_WEIGHTS), 1.5).mean()
    gain = MEAN_BRIGHTNESS * exposure / max(brightness, 1e-3)
    return radiance * np.float32(gain)


def _add_haze(x, depth, haze):
    if haze <= 0:
        return x
    amount = 1 - np.exp(-haze * depth)[..., None]
    return x * (1 - amount) + HAZE_BRIGHTNESS * amount


def _squared_radius(size):
    """Squared distance from the center, 1 at the middle of each side."""
    y, x = np.mgrid[0:size, 0:size]
    half = size / 2
    return ((x - half) / half) ** 2 + ((y - half) / half) ** 2


def _defocus(x, sigma):
    if sigma < MIN_SIGMA:
        return x
    return blur(x, gaussian_kernel(sigma), "edge")


def _tone_map(x):
    """Extended Reinhard tone mapping and gamma."""
    x = x * (1 + x / WHITE_POINT) / (1 + x)
    return np.clip(x, 0, 1) ** (1 / GAMMA)
