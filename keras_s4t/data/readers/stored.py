"""The encoding in which the builders of real datasets store records.

| key | stored as | meaning |
|---|---|---|
| `image` | uint8 `(height, width, 3)` | RGB |
| `semseg` | uint8 `(height, width, 1)` | native class ids, 255 = ignored |
| `depth` | uint16 `(height, width, 1)` | millimeters, 0 = missing |
| `normals` | uint8 `(height, width, 3)` | `round((v + 1) * 127.5)`, see below |
| `edge` | uint16 `(height, width, 1)` | strength in [0, 1] times 65535 |
| `edge_mask` | uint8 `(height, width, 1)` | 1 where `edge` is known, else 0 |
| `id` | text | the name that the dataset gives the image |

Normals are unit vectors `v`: x right, y up, z towards the camera; missing ones
are (128, 128, 128). Depth of more than 65.535 m is missing. A dataset without
labels for a task leaves its keys out. All is PNG, but an `image` may be JPEG.

`canonical_record` reads them. Class ids stay native until then, so that one
build serves every label space.
"""

import numpy as np

from keras_s4t.tasks.label import IGNORE_CLASS

MILLIMETERS = 1000.0
MAX_DEPTH = 65535  # in millimeters
EDGE_SCALE = 65535.0
NORMAL_SCALE = 127.5
MISSING_NORMAL = 128  # three times; no unit vector has this code


def stored_features(class_names, tasks, size=(None, None)):
    """The features of a TFDS builder whose records are stored this way.

    Args:
        class_names: Names of the native classes, in the order of their ids.
        tasks: Names of the tasks that the dataset has labels for.
        size: Pair `(height, width)` if it is the same for all images.

    Returns:
        A `tfds.features.FeaturesDict`.
    """
    import tensorflow_datasets as tfds

    def png(channels, dtype):
        return tfds.features.Image(
            shape=(*size, channels), dtype=dtype, encoding_format="png"
        )

    ids = tfds.features.LabeledImage(
        labels=list(class_names), shape=(*size, 1), encoding_format="png"
    )
    of_task = {
        "semseg": {"semseg": ids},
        "depth": {"depth": png(1, np.uint16)},
        "normals": {"normals": png(3, np.uint8)},
        "edge": {"edge": png(1, np.uint16), "edge_mask": png(1, np.uint8)},
    }
    image = tfds.features.Image(shape=(*size, 3))
    features = {"image": image, "id": tfds.features.Text()}
    for task in tasks:
        features.update(of_task[task])
    return tfds.features.FeaturesDict(features)


def encode_semseg(ids):
    """Encodes native class ids.

    Args:
        ids: integer array of shape `(height, width)` or `(height, width, 1)`;
            255 is to be ignored.

    Raises:
        ValueError: If they are not integers in 0 ... 255.
    """
    ids = _one_channel(ids)
    if ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() > IGNORE_CLASS:
        raise ValueError(
            "Class ids must be integers in 0 ... 255. Received: "
            f"dtype {ids.dtype}, values {ids.min()} ... {ids.max()}"
        )
    return ids.astype("uint8")


def encode_depth(depth, mask=True):
    """Encodes depth.

    Args:
        depth: float array of shape `(height, width)` or `(height, width, 1)`,
            meters along the optical axis; 0, NaN and infinity are missing.
        mask: array of that shape, 0 where depth is missing.
    """
    depth = _one_channel(depth).astype("float64")
    millimeters = np.rint(MILLIMETERS * depth)
    known = (depth > 0) & (millimeters <= MAX_DEPTH) & _is_on(mask)
    return np.where(known, millimeters, 0.0).astype("uint16")


def encode_normals(normals, mask=True):
    """Encodes surface normals.

    Args:
        normals: float array of shape `(height, width, 3)` in the canonical
            frame, of any length; those shorter than 0.5 or NaN are missing.
        mask: array of shape `(height, width)` or `(height, width, 1)`, 0
            where normals are missing.
    """
    normals = np.asarray(normals, "float64")
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    known = np.isfinite(length) & (length >= 0.5) & _is_on(mask)
    unit = np.where(known, normals, 0.0) / np.where(known, length, 1.0)
    codes = np.where(known, (unit + 1.0) * NORMAL_SCALE, MISSING_NORMAL)
    return np.rint(codes).astype("uint8")


def encode_edge(edge, mask=True):
    """Encodes edges as `edge`, 0 where missing, and `edge_mask`.

    Args:
        edge: float array of shape `(height, width)` or `(height, width, 1)`,
            in [0, 1]; values outside are clipped, NaN is missing.
        mask: array of that shape, 0 where edges are missing.
    """
    edge = _one_channel(edge).astype("float64")
    known = ~np.isnan(edge) & _is_on(mask)
    codes = np.rint(EDGE_SCALE * np.clip(edge, 0.0, 1.0))
    return {
        "edge": np.where(known, codes, 0.0).astype("uint16"),
        "edge_mask": known.astype("uint8"),
    }


def canonical_record(stored, label_lookup=None):
    """Turns a stored record into a canonical one, in TensorFlow.

    Args:
        stored: dict of tensors as in the table above.
        label_lookup: Optional uint8 array of 256 entries, from native class
            ids to those of a label space: `LabelSpace.lookup(dataset)`.

    Returns:
        dict of tensors: `image`, uint8, `id`, and for each of its tasks the
        label and its mask. Labels are 0 where the mask is, but `semseg` 255.
    """
    import tensorflow as tf

    def decode_semseg():
        ids = tf.cast(stored["semseg"][..., 0], tf.int32)
        if label_lookup is not None:
            ids = tf.gather(tf.constant(label_lookup, tf.int32), ids)
        return ids, (ids != IGNORE_CLASS)[..., None]

    def decode_depth():
        millimeters = tf.cast(stored["depth"], tf.float32)
        return millimeters / MILLIMETERS, millimeters > 0

    def decode_normals():
        codes = stored["normals"]
        mask = tf.reduce_any(codes != MISSING_NORMAL, -1, keepdims=True)
        vectors = tf.cast(codes, tf.float32) / NORMAL_SCALE - 1.0
        length = tf.norm(vectors, axis=-1, keepdims=True)
        return tf.where(mask, vectors / length, 0.0), mask

    def decode_edge():
        edge = tf.cast(stored["edge"], tf.float32) / EDGE_SCALE
        return edge, stored["edge_mask"] > 0

    decoders = dict(
        semseg=decode_semseg,
        depth=decode_depth,
        normals=decode_normals,
        edge=decode_edge,
    )
    record = {"image": stored["image"], "id": stored["id"]}
    for task, decode in decoders.items():
        if task in stored:
            record[task], mask = decode()
            record[f"{task}_mask"] = tf.cast(mask, tf.float32)
    return record


def _one_channel(array):
    return np.asarray(array).reshape(*np.shape(array)[:2], 1)


def _is_on(mask):
    return True if mask is True else _one_channel(mask) != 0
