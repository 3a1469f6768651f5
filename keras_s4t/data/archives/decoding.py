"""Decoders of the files of real datasets.

Paths are `pathlib`-like, such as `epath.Path`. A file that is missing, damaged
or of another kind raises a `ValueError` with its name.
"""

import contextlib
import importlib

import numpy as np
from PIL import Image

UINT8_SCALE = 127.5


@contextlib.contextmanager
def opened(path):
    """Opens a binary file. Errors while it is read contain its name."""
    try:
        with path.open("rb") as file:
            yield file
    # Decoders of damaged files raise many types of errors.
    except Exception as error:
        raise ValueError(f"{path} cannot be read: {error!r}") from error


def read_image_file(path):
    """Reads the encoded bytes of an image that can be decoded.

    Returns:
        Tuple of the bytes and the size of the image, `(height, width)`.
    """
    with opened(path) as file:
        data = file.read()
        file.seek(0)
        image = _decoded(file, ("RGB", "L", "P"))
    return data, (image.height, image.width)


def read_ids(path):
    """Reads class ids from a file with one channel, as uint8.

    Palettes are ignored. The decoder of TensorFlow would return the brightness
    of the palette's colors.
    """
    with opened(path) as file:
        bits = _bits_per_pixel(file)
        image = _decoded(file, ("L", "P", "1"))
    if image.mode == "P":
        return np.asarray(image)
    # Pillow spreads the values of fewer bits over 0 ... 255.
    return np.asarray(image.convert("L")) // (255 // (2**bits - 1))


def read_gray(path):
    """Reads intensities in [0, 1] from one channel of 8 bits or 1 bit."""
    with opened(path) as file:
        gray = _decoded(file, ("L", "1")).convert("L")
    return np.asarray(gray, "float32") / 255


def read_vectors(path):
    """Reads vectors from an RGB image: 0 stands for -1 and 255 for 1."""
    with opened(path) as file:
        colors = np.asarray(_decoded(file, ("RGB",)), "float32")
    return colors / UINT8_SCALE - 1


def read_npy(path):
    """Reads an array from a `.npy` file."""
    with opened(path) as file:
        return np.load(file, allow_pickle=False)


def read_mat(path, key):
    """Reads the array of a name from a MATLAB file, with SciPy."""
    loadmat = required("scipy.io", "scipy").loadmat
    with opened(path) as file:
        return loadmat(file, variable_names=[key])[key]


def required(module, package):
    """Imports a module, or raises an `ImportError` that names its package."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This dataset can only be built with `{module}`. Install it with "
            f"`pip install {package}`."
        ) from error


def checked(path, array, shape, low, high):
    """Checks the shape and range of an array read from a file.

    The array may have an additional last axis of size one, which is removed,
    and NaN is allowed.

    Raises:
        ValueError: If the array has another shape or dtype, or numbers out of
            range.
    """
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"{path} must hold numbers. Received: dtype {array.dtype}"
        )
    if array.shape not in (tuple(shape), (*shape, 1)):
        raise ValueError(
            f"{path} must hold an array of shape {tuple(shape)}, the size of "
            f"its image. Received: shape {array.shape}"
        )
    if (array < low).any() or (array > high).any():
        raise ValueError(
            f"{path} must hold numbers in {low} ... {high}. Received: "
            f"{np.nanmin(array)} ... {np.nanmax(array)}"
        )
    return array.reshape(shape)


def _decoded(file, modes):
    image = Image.open(file)
    if image.mode not in modes:
        raise ValueError(
            f"The image must have one of the modes {modes}. "
            f"Received: mode {image.mode!r}"
        )
    image.load()
    return image


def _bits_per_pixel(file):
    """Bits of a channel in the header of a PNG; 8 for other formats."""
    header = file.read(25)
    file.seek(0)
    is_png = header.startswith(b"\x89PNG\r\n\x1a\n")
    return header[24] if is_png and len(header) == 25 else 8
