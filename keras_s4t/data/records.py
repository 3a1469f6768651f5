"""The canonical record of an image and its labels.

| key | dtype, shape | meaning |
|---|---|---|
| `image` | float32 or uint8 `(height, width, 3)` | RGB in 0 ... 255 |
| `semseg` | integer `(height, width)` | class ids, 255 = ignored |
| `depth` | float `(height, width, 1)` | meters along the optical axis |
| `normals` | float `(height, width, 3)` | unit: x right, y up, z to camera |
| `edge` | float `(height, width, 1)` | in [0, 1] |
| `<task>_mask` | float `(height, width, 1)` | 1 where the label is valid |

A mask may be left out. It is 1 then where the label is not missing: not 255,
positive depth, vectors that are not zero, finite values.
"""

from keras_s4t.tasks import get_labels


def examples_from_arrays(arrays, tasks):
    """Examples for `fit` from stacked records, in NumPy.

    Args:
        arrays: dict of arrays as in the table above, with a leading axis.
        tasks: list of `Task`, or of task names.

    Returns:
        Tuple `(images, labels, masks)`: images as stored, and dicts from task
        name to int32 or float32 labels and float32 masks.

    Raises:
        ValueError: If a task is missing.
    """
    kinds = get_labels(tasks)
    check_tasks(arrays, kinds)
    images = arrays["image"]
    labels, masks = {}, {}
    for name, kind in kinds.items():
        labels[name] = arrays[name].astype(kind.dtype)
        mask = arrays.get(f"{name}_mask")
        if mask is None:
            mask = kind.is_known(labels[name])
        masks[name] = mask.astype("float32", copy=False)
    return images, labels, masks


def example_from_record(record, labels):
    """One example for `fit` from one record, in TensorFlow.

    As `examples_from_arrays`, but `labels` is a dict from the name of a task
    wanted to its `Label`, and the image becomes float32.
    """
    import tensorflow as tf

    check_tasks(record, labels)
    image = tf.cast(record["image"], tf.float32)
    values, masks = {}, {}
    for name, kind in labels.items():
        values[name] = tf.cast(record[name], kind.dtype)
        if f"{name}_mask" in record:
            mask = record[f"{name}_mask"]
        else:
            mask = kind.is_known(values[name])
        masks[name] = tf.cast(mask, tf.float32)
    return image, values, masks


def check_tasks(record, task_names):
    """Raises a `ValueError` if a record has no labels for one of the tasks."""
    missing = [name for name in task_names if name not in record]
    if missing:
        raise ValueError(
            f"The dataset must have labels for the tasks {list(task_names)}. "
            f"Received: a dataset without {missing}, keys {sorted(record)}"
        )
