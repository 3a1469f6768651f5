"""Input validation."""

import warnings

import keras
import numpy as np

from keras_s4t.imagenet import BRIGHTEST_NORMALIZED


def check_images(images, num_channels=3):
    """Raises a `ValueError` unless `images` is a batch of images.

    The static shape and dtype are checked, also of a TensorFlow spec.
    `num_channels` is 3 for RGB; `None` if any number will do.
    """
    dtype = dtype_name(images)
    is_number = dtype == "uint8" or "float" in dtype
    shape = tuple(getattr(images, "shape", ()))
    is_shape = len(shape) == 4 and num_channels in (None, shape[-1])
    if not is_shape or not is_number:
        raise ValueError(
            "`images` must be a float or uint8 batch of shape (batch_size, "
            f"height, width, {num_channels or 'channels'}) with values in "
            "0 ... 255. Received: "
            f"images.shape={shape}, images.dtype={dtype}"
        )


def dtype_name(array):
    """The name of the dtype of an array, tensor or specification."""
    dtype = getattr(array, "dtype", type(array))
    # PyTorch's are "torch.float32".
    return (getattr(dtype, "name", None) or str(dtype)).split(".")[-1]


def check_numbers(name, array):
    """Raises a `ValueError` unless an array holds real numbers or booleans."""
    dtype = dtype_name(array)
    if not any(kind in dtype for kind in ("float", "int", "bool")):
        raise ValueError(
            f"{name} must be numbers. Received: a dtype of {dtype!r}"
        )


def check_task_names(tasks):
    """Raises a `ValueError` unless there are tasks, with different names."""
    names = [task.name for task in tasks]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            "`tasks` must be a list of tasks with different names. "
            f"Received: tasks with names {names}"
        )


def check_metric_keys(tasks):
    """Raises a `ValueError` if two metrics of tasks have one name in logs."""
    keys = [key for task in tasks for key in task.metric_keys]
    if len(set(keys)) < len(keys):
        raise ValueError(
            "The metrics of all tasks must have different names; give the "
            f"tasks other names. Received: metrics {sorted(keys)}"
        )


def labeled_tasks(tasks, labels):
    """The tasks that labels, a dict by task name, have an entry for."""
    return [task for task in tasks if task.name in labels]


def check_labels(labels, size, tasks):
    """Raises a `ValueError` unless the labels fit the tasks and images.

    Labels may lack tasks, which then are neither trained nor measured.

    Args:
        labels: dict from task name to labels, checked for static shapes.
        size: Pair `(height, width)` of the images; `None` where unknown.
        tasks: list of `Task`.
    """
    names = [task.name for task in tasks]
    keys = sorted(labels) if isinstance(labels, dict) else None
    missing = set(names) - set(keys or ())
    # A key that is no task beside a task without labels is a wrong name.
    is_mistaken = missing and (not keys or set(keys) - set(names))
    if keys is None or is_mistaken:
        received = f"a {type(labels).__name__}" if keys is None else keys
        raise ValueError(
            f"Labels must be a dict with the keys {names}, or some of them. "
            f"Received: {received}"
        )
    for task in labeled_tasks(tasks, labels):
        if not hasattr(labels[task.name], "shape"):
            raise ValueError(
                f"Labels of task '{task.name}' must be an array; a task "
                "without labels is left out of the dict. "
                f"Received: a {type(labels[task.name]).__name__}"
            )
        check_numbers(f"Labels of task '{task.name}'", labels[task.name])
        expected = task.label_shape(tuple(size))
        received = tuple(labels[task.name].shape)[1:]
        if not same_shape(expected, received):
            raise ValueError(
                f"Labels of task '{task.name}' must have the shape "
                f"(batch_size, *{expected}), the size of the images. "
                f"Received: shape (batch_size, *{received})"
            )


