"""Decoding and resizing of images, the same with TensorFlow and without.

Batch norm statistics react to the means of colors and to fine detail, and so
does adaptation. Every entrance of the package decodes and resizes here:

- JPEG is decoded with the accurate inverse cosine transform, which is that of
  Pillow and of most other libraries. TensorFlow's default makes images darker,
  red and blue by more than one level.
- Images are resized with a triangle filter that is as wide as the larger pixel
  (antialiased), in float32, with half-pixel centers.
"""

import re

import numpy as np
from PIL import Image
from PIL import ImageOps

# Modes of Pillow for pictures of 8 bits a channel, or read as such.
PICTURE_MODES = ("RGB", "RGBA", "L", "LA", "P", "PA", "CMYK", "YCbCr")
# Pixels above which a file is refused before it is decoded.
MAX_PIXELS = 100_000_000
# A longer strip has no shape of a photograph, and would fill the memory once
# its shorter side is enlarged.
MAX_ASPECT_RATIO = 20
# A label map has few values, a photograph many.
MIN_COLORS = 65


def decode_tensor(data):
    """Decodes a JPEG or PNG in TensorFlow.

    Args:
        data: Scalar string tensor, the bytes of the file. PNGs of 16 bits are
            read as 8 bits, as Pillow does.

    Returns:
        uint8 tensor of shape `(height, width, 3)`, RGB.
    """
    import tensorflow as tf

    # The operation decodes PNGs, too.
    return tf.io.decode_jpeg(
        data, channels=3, dct_method="INTEGER_ACCURATE", name="decode_image"
    )


def read_photograph(path):
    """Reads a photograph with Pillow.

    Args:
        path: Path of an image file.

    Returns:
        uint8 array of shape `(height, width, 3)`, RGB, turned as its metadata
        say. Palettes are applied, transparency is dropped, and 16-bit RGB is
        read as 8 bits.

    Raises:
        ValueError: If the file cannot be read, is too large or too narrow, or
            looks like a label map or a depth map.
    """
    try:
        with Image.open(path) as image:
            _check_size(path, image.size)
            if image.mode not in PICTURE_MODES:
                raise ValueError(
                    f"{path} must be a photograph of 8 bits a channel. "
                    f"Received: mode {image.mode!r}"
                )
            is_map = image.mode in ("P", "L")
            if is_map and image.getcolors(MIN_COLORS - 1) is not None:
                raise ValueError(
                    f"{path} looks like a label map: fewer than {MIN_COLORS} "
                    "values. Received: mode "
                    f"{image.mode!r} with {len(image.getcolors())} values"
                )
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _check_size(path, size):
    if np.prod(size, dtype="int64") > MAX_PIXELS:
        raise ValueError(
            f"{path} must have at most {MAX_PIXELS:,} pixels. "
            f"Received: {size[0]}x{size[1]}"
        )
    if max(size) > MAX_ASPECT_RATIO * min(size):
        raise ValueError(
            f"The sides of {path} must have a ratio of at most "
            f"{MAX_ASPECT_RATIO}. Received: {size[0]}x{size[1]}"
        )


def resize_tensor(images, size):
    """Resizes images in TensorFlow.

    Args:
        images: Tensor of shape `(height, width, channels)` or with a leading
            axis.
        size: Pair of ints or int32 tensors, `(height, width)`.

    Returns:
        float32 tensor.
    """
    import tensorflow as tf

    return tf.image.resize(images, size, "bilinear", antialias=True)


def resize_array(image, size):
    """Resizes an image in NumPy, as `resize_tensor` does.

    Args:
        image: Array of shape `(height, width, channels)`.
        size: Pair of ints, `(height, width)`.

    Returns:
        float32 array.
    """
    image = np.asarray(image, "float32")
    if image.shape[:2] == tuple(size):
        return image
    channels = [
        # Mode "F" has no rounding.
        Image.fromarray(image[..., i]).resize(
            tuple(size)[::-1], Image.Resampling.BILINEAR
        )
        for i in range(image.shape[-1])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


def fitted_size(size, canvas):
    """The largest size within a canvas, with the aspect ratio of an image.

    Args:
        size: Pair of ints, `(height, width)` of the image.
        canvas: Pair of ints, `(height, width)`.

    Returns:
        Pair of ints.
    """
    scale = min(new / old for old, new in zip(size, canvas, strict=True))
    return tuple(
        min(max(round(length * scale), 1), limit)
        for length, limit in zip(size, canvas, strict=True)
    )


def fit_array(image, canvas, color):
    """Fits an image to a canvas, padded at the bottom and at the right.

    Args:
        image: Array of shape `(height, width, 3)`.
        canvas: Pair of ints, `(height, width)`.
        color: Triple of floats, the color of the padding.

    Returns:
        Tuple of a float32 array of the size of the canvas, and the size of the
        image in it.
    """
    size = fitted_size(image.shape[:2], canvas)
    fitted = np.empty((*canvas, 3), "float32")
    fitted[:] = color
    fitted[: size[0], : size[1]] = np.clip(resize_array(image, size), 0, 255)
    return fitted, size


def image_paths(folder):
    """The image files under a folder, in the order of their names.

    Args:
        folder: `pathlib.Path`.

    Returns:
        list of `pathlib.Path`, with the suffixes that Pillow knows. Numbers in
        names count as numbers.
    """
    known = Image.registered_extensions()
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(
        (path for path in paths if path.suffix.lower() in known),
        key=natural_key,
    )


def natural_key(path):
    """A key that sorts numbers in names as numbers.

    Args:
        path: Path or string.

    Returns:
        list, so that `frame_2.png` comes before `frame_10.png`.
    """
    parts = re.split(r"(\d+)", str(path))
    return [(int(x), "") if x.isdecimal() else (-1, x) for x in parts]
