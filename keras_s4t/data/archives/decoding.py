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
    """Opens a file. Errors while it is read contain its name.

    Args:
        path: Path of the file.

    Yields:
        Binary file object.
    """
    try:
        with path.open("rb") as file:
            yield file
    # Decoders of damaged files raise many types of errors.
    except Exception as error:
        raise ValueError(f"{path} cannot be read: {error!r}") from error


def read_image_file(path):
    """Reads the encoded bytes of an image that can be decoded.

    Args:
        path: Path of a JPEG or PNG file with 8 bits per channel.

    Returns:
        Tuple of the bytes and the size of the image, `(height, width)`.
    """
    with opened(path) as file:
        data = file.read()
        file.seek(0)
        image = _decoded(file, ("RGB", "L", "P"))
    return data, (image.height, image.width)


def read_ids(path):
    """Reads class ids.

    Palettes are ignored. The decoder of TensorFlow would return the brightness
    of the palette's colors.

    Args:
        path: Path of a PNG file with one channel, with or without a palette.

    Returns:
        uint8 array of shape `(height, width)`.
    """
    with opened(path) as file:
        bits = _bits_per_pixel(file)
        image = _decoded(file, ("L", "P", "1"))
    if image.mode == "P":
        return np.asarray(image)
    # Pillow spreads the values of fewer bits over 0 ... 255.
    return np.asarray(image.convert("L")) // (255 // (2**bits - 1))


def read_gray(path):
    """Reads intensities.

    Args:
        path: Path of an image with one channel of 8 bits or 1 bit.

    Returns:
        float32 array of shape `(height, width)` in [0, 1].
    """
    with opened(path) as file:
        gray = _decoded(file, ("L", "1")).convert("L")
    return np.asarray(gray, "float32") / 255


def read_vectors(path):
    """Reads vectors that are stored as the colors of an image.

    Args:
        path: Path of an RGB image: 0 stands for -1 and 255 for 1.

    Returns:
        float32 array of shape `(height, width, 3)` in [-1, 1].
    """
    with opened(path) as file:
        colors = np.asarray(_decoded(file, ("RGB",)), "float32")
    return colors / UINT8_SCALE - 1


def read_npy(path):
    """Reads an array from a `.npy` file.

    Args:
        path: Path of a `.npy` file.

    Returns:
        array.
    """
    with opened(path) as file:
        return np.load(file, allow_pickle=False)


def read_mat(path, key):
    """Reads an array from a MATLAB file, with SciPy.

    Args:
        path: Path of a `.mat` file.
        key: str, name of the array.

    Returns:
        array.

    Raises:
        ImportError: If SciPy is not installed.
    """
    loadmat = required("scipy.io", "scipy").loadmat
    with opened(path) as file:
        return loadmat(file, variable_names=[key])[key]


def required(module, package):
    """Imports an optional module.

    Args:
        module: str, name of the module.
        package: str, name of the package that contains it.

    Returns:
        module.

    Raises:
        ImportError: If it is not installed, with instructions.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This dataset can only be built with `{module}`. Install it with "
            f"`pip install {package}`."
        ) from error


def checked(path, array, shape, low, high):
    """Checks the shape and range of an array read from a file.

    Args:
        path: Path of the file.
        array: array of any dtype.
        shape: The required shape. The array may have an additional last axis
            of size one.
        low: Smallest allowed number.
        high: Largest allowed number.

    Returns:
        The array, in the given shape.

    Raises:
        ValueError: If the array has another shape or dtype, or numbers out of
            range. NaN is allowed.
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
