"""What the archives of NYUD-MT and PASCAL-MT have in common."""

import numpy as np

from keras_s4t.data.archives.decoding import checked
from keras_s4t.data.archives.decoding import opened
from keras_s4t.data.archives.decoding import read_npy
from keras_s4t.data.archives.decoding import read_vectors
from keras_s4t.data.readers.stored import encode_normals

# The files have x to the left, y up and z toward the camera.
TO_CANONICAL = np.array([-1, 1, 1])


def find_archive(folder, names, marker):
    """Finds where an archive was extracted.

    Args:
        folder: Path, `manual_dir` of TFDS.
        names: Names of the archive's top folder.
        marker: str, a file of every copy, relative to the top folder.

    Returns:
        Path of the top folder: `folder` itself or one of `names` in it.

    Raises:
        ValueError: If the marker is in none of them, or in several.
    """
    candidates = [folder, *(folder / name for name in names)]
    found = [path for path in candidates if (path / marker).exists()]
    if len(found) != 1:
        raise ValueError(
            f"Exactly one of {[str(path) for path in candidates]} must have "
            f"a file {marker!r}. Received: {len(found)} that have it"
        )
    return found[0]


def read_lines(path):
    """Reads a list of names, one a line.

    Args:
        path: Path of a text file.

    Returns:
        list of str, without surrounding blanks and empty lines.

    Raises:
        ValueError: If the file cannot be read or names nothing.
    """
    with opened(path) as file:
        lines = file.read().decode().splitlines()
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ValueError(f"{path} must name something, one name a line")
    return names


def read_normals(path, size, mask=True):
    """Reads normals, shorter than 0.5 where they are missing.

    Args:
        path: Path of a `.jpg`, `.png` or `.npy` file.
        size: Pair `(height, width)`.
        mask: array of that shape, 0 where normals do not count.

    Returns:
        uint8 array of shape `(height, width, 3)`, as `stored.py` has them.

    Raises:
        ValueError: If the file is missing, damaged or not as it should be.
    """
    read = read_npy if path.suffix == ".npy" else read_vectors
    # Rounding may leave a component just above 1.
    normals = checked(path, read(path), (*size, 3), -1.01, 1.01)
    return encode_normals(normals * TO_CANONICAL, mask)
