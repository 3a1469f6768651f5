"""Decoding the files of archives of real data.

All paths are `pathlib`-like, such as `epath.Path`. A file that is missing,
damaged or not what it should be raises a `ValueError` that names it.
"""

import contextlib
import importlib

import numpy as np
from PIL import Image

UINT8_SCALE = 127.5


@contextlib.contextmanager
def opened(path):
    """Opens a file, and names it in whatever goes wrong while it is read.

    Args:
        path: Path of the file.

    Yields:
        Binary file object.
    """
    try:
        with path.open("rb") as file:
            yield file
    # Decoders of damaged bytes raise errors of nearly every kind.
    except Exception as error:
        raise ValueError(f"{path} cannot be read: {error!r}") from error


def read_image_file(path):
    """Reads the bytes of an image as they are, if the image is sound.

    Args:
        path: Path of a JPEG or PNG file of 8 bits a channel.

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

    A palette, which says how to paint the ids, is left alone: TensorFlow's
    decoder would return the brightness of the colors.

    Args:
        path: Path of a PNG file with one channel, with or without a palette.

    Returns:
        uint8 array of shape `(height, width)`.
    """
    with opened(path) as file:
        return np.asarray(_decoded(file, ("L", "P")))


def read_gray(path):
    """Reads intensities.

    Args:
        path: Path of an image of one channel, of 8 bits or of one.

    Returns:
        float32 array of shape `(height, width)` in [0, 1].
    """
    with opened(path) as file:
        gray = _decoded(file, ("L", "1")).convert("L")
    return np.asarray(gray, "float32") / 255


def read_vectors(path):
    """Reads vectors whose three components are the colors of an image.

    Args:
        path: Path of an RGB image: 0 stands for -1 and 255 for 1.

    Returns:
        float32 array of shape `(height, width, 3)` in [-1, 1].
    """
    with opened(path) as file:
        colors = np.asarray(_decoded(file, ("RGB",)), "float32")
    return colors / UINT8_SCALE - 1


def read_npy(path):
    """Reads an array of numbers that NumPy saved.

    Args:
        path: Path of a `.npy` file.

    Returns:
        array.
    """
    with opened(path) as file:
        return np.load(file, allow_pickle=False)


def read_mat(path, key):
    """Reads one array of a MATLAB file, with SciPy.

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
    """Imports a module that not every installation has.

    Args:
        module: str, name of the module.
        package: str, name of the package that brings it.

    Returns:
        module.

    Raises:
        ImportError: If it is not installed; the message says how to.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This dataset can only be built with `{module}`. Install it with "
            f"`pip install {package}`."
        ) from error


def checked(path, array, shape, low, high):
    """Checks what was read from a file.

    Args:
        path: Path of the file.
        array: array of any kind.
        shape: The shape that it must have. A last axis of size one may be
            missing from it.
        low: Smallest allowed number.
        high: Largest allowed number.

    Returns:
        The array, in the given shape.

    Raises:
        ValueError: If the shape is another, or if there are numbers outside
            the range; NaN is none.
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
