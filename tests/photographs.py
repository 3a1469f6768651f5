"""Pictures like photographs, without a file."""

import numpy as np
from PIL import Image


def photograph(height=120, width=160, seed=0):
    """Smooth colors with some detail, uint8."""
    rng = np.random.default_rng(seed)
    blobs = rng.uniform(0, 255, (9, 13, 3)).astype("uint8")
    image = Image.fromarray(blobs).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    noise = rng.normal(0, 6, (height, width, 3))
    return np.clip(np.asarray(image) + noise, 0, 255).astype("uint8")
