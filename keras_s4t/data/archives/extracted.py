"""Functions for the extracted archives of NYUD-MT and PASCAL-MT."""

import numpy as np

from keras_s4t.data.archives.decoding import checked
from keras_s4t.data.archives.decoding import opened
from keras_s4t.data.archives.decoding import read_npy
from keras_s4t.data.archives.decoding import read_vectors
from keras_s4t.data.readers.stored import encode_normals

# In the files, x is left, y up and z toward the camera.
TO_CANONICAL = np.array([-1, 1, 1])


def find_archive(folder, names, marker):
    """Finds the top folder of an extracted archive.

    It is `folder` itself or one of `names` in it: the one that contains the
    file `marker`.

    Raises:
        ValueError: If none or several of them contain the marker.
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
    """Reads a list of names, one per line.

    Raises:
        ValueError: If the file cannot be read or is empty.
    """
    with opened(path) as file:
        lines = file.read().decode().splitlines()
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ValueError(f"{path} must contain names, one per line")
    return names


def read_vectors_of(path, size):
    """Reads a `.jpg`, `.png` or `.npy` file of normals of any length.

    Returns:
        array of shape `(height, width, 3)` in the canonical frame.

    Raises:
        ValueError: If the file is missing, damaged or of another shape or
            range.
    """
    read = read_npy if path.suffix == ".npy" else read_vectors
    # Rounding can make a component slightly larger than 1.
    return checked(path, read(path), (*size, 3), -1.01, 1.01) * TO_CANONICAL


def read_normals(path, size, mask=True):
    """Reads and encodes normals, 0 in the mask where they are ignored."""
    return encode_normals(read_vectors_of(path, size), mask)
