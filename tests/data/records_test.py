import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.data import ArrayBatches
from keras_s4t.data import examples_from_arrays
from keras_s4t.data.records import example_from_record
from keras_s4t.tasks import get_labels

NAMES = ["normals", "semseg", "depth"]


def make_arrays():
    """Records in compact dtypes; only depth says where it is valid."""
    rng = np.random.default_rng(0)
    shape = (3, 4, 5)
    semseg = rng.integers(0, 9, shape).astype("uint8")
    semseg[rng.uniform(size=shape) < 0.4] = 255
    return {
        "image": rng.integers(0, 256, (*shape, 3)).astype("uint8"),
        "semseg": semseg,
        "depth": rng.uniform(1, 5, (*shape, 1)).astype("float16"),
        "depth_mask": rng.uniform(size=(*shape, 1)) < 0.5,
        "normals": rng.normal(size=(*shape, 3)).astype("float16"),
    }


def stack_of_records(arrays, names):
    """The TensorFlow way: record by record, within `tf.data`."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(arrays)
    dataset = dataset.map(
        lambda record: example_from_record(record, get_labels(names))
    )
    (batch,) = dataset.batch(3).as_numpy_iterator()
    return batch


@pytest.mark.parametrize("make", [examples_from_arrays, stack_of_records])
def test_examples(make):
    arrays = make_arrays()
    images, labels, masks = make(arrays, NAMES)
    np.testing.assert_array_equal(images, arrays["image"])
    assert list(labels) == NAMES and list(masks) == NAMES
    dtypes = {"normals": "float32", "semseg": "int32", "depth": "float32"}
    for name, label in labels.items():
        assert label.dtype == dtypes[name]
        np.testing.assert_array_equal(label, arrays[name])
    expected = {
        "normals": np.ones((3, 4, 5, 1)),
        "semseg": (arrays["semseg"] != 255)[..., None],
        "depth": arrays["depth_mask"],
    }
    assert 0 < expected["semseg"].mean() < 1
    for name, mask in masks.items():
        assert mask.dtype == "float32" and mask.shape == (3, 4, 5, 1)
        np.testing.assert_array_equal(mask, expected[name])


@pytest.mark.parametrize("make", [examples_from_arrays, stack_of_records])
def test_a_mask_of_the_record_wins(make):
    arrays = make_arrays()
    arrays["semseg_mask"] = np.zeros((3, 4, 5, 1), "uint8")
    *_, masks = make(arrays, ["semseg"])
    assert not masks["semseg"].any()


def test_one_record_eagerly():
    arrays = make_arrays()
    record = {name: array[1] for name, array in arrays.items()}
    import tensorflow as tf

    record = {name: tf.constant(array) for name, array in record.items()}
    image, labels, masks = example_from_record(record, get_labels(NAMES))
    assert image.dtype == tf.float32
    images, all_labels, all_masks = examples_from_arrays(arrays, NAMES)
    np.testing.assert_array_equal(image, images[1])
    for name in NAMES:
        np.testing.assert_array_equal(labels[name], all_labels[name][1])
        np.testing.assert_array_equal(masks[name], all_masks[name][1])


def test_masks_left_out_count_every_pixel_in_evaluate():
    arrays = make_arrays()
    del arrays["depth_mask"]
    arrays["semseg"] = arrays["semseg"] % tiny.NUM_CLASSES
    examples = examples_from_arrays(arrays, ["semseg", "depth"])
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(tiny.make_tasks(2)), keras_s4t.methods.SourceOnly()
    )
    adapter.compile("sgd")
    logs = adapter.evaluate(
        ArrayBatches(examples, 3), verbose=0, return_dict=True
    )
    outputs = adapter.predict(arrays["image"], verbose=0)["depth"]
    errors = np.maximum(outputs, 0) - arrays["depth"].astype("float32")
    expected = np.sqrt(np.mean(np.square(errors)))
    assert logs["depth_rmse"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("make", [examples_from_arrays, stack_of_records])
def test_a_missing_task_is_named(make):
    with pytest.raises(ValueError, match=r"without \['edge'\].*'depth'"):
        make(make_arrays(), ["depth", "edge"])
