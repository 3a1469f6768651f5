"""Conversion of the files of the archive to encoded labels.

Labels are encoded as described in `readers/stored.py`.
"""

import numpy as np

from keras_s4t.data.archives.decoding import checked
from keras_s4t.data.archives.decoding import read_ids
from keras_s4t.data.archives.decoding import read_mat
from keras_s4t.data.label_spaces import VOC_CLASSES
from keras_s4t.data.readers import stored
from keras_s4t.tasks.label import IGNORE_CLASS

NUM_CONTEXT_CLASSES = 459


def read_semseg(path, size):
    """Reads class ids in 0 ... 20, or 255 for ignored pixels.

    Returns:
        dict of `semseg` and of `semseg_source`, the name of its folder.
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
    """Reads the classes of PASCAL-Context, in 0 ... 459."""
    label_map = read_mat(path, "LabelMap")
    return checked(path, label_map, size, 0, NUM_CONTEXT_CLASSES)
