"""Labels of tasks under other names move with their images."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_s4t import tasks
from keras_s4t.data.pipeline.augmentation import flip_horizontally
from keras_s4t.data.pipeline.augmentation import zoom
from keras_s4t.data.records import examples_from_arrays

TASKS = [
    tasks.normals(name="skin"),
    tasks.depth(name="range"),
    tasks.semseg(3, name="parts"),
    tasks.regression("motion", num_outputs=2),
    tasks.binary("shadow"),
    dataclasses.replace(tasks.edge(), name="saliency"),
]
SIZE = (4, 6)


def make_record():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(*SIZE, 3)).astype("float32")
    record = {
        "image": rng.uniform(0, 255, (*SIZE, 3)).astype("float32"),
        "skin": normals / np.linalg.norm(normals, axis=-1, keepdims=True),
        "range": rng.uniform(1, 5, (*SIZE, 1)).astype("float32"),
        "parts": rng.integers(3, size=SIZE).astype("uint8"),
        "motion": rng.normal(size=(*SIZE, 2)).astype("float32"),
        "shadow": rng.integers(2, size=(*SIZE, 1)).astype("float32"),
        "saliency": rng.uniform(size=(*SIZE, 1)).astype("float32"),
    }
    record["parts"][0, 0] = 255
    record["range"][0, 1] = 0
    record["motion"][0, 2, 1] = record["shadow"][0, 3] = np.nan
    return record


def test_arrays():
    record = {key: value[None] for key, value in make_record().items()}
    _, labels, masks = examples_from_arrays(record, TASKS)
    assert list(labels) == list(masks) == [task.name for task in TASKS]
    for task in TASKS:
        label = labels[task.name]
        assert label.shape == (1, *task.label_shape(SIZE))
        assert label.dtype == task.label.dtype
    missing = {name: np.argwhere(mask == 0) for name, mask in masks.items()}
    columns = {name: rows[:, 2].tolist() for name, rows in missing.items()}
    assert columns == {
        **{"skin": [], "range": [1], "parts": [0], "motion": [2]},
        **{"shadow": [3], "saliency": []},
    }


def test_flips_and_zooms():
    tf = pytest.importorskip("tensorflow")
    record = {key: value[None] for key, value in make_record().items()}
    images, labels, masks = examples_from_arrays(record, TASKS)
    example = (
        images[0],
        {name: label[0] for name, label in labels.items()},
        {name: mask[0] for name, mask in masks.items()},
    )
    kinds = tasks.get_labels(TASKS)
    _, flipped, flipped_masks = flip_horizontally(example, kinds)
    for name, label in example[1].items():
        expected = label[:, ::-1]
        if name == "skin":
            expected = expected * np.float32([-1, 1, 1])
        np.testing.assert_array_equal(flipped[name], expected)
        np.testing.assert_array_equal(
            flipped_masks[name], example[2][name][:, ::-1]
        )
    tensors = keras.tree.map_structure(tf.constant, example)
    _, zoomed, zoomed_masks = zoom(tensors, kinds, tf.constant(2.0))
    for name in ("range", "parts", "motion", "shadow"):
        expected = example[1][name].repeat(2, axis=0).repeat(2, axis=1)
        if name == "range":
            expected = expected / 2
        np.testing.assert_array_equal(zoomed[name], expected)
        # What is missing stays so.
        np.testing.assert_array_equal(
            zoomed_masks[name],
            example[2][name].repeat(2, axis=0).repeat(2, axis=1),
        )
