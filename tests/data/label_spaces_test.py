import dataclasses
import itertools

import numpy as np
import pytest

from keras_s4t.data import label_spaces
from keras_s4t.data.label_spaces import LABEL_SPACES
from keras_s4t.data.label_spaces import NATIVE_CLASSES

# Names of one thing, among those of the spaces and of all datasets.
SYNONYMS = [
    {"table", "dining table", "diningtable"},
    {"sofa", "couch"},
    {"tv", "television", "tvmonitor"},
    {"potted plant", "pottedplant"},
    {"book", "books"},
]
SIDES = [
    (space, dataset)
    for space in LABEL_SPACES.values()
    for dataset, _ in space.native_ids
]


def is_same_thing(a, b):
    return a == b or any({a, b} <= names for names in SYNONYMS)


def test_tables_of_the_paper():
    assert {n: s.num_classes for n, s in LABEL_SPACES.items()} == {
        "taskonomy_nyud": 7,
        "taskonomy_pascal": 6,
        "nyud_pascal": 4,
        "taskonomy_nyud9": 9,
    }
    assert {n: len(c) for n, c in NATIVE_CLASSES.items()} == {
        "taskonomy_mt": 18,
        "nyud_mt": 40,
        "pascal_mt": 21,
    }
    # The paper's text calls it a toilet, which VOC does not have.
    assert LABEL_SPACES["taskonomy_pascal"].class_names[2] == "bottle"
    nine = LABEL_SPACES["taskonomy_nyud9"]
    seven = LABEL_SPACES["taskonomy_nyud"]
    assert nine.class_names[:7] == seven.class_names
    for (_, ids), (_, more) in zip(
        seven.native_ids, nine.native_ids, strict=True
    ):
        assert more[:7] == ids


def test_no_native_name_comes_twice():
    for names in NATIVE_CLASSES.values():
        assert len(set(names)) == len(names)
    for a, b in itertools.combinations(SYNONYMS, 2):
        assert not a & b


@pytest.mark.parametrize("space, dataset", SIDES)
def test_both_sides_name_what_the_space_names(space, dataset):
    native = NATIVE_CLASSES[dataset]
    ids = dict(space.native_ids)[dataset]
    for name, native_id in zip(space.class_names, ids, strict=True):
        assert is_same_thing(name, native[native_id]), (name, native[native_id])


@pytest.mark.parametrize("space, dataset", SIDES)
def test_lookup(space, dataset):
    lookup = space.lookup(dataset)
    assert lookup.shape == (256,) and lookup.dtype == "uint8"
    native = NATIVE_CLASSES[dataset]
    found = {
        native[i]: space.class_names[c]
        for i, c in enumerate(lookup[: len(native)])
        if c != 255
    }
    assert sorted(found.values()) == sorted(space.class_names)
    assert all(is_same_thing(a, b) for a, b in found.items())
    assert (lookup[len(native) :] == 255).all()


def test_golden_lookups():
    lookup = LABEL_SPACES["taskonomy_nyud"].lookup("taskonomy_mt")
    ids = np.array([[14, 7, 8, 4], [6, 13, 3, 9], [0, 1, 2, 255]])
    assert lookup[ids].tolist() == [
        [0, 1, 2, 3],
        [4, 5, 6, 255],
        [255, 255, 255, 255],
    ]
    lookup = LABEL_SPACES["nyud_pascal"].lookup("nyud_mt")
    assert lookup[[30, 5, 4, 6, 13, 0]].tolist() == [0, 1, 2, 3, 255, 255]


def test_numpy_and_tensorflow_agree():
    import tensorflow as tf

    ids = np.random.default_rng(0).integers(0, 256, (6, 7))
    for space, dataset in SIDES:
        lookup = space.with_background().lookup(dataset)
        np.testing.assert_array_equal(tf.gather(lookup, ids), lookup[ids])


def test_background():
    space = LABEL_SPACES["taskonomy_nyud"].with_background()
    assert space.class_names[-2:] == ("chair", "background")
    assert space.num_classes == 8
    assert space.with_background() is space
    lookup = space.lookup("taskonomy_mt")
    # Uncertain, background, bottle, chair: other objects stay ignored.
    assert lookup[[0, 1, 2, 3, 255]].tolist() == [255, 7, 255, 6, 255]
    # Wall, floor, cabinet, bed, and "otherprop", the last class of NYUD.
    lookup = space.lookup("nyud_mt")
    assert lookup[[0, 1, 2, 3, 39]].tolist() == [7, 7, 7, 4, 7]
    assert (lookup[40:] == 255).all()
    space = LABEL_SPACES["taskonomy_pascal"].with_background()
    lookup = space.lookup("pascal_mt")
    assert lookup[[0, 1, 11, 255]].tolist() == [6, 255, 0, 255]


def test_a_space_cannot_be_changed():
    space = LABEL_SPACES["nyud_pascal"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        space.class_names = ()
    space.lookup("nyud_mt")[:] = 0
    assert space.lookup("nyud_mt")[0] == 255


def test_errors():
    assert label_spaces.get("nyud_pascal") is LABEL_SPACES["nyud_pascal"]
    space = LABEL_SPACES["nyud_pascal"].with_background()
    assert label_spaces.get(space) is space
    with pytest.raises(ValueError, match="'taskonomy_nyud9'.*Received.*'nyud'"):
        label_spaces.get("nyud")
    with pytest.raises(ValueError, match="'pascal_mt'.*dataset='taskonomy_mt'"):
        space.lookup("taskonomy_mt")
