"""Flips, eagerly and inside `tf.data`, which can differ."""

import keras
import numpy as np
import pytest

from keras_s4t.data.corruptions import corrupt
from keras_s4t.data.pipeline.augmentation import Augmentation
from keras_s4t.data.pipeline.augmentation import augment
from keras_s4t.data.pipeline.augmentation import crop
from keras_s4t.data.pipeline.augmentation import flip_horizontally
from keras_s4t.data.pipeline.augmentation import random_flip
from keras_s4t.data.pipeline.augmentation import zoom
from keras_s4t.tasks import LABELS

pytestmark = pytest.mark.eager


def make_example():
    """A NumPy example in which every pixel has its own value."""
    rng = np.random.default_rng(0)
    size = (4, 6)
    labels = {
        "semseg": rng.integers(0, 255, size).astype("int32"),
        "depth": rng.uniform(1, 5, (*size, 1)).astype("float32"),
        "normals": rng.normal(size=(*size, 3)).astype("float32"),
        "edge": rng.uniform(size=(*size, 1)).astype("float32"),
    }
    masks = {
        name: rng.integers(0, 2, (*size, 1)).astype("float32")
        for name in labels
    }
    image = rng.uniform(0, 255, (*size, 3)).astype("float32")
    return image, labels, masks


def mirrored(example):
    """The flip in NumPy."""
    image, labels, masks = keras.tree.map_structure(
        lambda x: x[:, ::-1].copy(), example
    )
    labels["normals"][..., 0] *= -1
    return image, labels, masks


def eagerly(fn, example, *args):
    import tensorflow as tf

    return keras.tree.map_structure(
        lambda x: x.numpy(),
        fn(keras.tree.map_structure(tf.constant, example), LABELS, *args),
    )


def eagerly_crop(example, *args):
    return eagerly(
        lambda example, kinds, *rest: crop(example, *rest), example, *args
    )


def in_tf_data(fn, example, *args):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors((example, *args))
    dataset = dataset.map(lambda first, *rest: fn(first, LABELS, *rest))
    (result,) = dataset.as_numpy_iterator()
    return result


def is_same(a, b):
    """Whether two examples are equal, dtypes included."""
    keras.tree.assert_same_structure(a, b)
    return all(
        x.dtype == y.dtype and np.array_equal(x, y)
        for x, y in zip(
            keras.tree.flatten(a), keras.tree.flatten(b), strict=True
        )
    )


@pytest.mark.parametrize("run", [eagerly, in_tf_data])
def test_flip_moves_image_labels_and_masks(run):
    example = make_example()
    flipped = run(flip_horizontally, example)
    assert is_same(flipped, mirrored(example))
    assert not is_same(flipped, example)
    assert is_same(run(flip_horizontally, flipped), example)


@pytest.mark.parametrize("run", [eagerly, in_tf_data])
def test_random_flip_is_all_or_nothing_and_follows_the_seed(run):
    example = make_example()
    outcomes = []
    for seed in range(12):
        seeds = np.array([seed, 5], "int64")
        result = run(random_flip, example, seeds)
        is_flipped = is_same(result, mirrored(example))
        assert is_flipped or is_same(result, example)
        assert is_same(result, run(random_flip, example, seeds))
        outcomes.append(is_flipped)
    assert set(outcomes) == {False, True}


def test_eager_and_tf_data_agree():
    example = make_example()
    for seed in range(6):
        seeds = np.array([1, seed], "int64")
        assert is_same(
            eagerly(random_flip, example, seeds),
            in_tf_data(random_flip, example, seeds),
        )


def test_random_flip_is_fair():
    import tensorflow as tf

    example = (np.arange(2, dtype="float32").reshape(1, 2, 1), {}, {})
    seeds = tf.data.Dataset.range(400).batch(2, drop_remainder=True)
    images = seeds.map(lambda seed: random_flip(example, LABELS, seed)[0])
    share = np.mean([image[0, 0, 0] for image in images.as_numpy_iterator()])
    # Five standard deviations of 200 throws.
    assert abs(share - 0.5) < 5 * 0.5 / 200**0.5


@pytest.mark.parametrize("run", [eagerly, in_tf_data])
def test_zoom_moves_everything_and_brings_the_scene_nearer(run):
    example = image, labels, masks = make_example()
    zoomed, new_labels, new_masks = run(zoom, example, np.float32(2))
    assert zoomed.shape == (8, 12, 3)
    for name, label in labels.items():
        # Every pixel has become four, but edges are averaged.
        enlarged = label.repeat(2, 0).repeat(2, 1)
        mask = masks[name].repeat(2, 0).repeat(2, 1)
        np.testing.assert_array_equal(new_masks[name], mask)
        if name == "depth":
            enlarged = enlarged / 2
        if name != "edge":
            np.testing.assert_array_equal(new_labels[name], enlarged)
    assert new_labels["edge"].shape == (8, 12, 1)


