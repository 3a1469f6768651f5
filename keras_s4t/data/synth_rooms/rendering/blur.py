"""Gaussian blur of small pictures."""

import numpy as np


def gaussian_kernel(sigma):
    """Normalized weights of a Gaussian that is truncated at 2.5 sigma.

    Args:
        sigma: float above 0, pixels.

    Returns:
        float32 array of odd length.
    """
    radius = max(1, int(np.ceil(2.5 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (kernel / kernel.sum()).astype(np.float32)


def blur(image, kernel, padding):
    """Convolves rows and columns with a symmetric kernel.

    Args:
        image: float32 array of shape `(height, width, channels)`.
        kernel: float32 array of odd length.
        padding: str, a mode of `np.pad`: `"edge"` or `"constant"` (zero).

    Returns:
        float32 array of the image's shape.
    """
    radius = len(kernel) // 2
    for axis in (0, 1):
        width = [(0, 0)] * 3
        width[axis] = (radius, radius)
        padded = np.pad(image, width, mode=padding)
        size = image.shape[axis]
        image = sum(
            weight * np.take(padded, range(i, i + size), axis=axis)
            for i, weight in enumerate(kernel)
        )
    return image