def check_data(
    x, y, tasks, masks=None, warned=None, reads=True, num_channels=3
):
    """Looks at data before `fit` or `evaluate` works with them.

    Arrays are checked in full, datasets by their specification and their first
    batch. Generators are not: who reads them looks at their first batch.

    Args:
        x: Images, or a dataset of images or `(images, labels[, masks])`.
        y: Labels, for images.
        tasks: list of `Task`.
        masks: Masks, for images.
        warned: Optional set of the warnings that were given already; new ones
            are added.
        reads: bool. Whether a batch of a `tf.data.Dataset` may be read. It
            moves the random state of a dataset that shuffles.
        num_channels: int. Channels of the images.

    Raises:
        ValueError: If the data cannot be worked with.
    """
    warned = set() if warned is None else warned
    check_not_empty(x)
    if hasattr(x, "element_spec"):
        check_batch(x.element_spec, tasks, num_channels)
        if reads and not getattr(x, "was_looked_at", False):
            look_at_batch(next(iter(x.take(1))), tasks, warned)
            # What raised an error is looked at again.
            x.was_looked_at = True
    elif isinstance(x, keras.utils.PyDataset):
        batch = x[0]
        check_batch(batch, tasks, num_channels)
        look_at_batch(batch, tasks, warned)
    elif hasattr(x, "shape"):
        check_images(x, num_channels)
        check_finite(x)
        check_batch((x, y, masks), tasks, num_channels)
        look_at_batch((x, y, masks), tasks, warned)


def check_not_empty(x):
    """Raises a `ValueError` if images or a dataset hold nothing."""
    if x is None:
        raise ValueError("There must be images. Received: None")
    if hasattr(x, "element_spec"):
        if int(x.cardinality()) == 0:
            raise ValueError("The dataset must not be empty.")
    elif isinstance(x, keras.utils.PyDataset):
        if x.num_batches == 0:
            raise ValueError("The dataset must not be empty.")
    elif hasattr(x, "shape") and not (len(x.shape) and x.shape[0]):
        raise ValueError(
            "`images` must not be empty. "
            f"Received: images.shape={tuple(x.shape)}"
        )


def look_at_batch(batch, tasks, warned):
    """Looks at the values of a batch: range, units, ids of classes, masks.

    Args:
        batch: Images or `(images, labels[, masks])`.
        tasks: list of `Task`.
        warned: As `check_data` takes it.

    Raises:
        ValueError: If ids of classes are no classes, or a mask is negative or
            NaN.
    """
    images, labels, masks = keras.utils.unpack_x_y_sample_weight(batch)
    images = _finite(images)
    found = []
    if images.size and images.max() < BRIGHTEST_NORMALIZED:
        found.append(
            "`images` must be in 0 ... 255: the network normalizes them. "
            f"Received: values in [{images.min():.3g}, {images.max():.3g}]"
        )
    labels = labels if isinstance(labels, dict) else {}
    missing = [
        task.name for task in tasks if labels and task.name not in labels
    ]
    if missing:
        found.append(
            f"Labels lack the tasks {missing}, which are neither trained nor "
            f"measured. Received: labels with the keys {sorted(labels)}"
        )
    for task in labeled_tasks(tasks, labels):
        label = keras.ops.convert_to_numpy(labels[task.name])
        mask = (masks or {}).get(task.name)
        if mask is None:
            mask = np.ones((*label.shape[:3], 1))
        mask = keras.ops.convert_to_numpy(mask)
        # NaN, too, is not above 0.
        if mask.size and not mask.min() >= 0:
            raise ValueError(
                f"Masks of task {task.name!r} must not be negative, nor NaN. "
                f"Received: a smallest value of {mask.min()}"
            )
        known = np.asarray(task.label.is_known(label))[..., 0]
        values = label[known & (mask[..., 0] > 0)]
        if task.label.is_classes:
            _check_classes(values, task)
        elif values.size:
            found += task.label.suspicions(values.astype("float64"))
    for text in found:
        if text not in warned:
            warned.add(text)
            warnings.warn(text, stacklevel=5)


