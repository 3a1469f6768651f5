"""Labeled source images that a method stores."""

import itertools

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_s4t.methods.s4t.coverage import class_counts
from keras_s4t.methods.s4t.coverage import most_covering
from keras_s4t.methods.s4t.source_memory import SourceMemory


def make_memory(size=3):
    return SourceMemory(tiny.make_tasks(4), size, tiny.SIZE)


def read(memory, indices):
    tensors = memory.read(ops.convert_to_tensor(indices, "int32"))
    return keras.tree.map_structure(ops.convert_to_numpy, tensors)


@pytest.mark.eager
def test_the_choice_covers_rare_classes():
    counts = np.array([[90, 0, 0], [90, 0, 0], [0, 50, 0], [80, 9, 1]])
    assert most_covering(counts, 1) == [3]
    assert most_covering(counts, 2) == [2, 3]
    assert most_covering(counts, 4) == [0, 1, 2, 3]


@pytest.mark.eager
def test_the_choice_is_nearly_the_best():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 100, (8, 5)) * (rng.uniform(size=(8, 5)) < 0.4)

    def worth(chosen):
        return np.sqrt(counts[list(chosen)].sum(axis=0)).sum()

    best = max(map(worth, itertools.combinations(range(8), 3)))
    # What the greedy choice of a submodular function is known to reach.
    assert worth(most_covering(counts, 3)) >= (1 - 1 / np.e) * best
    assert worth(most_covering(counts, 3)) > 0.95 * best


@pytest.mark.eager
def test_what_is_not_labeled_is_not_counted():
    tasks = tiny.make_tasks(4)
    _, labels, masks = tiny.make_arrays(2, count=4)
    counts = class_counts(tasks, labels, masks)
    for i, number in itertools.product(range(2), range(tiny.NUM_CLASSES)):
        is_there = labels["semseg"][i] == number
        valid = masks["semseg"][i, ..., 0] > 0
        assert counts[i, number] == np.sum(is_there & valid)
    assert class_counts(tasks[1:], labels, masks).tolist() == [[1], [1]]


def test_stores_images_labels_and_masks():
    images, labels, masks = tiny.make_arrays(3, count=4)
    labels["depth"][0, 0, 0] = np.nan
    labels["edge"][1, 0, 0] = np.inf
    memory = make_memory()
    memory.fill(images, labels, masks)
    order = [2, 0, 1]
    stored, kept, valid = read(memory, order)
    np.testing.assert_array_equal(stored, np.rint(images[order]))
    for task in memory.tasks:
        known = task.label.is_known(labels[task.name]) * masks[task.name]
        known = known[order].astype("float32")
        np.testing.assert_array_equal(valid[task.name], known)
        label = labels[task.name][order]
        label = label if label.ndim == 4 else label[..., None]
        received = kept[task.name]
        received = received if received.ndim == 4 else received[..., None]
        assert kept[task.name].dtype == task.label.dtype
        np.testing.assert_allclose(
            np.where(known > 0, received, 0),
            np.where(known > 0, label, 0),
            rtol=2**-11,
            atol=1e-7,
        )
        assert np.isfinite(received).all()


def test_its_size_is_stated():
    # Images and classes take a byte, the 5 other channels and 4 masks two.
    assert make_memory().num_bytes == 3 * tiny.SIZE**2 * (3 + 1 + 10 + 8)


def test_masks_may_be_left_out():
    images, labels, _ = tiny.make_arrays(3, count=4)
    memory = make_memory()
    memory.fill(images, labels, {})
    _, _, valid = read(memory, [0, 1, 2])
    np.testing.assert_array_equal(
        valid["semseg"][..., 0], labels["semseg"] != 255
    )


@pytest.mark.eager
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x, y: (x[:2], y), "at least 3 images"),
        (lambda x, y: (x[:, :8], y), "of shape"),
        (lambda x, y: (x, {"semseg": y["semseg"]}), "none of .'depth'"),
    ],
)
def test_what_cannot_be_stored(change, text):
    images, labels, masks = tiny.make_arrays(4, count=4)
    images, labels = change(images, labels)
    with pytest.raises(ValueError, match=text):
        make_memory().fill(images, labels, masks)


@pytest.mark.eager
@pytest.mark.parametrize("size", [0, -1])
def test_no_memory(size):
    with pytest.raises(ValueError, match="`size` must be at least 1"):
        make_memory(size)