def test_crops_lie_inside_and_everywhere():
    import tensorflow as tf

    rows, columns = np.mgrid[:5, :7]
    image = np.stack([rows, columns, 0 * rows], -1).astype("float32")
    example = (image, {"semseg": rows.astype("int32")}, {})
    corners = set()
    for seed in range(60):
        seeds = tf.constant([seed, 1], tf.int64)
        cut, labels, _ = eagerly_crop(example, seeds, tf.constant([3, 4]))
        assert cut.shape == (3, 4, 3)
        top, left, _ = cut[0, 0].astype(int)
        np.testing.assert_array_equal(
            cut, image[top : top + 3, left : left + 4]
        )
        np.testing.assert_array_equal(labels["semseg"], cut[..., 0])
        corners.add((top, left))
    assert corners == {(top, left) for top in range(3) for left in range(4)}


def test_crop_leaves_smaller_examples_alone():
    import tensorflow as tf

    example = make_example()
    seeds = tf.constant([1, 1], tf.int64)
    assert is_same(eagerly_crop(example, seeds, tf.constant([9, 9])), example)


def test_colors_change_and_labels_do_not():
    example = make_example()
    jitter = Augmentation(
        flip=False, brightness=0.2, contrast=0.5, saturation=0.5, hue=0.1
    )
    outcomes = []
    for seed in range(3):
        seeds = np.array([seed, 5], "int64")
        image, labels, masks = eagerly(augment, example, seeds, jitter)
        assert is_same((labels, masks), example[1:])
        assert 0 <= image.min() and image.max() <= 255
        outcomes.append(image)
        assert is_same(image, eagerly(augment, example, seeds, jitter)[0])
    for a, b in ((0, 1), (1, 2)):
        assert np.abs(outcomes[a] - outcomes[b]).max() > 5
    assert np.abs(outcomes[0] - example[0]).max() > 5


def test_brightness_by_hand():
    """One number is added to every color."""
    gray = np.full((2, 3, 3), 100, "float32")
    seeds = np.array([4, 5], "int64")
    only = Augmentation(flip=False, brightness=0.2)
    image, *_ = eagerly(augment, (gray, {}, {}), seeds, only)
    change = image - gray
    assert np.ptp(change) < 1e-3 and 0 < abs(change[0, 0, 0]) <= 51


def test_some_images_are_corrupted():
    rng = np.random.default_rng(0)
    image = np.rint(rng.uniform(60, 200, (32, 40, 3))).astype("float32")
    # What draws no noise, for every severity.
    known = {
        (name, severity): corrupt(image, name, severity, seed)
        for name, seeds in (
            ("contrast", [0]),
            ("blur", [0]),
            ("jpeg", [0]),
            ("brightness", range(8)),
        )
        for severity in range(1, 6)
        for seed in seeds
    }
    found = []
    for number in range(60):
        seeds = np.array([number, -5], "int64")
        half = Augmentation(flip=False, corruption=0.5)
        example = (image, {"depth": image[..., :1]}, {})
        changed, labels, _ = eagerly(augment, example, seeds, half)
        assert is_same(labels["depth"], image[..., :1])
        assert is_same(changed, eagerly(augment, example, seeds, half)[0])
        assert changed.shape == image.shape and changed.dtype == "float32"
        assert 0 <= changed.min() and changed.max() <= 255
        if not is_same(changed, image):
            names = {k for k, x in known.items() if is_same(changed, x)}
            found.append(min(names, default=("another", 0)))
    assert 20 <= len(found) <= 40
    names, severities = zip(*found, strict=True)
    assert {"contrast", "blur", "jpeg", "another"} <= set(names)
    assert len({*severities}) >= 4


def test_corruption_inside_tf_data():
    example = make_example()
    seeds = np.array([4, 5], "int64")
    always = Augmentation(flip=False, corruption=1.0)

    def corrupted(example, kinds):
        return augment(example, kinds, seeds, always)

    inside = in_tf_data(corrupted, example)
    assert is_same(inside, eagerly(corrupted, example))
    assert not is_same(inside[0], example[0])


def test_neutral_augmentation_changes_nothing():
    example = make_example()
    seeds = np.array([4, 5], "int64")
    neutral = Augmentation(flip=False)
    assert is_same(eagerly(augment, example, seeds, neutral), example)


@pytest.mark.parametrize(
    "options",
    [{"zoom": (2.0, 0.5)}, {"zoom": (0, 1)}, {"hue": 0.6}, {"corruption": 1.1}],
)
def test_bad_augmentations(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
        Augmentation(**options)


@pytest.mark.parametrize("factor", [0.5, 1.5, 2.0])
def test_a_zoomed_example_fits_the_canvas(factor):
    example = make_example()
    fixed = Augmentation(flip=False, zoom=(factor, factor))
    seeds = np.array([3, 5], "int64")
    image, labels, masks = eagerly(augment, example, seeds, fixed)
    height, width = (min(4, round(4 * factor)), min(6, round(6 * factor)))
    assert image.shape == (height, width, 3)
    assert labels["edge"].shape == masks["edge"].shape == (height, width, 1)
    # Every depth is that of some pixel, nearer by the factor.
    original = np.unique(example[1]["depth"] / np.float32(factor))
    assert np.isin(labels["depth"], original).all()