def _check_classes(ids, task):
    unknown = np.unique(ids[(ids < 0) | (ids >= task.num_outputs)])
    if unknown.size:
        raise ValueError(
            f"Labels of task {task.name!r} must be ids of its "
            f"{task.num_outputs} classes, or 255 where they are ignored. "
            f"Received: ids {unknown[:8].tolist()}"
        )


def _finite(images):
    images = keras.ops.convert_to_numpy(images)
    return images[np.isfinite(images)]


def check_compiled(trainer, verb):
    """Raises a `ValueError` unless a trainer was compiled before a `verb`."""
    if not trainer.compiled:
        raise ValueError(
            f"`compile` must be called before `{verb}`. "
            f"Received: a {type(trainer).__name__} that is not compiled"
        )


def first_images(x, batch_size=None):
    """The images of the first batch.

    Args:
        x: As `check_data` takes it.
        batch_size: Optional int, the argument of `fit` for arrays.

    Returns:
        Images of shape `(batch_size, height, width, 3)`; `None` for a
        generator, which would lose the batch.
    """
    if hasattr(x, "element_spec"):
        batch = next(iter(x.take(1)))
    elif isinstance(x, keras.utils.PyDataset):
        batch = x[0]
    elif hasattr(x, "shape"):
        batch = x[: batch_size or 32]
    else:
        return None
    images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
    return images


def check_finite(images):
    """Raises a `ValueError` if a NumPy array holds NaN or infinity.

    Other arrays are not checked, since this would wait for the device.
    """
    if isinstance(images, np.ndarray) and not np.isfinite(images).all():
        count = int((~np.isfinite(images)).sum())
        raise ValueError(
            "`images` must be finite. "
            f"Received: {count} values that are NaN or infinite"
        )


def check_batch(batch, tasks, num_channels):
    """Raises a `ValueError` unless shapes and names of a batch are right.

    Args:
        batch: Images or `(images, labels[, masks])`, or a specification.
        tasks: list of `Task`.
        num_channels: int. Channels of the images.
    """
    images, labels, masks = keras.utils.unpack_x_y_sample_weight(batch)
    check_images(images, num_channels)
    if labels is not None:
        check_labels(labels, tuple(images.shape)[1:3], tasks)
    if masks is not None:
        check_masks(masks, labels, tuple(images.shape)[1:3], tasks)


def check_masks(masks, labels, size, tasks):
    """Raises a `ValueError` unless the masks fit the tasks and images.

    Args:
        masks: dict from task name to masks, checked for static shapes. `None`
            for a task without a mask.
        labels: dict from task name to labels, or `None`.
        size: Pair `(height, width)` of the images; `None` where unknown.
        tasks: list of `Task`.
    """
    names = [task.name for task in tasks]
    if not isinstance(masks, dict) or set(masks) - {*names, *(labels or ())}:
        received = type(masks).__name__
        if isinstance(masks, dict):
            received = f"dict with the keys {sorted(masks)}"
        raise ValueError(
            f"Masks must be a dict with the keys {names}, or some of them. "
            f"Received: a {received}"
        )
    expected = (*size, 1)
    for name in names:
        if masks.get(name) is None:
            continue
        received = tuple(getattr(masks[name], "shape", ()))[1:]
        if not same_shape(expected, received):
            raise ValueError(
                f"Masks of task {name!r} must have the shape "
                f"(batch_size, *{expected}), the size of the images. "
                f"Received: shape (batch_size, *{received})"
            )
        check_numbers(f"Masks of task {name!r}", masks[name])


def same_shape(expected, received):
    """Whether two static shapes agree, unknown sizes agreeing with any."""
    return len(expected) == len(received) and all(
        a == b or not isinstance(a, int) or not isinstance(b, int)
        for a, b in zip(expected, received, strict=True)
    )
