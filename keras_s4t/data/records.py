"""The canonical record: what every loader emits for one image.

| key | dtype, shape | meaning |
|---|---|---|
| `image` | float32 or uint8 `(height, width, 3)` | RGB in 0 ... 255 |
| `semseg` | integer `(height, width)` | class ids, 255 = ignored |
| `depth` | float `(height, width, 1)` | metres along the optical axis |
| `normals` | float `(height, width, 3)` | unit: x right, y up, z to camera |
| `edge` | float `(height, width, 1)` | in [0, 1] |
| `<task>_mask` | float `(height, width, 1)` | 1 where the label is valid |

A mask that a record leaves out is 1 everywhere, but for `semseg_mask`, which
follows from the ignored label.
"""

import numpy as np

IGNORE_CLASS = 255
#: Labels that are metres along the optical axis.
DISTANCES = ("depth",)
#: Labels that may be averaged over pixels.
STRENGTHS = ("edge",)


def examples_from_arrays(arrays, task_names):
    """Examples for `fit` from stacked records, in NumPy.

    Args:
        arrays: dict of arrays as in the table above, with a leading axis.
        task_names: Names of the tasks wanted.

    Returns:
        Tuple `(images, labels, masks)`: images as stored, and dicts from task
        name to int32 or float32 labels and float32 masks.

    Raises:
        ValueError: If a task is missing.
    """
    check_tasks(arrays, task_names)
    images = arrays["image"]
    labels, masks = {}, {}
    for name in task_names:
        label = arrays[name]
        is_integer = np.issubdtype(label.dtype, np.integer)
        labels[name] = label.astype("int32" if is_integer else "float32")
        mask = arrays.get(f"{name}_mask")
        if mask is None and is_integer:
            mask = (label != IGNORE_CLASS)[..., None]
        if mask is None:
            mask = np.broadcast_to(np.float32(1), (*images.shape[:3], 1))
        masks[name] = mask.astype("float32", copy=False)
    return images, labels, masks


def example_from_record(record, task_names):
    """One example for `fit` from one record, in TensorFlow.

    Args:
        record: dict of tensors as in the table above.
        task_names: Names of the tasks wanted.

    Returns:
        Tuple `(image, labels, masks)`: a float32 image, and dicts from task
        name to int32 or float32 labels and float32 masks.

    Raises:
        ValueError: If a task is missing.
    """
    import tensorflow as tf

    check_tasks(record, task_names)
    image = tf.cast(record["image"], tf.float32)
    labels, masks = {}, {}
    for name in task_names:
        label = record[name]
        is_integer = label.dtype.is_integer
        labels[name] = tf.cast(label, tf.int32 if is_integer else tf.float32)
        if f"{name}_mask" in record:
            mask = record[f"{name}_mask"]
        elif is_integer:
            mask = (label != IGNORE_CLASS)[..., None]
        else:
            mask = tf.ones_like(image[..., :1])
        masks[name] = tf.cast(mask, tf.float32)
    return image, labels, masks


def check_tasks(record, task_names):
    """Raises a `ValueError` if a record has no labels for a task.

    Args:
        record: dict by the keys of the table above.
        task_names: Names of the tasks wanted.
    """
    missing = [name for name in task_names if name not in record]
    if missing:
        raise ValueError(
            f"The dataset must have labels for the tasks {list(task_names)}. "
            f"Received: a dataset without {missing}, keys {sorted(record)}"
        )
