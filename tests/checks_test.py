import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_s4t.checks import check_data
from keras_s4t.checks import check_finite
from keras_s4t.checks import check_images
from keras_s4t.checks import check_labels
from keras_s4t.checks import first_images
from keras_s4t.data import ArrayBatches

TASKS = tiny.make_tasks(2)


@pytest.mark.parametrize(
    "dtype", ["uint8", "float16", "bfloat16", "float32", "float64"]
)
def test_images_of_every_kind_pass(dtype):
    import tensorflow as tf

    shape = (2, 4, 6, 3)
    check_images(tf.TensorSpec((None, None, None, 3), dtype))
    check_images(tf.zeros(shape, dtype))
    check_images(keras.KerasTensor((None, 4, 6, 3), dtype))
    if dtype != "float64":  # which JAX does not have by default
        check_images(ops.zeros(shape, dtype))
    if dtype != "bfloat16":
        check_images(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    "shape, dtype, received",
    [
        ((4, 6, 3), "float32", r"shape=\(4, 6, 3\), images.dtype=float32"),
        ((2, 4, 6, 1), "uint8", r"shape=\(2, 4, 6, 1\), images.dtype=uint8"),
        ((2, 3, 4, 6), "float32", r"shape=\(2, 3, 4, 6\)"),
        ((1, 2, 4, 6, 3), "float32", r"shape=\(1, 2, 4, 6, 3\)"),
        ((2, 4, 6, 3), "int32", "images.dtype=int32"),
        ((2, 4, 6, 3), "bool", "images.dtype=bool"),
    ],
)
def test_other_images(shape, dtype, received):
    import tensorflow as tf

    for images in (
        np.zeros(shape, dtype),
        ops.zeros(shape, dtype),
        tf.TensorSpec(shape, dtype),
        keras.KerasTensor(shape, dtype),
    ):
        with pytest.raises(ValueError, match=f"`images` must .*{received}"):
            check_images(images)


def test_what_is_no_tensor():
    images, *_ = tiny.make_arrays(2)
    for other, name in (({"image": images}, "dict"), ([images], "list")):
        with pytest.raises(ValueError, match=f"<class '{name}'>"):
            check_images(other)


def test_labels_that_fit_pass():
    _, labels, _ = tiny.make_arrays(2, size=(4, 6))
    for size in ((4, 6), (None, None), (4, None)):
        check_labels(labels, size, TASKS)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda y: {}, r"Received: \[\]"),
        (lambda y: {"depth": y["depth"], "seg": 0}, r"\['depth', 'seg'\]"),
        (lambda y: y["depth"], "Received: a ndarray"),
        (lambda y: {**y, "depth": None}, "left out.*Received: a NoneType"),
        (lambda y: [y["semseg"], y["depth"]], "Received: a list"),
        (lambda y: {**y, "depth": y["depth"][..., 0]}, "'depth'.*4, 6, 1"),
        (lambda y: {**y, "depth": y["depth"][:, :2]}, "batch_size.*2, 6, 1"),
        (lambda y: {**y, "semseg": y["semseg"][..., None]}, "'semseg'"),
    ],
)
def test_labels_that_do_not_fit(change, message):
    _, labels, _ = tiny.make_arrays(2, size=(4, 6))
    with pytest.raises(ValueError, match=message):
        check_labels(change(labels), (4, 6), TASKS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(value):
    images, *_ = tiny.make_arrays(2)
    check_finite(images)
    images[0, 1, 2, 0] = images[1, 1, 2, 2] = value
    with pytest.raises(ValueError, match="finite. Received: 2 values"):
        check_finite(images)


def as_arrays(images, labels):
    return images, labels


def as_batches(images, labels):
    if labels is None:
        return ArrayBatches(images, 2), None
    return ArrayBatches((images, labels), 2), None


def as_dataset(images, labels):
    import tensorflow as tf

    arrays = images if labels is None else (images, labels)
    return tf.data.Dataset.from_tensor_slices(arrays).batch(2), None


@pytest.mark.parametrize("form", [as_arrays, as_batches, as_dataset])
def test_data_of_every_form(form):
    images, labels, _ = tiny.make_arrays(4, count=2)
    check_data(*form(images, labels), TASKS)
    check_data(*form(images, None), TASKS)
    with pytest.raises(ValueError, match="task 'depth'"):
        depth = labels["depth"][:, :8]
        check_data(*form(images, {**labels, "depth": depth}), TASKS)
    with pytest.raises(ValueError, match=r"keys \['semseg', 'depth'\]"):
        wrong = {"semseg": labels["semseg"], "depths": labels["depth"]}
        check_data(*form(images, wrong), TASKS)
    with pytest.warns(UserWarning, match=r"lack the tasks \['depth'\]"):
        check_data(*form(images, {"semseg": labels["semseg"]}), TASKS)
    with pytest.raises(ValueError, match="images.shape"):
        check_data(*form(images[..., :2], labels), TASKS)
    with pytest.raises(ValueError, match="images.dtype=int64"):
        check_data(*form(images.astype("int64"), labels), TASKS)


def test_empty_data():
    images, labels, _ = tiny.make_arrays(2, count=2)
    empty, _ = as_dataset(images, labels)
    with pytest.raises(ValueError, match="must not be empty"):
        check_data(empty.take(0), None, TASKS)
    with pytest.raises(ValueError, match="must not be empty"):
        check_data(images[:0], None, TASKS)

    class NoBatches(keras.utils.PyDataset):
        num_batches = 0

    with pytest.raises(ValueError, match="must not be empty"):
        check_data(NoBatches(), None, TASKS)


@pytest.mark.parametrize("form", ["array", "batches", "dataset"])
def test_the_images_of_the_first_batch(form):
    images = np.zeros((4, 8, 8, 3), "float32")
    batch_size = 2
    if form == "batches":
        data = ArrayBatches(images, batch_size)
    elif form == "dataset":
        tf = pytest.importorskip("tensorflow")
        data = tf.data.Dataset.from_tensor_slices(images).batch(batch_size)
    else:
        data = images
    assert len(first_images(data, batch_size)) == 2
    assert first_images(iter([images]), batch_size) is None
