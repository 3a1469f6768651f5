"""Conversion of the files of the three archives to encoded labels.

The suffix of a file determines its content. Labels are encoded as described in
`readers/stored.py`.
"""

import numpy as np

from keras_s4t.data.archives.decoding import checked
from keras_s4t.data.archives.decoding import read_gray
from keras_s4t.data.archives.decoding import read_ids
from keras_s4t.data.archives.decoding import read_mat
from keras_s4t.data.archives.decoding import read_npy
from keras_s4t.data.label_spaces import NYU40_CLASSES
from keras_s4t.data.readers import stored
from keras_s4t.tasks.label import IGNORE_CLASS


def read_semseg(path, size):
    """Reads class ids. In files, 0 is unlabeled and 1 ... 40 are classes."""
    ids = _read_mat_or(read_ids, path, "segmentation")
    ids = checked(path, ids, size, 0, len(NYU40_CLASSES)).astype("int64")
    return stored.encode_semseg(np.where(ids == 0, IGNORE_CLASS, ids - 1))


def read_depth(path, size):
    """Reads depth. In files, it is in meters and 0 where it is missing."""
    depth = _read_mat_or(read_npy, path, "depth")
    high = stored.MAX_DEPTH / stored.MILLIMETERS
    return stored.encode_depth(checked(path, depth, size, 0, high))


def read_edge(path, size):
    """Reads edges. Returns a dict of the arrays `edge` and `edge_mask`."""
    read = read_npy if path.suffix == ".npy" else read_gray
    return stored.encode_edge(checked(path, read(path), size, 0, 1))


def _read_mat_or(read, path, key):
    return read_mat(path, key) if path.suffix == ".mat" else read(path)
