"""From the files of the archive to labels as `stored.py` has them."""

import numpy as np

from keras_s4t.data.archives.decoding import checked
from keras_s4t.data.archives.decoding import read_ids
from keras_s4t.data.archives.decoding import read_mat
from keras_s4t.data.builders.pascal_mt.boundaries import find_boundaries
from keras_s4t.data.builders.pascal_mt.normals_classes import NORMALS_CLASSES
from keras_s4t.data.label_spaces import VOC_CLASSES
from keras_s4t.data.readers import stored
from keras_s4t.tasks.label import IGNORE_CLASS

# Folders with segmentations: the one that is drawn for these classes, and the
# one derived from the classes of PASCAL-Context, which all images have.
SEMSEG_SOURCES = ("VOC12", "pascal-context")
NUM_CONTEXT_CLASSES = 459


def semseg_path(root, name):
    """The best segmentation of an image.

    Args:
        root: Path of the archive's top folder.
        name: str, name of the image.

    Returns:
        Path in the first of `SEMSEG_SOURCES` that has the image, else in the
        last.
    """
    paths = [
        root / "semseg" / source / f"{name}.png" for source in SEMSEG_SOURCES
    ]
    return next((path for path in paths if path.exists()), paths[-1])


def read_semseg(path, size):
    """Reads classes: 0 ... 20, or 255 where they are to be ignored.

    Args:
        path: What `semseg_path` returned.
        size: Pair `(height, width)`.

    Returns:
        dict of `semseg`, uint8 array of shape `(height, width, 1)`, and
        `semseg_source`, the folder it comes from.
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
    """The edges: the boundaries of the regions of PASCAL-Context.

    Args:
        label_map: What `read_label_map` returned.

    Returns:
        dict of the arrays `edge` and `edge_mask`.
    """
    return stored.encode_edge(find_boundaries(label_map))


def normals_count(label_map):
    """Where the distilled normals count.

    Args:
        label_map: What `read_label_map` returned.

    Returns:
        bool array of its shape.
    """
    return np.isin(label_map, NORMALS_CLASSES)
