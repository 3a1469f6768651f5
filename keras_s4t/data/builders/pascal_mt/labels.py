"""Conversion of the files of the archive to encoded labels.

Labels are encoded as described in `readers/stored.py`.
"""

import numpy as np

from keras_s4t.data.archives.decoding import checked
from keras_s4t.data.archives.decoding import read_ids
from keras_s4t.data.archives.decoding import read_mat
from keras_s4t.data.builders.pascal_mt.boundaries import find_boundaries
from keras_s4t.data.builders.pascal_mt.normals_classes import NORMALS_CLASSES
from keras_s4t.data.label_spaces import VOC_CLASSES
from keras_s4t.data.readers import stored
from keras_s4t.tasks.label import IGNORE_CLASS

# Folders with segmentations: annotations of these classes, and a conversion of
# the classes of PASCAL-Context, which is available for all images.
SEMSEG_SOURCES = ("VOC12", "pascal-context")
NUM_CONTEXT_CLASSES = 459


def semseg_path(root, name):
    """Path of the best segmentation of an image.

    Args:
        root: Path of the archive's top folder.
        name: str, name of the image.

    Returns:
        Path in the first of `SEMSEG_SOURCES` that contains the image, else in
        the last one.
    """
    paths = [
        root / "semseg" / source / f"{name}.png" for source in SEMSEG_SOURCES
    ]
    return next((path for path in paths if path.exists()), paths[-1])


def read_semseg(path, size):
    """Reads class ids in 0 ... 20, or 255 for ignored pixels.

    Args:
        path: Result of `semseg_path`.
        size: Pair `(height, width)`.

    Returns:
        dict of `semseg`, uint8 array of shape `(height, width, 1)`, and
        `semseg_source`, the name of its folder.
    """
    ids = checked(path, read_ids(path), size, 0, IGNORE_CLASS)
    unknown = set(np.unique(ids)) - {*range(len(VOC_CLASSES)), IGNORE_CLASS}
    if unknown:
        raise ValueError(
            f"{path} must hold the classes 0 ... {len(VOC_CLASSES) - 1} or "
            f"{IGNORE_CLASS}. Received: also {sorted(map(int, unknown))}"
        )
    return {
        "semseg": stored.encode_semseg(ids),
        "semseg_source": path.parent.name,
    }


def read_label_map(path, size):
    """Reads the classes of PASCAL-Context.

    Args:
        path: Path of a `.mat` file.
        size: Pair `(height, width)`.

    Returns:
        integer array of that shape, in 0 ... 459.
    """
    label_map = read_mat(path, "LabelMap")
    return checked(path, label_map, size, 0, NUM_CONTEXT_CLASSES)


def edges_of(label_map):
    """Encodes the boundaries of the regions of PASCAL-Context as edges.

    Args:
        label_map: Result of `read_label_map`.

    Returns:
        dict of the arrays `edge` and `edge_mask`.
    """
    return stored.encode_edge(find_boundaries(label_map))


def normals_count(label_map):
    """Mask of the pixels with valid distilled normals.

    Args:
        label_map: Result of `read_label_map`.

    Returns:
        bool array of its shape.
    """
    return np.isin(label_map, NORMALS_CLASSES)
