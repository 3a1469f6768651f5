"""Flips, eagerly and inside `tf.data`, which can differ."""

import keras
import numpy as np
import pytest

from keras_s4t.data.augmentation import flip_horizontally
from keras_s4t.data.augmentation import random_flip


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
        fn(keras.tree.map_structure(tf.constant, example), *args),
    )


def in_tf_data(fn, example, *args):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors((example, *args))
    (result,) = dataset.map(lambda *given: fn(*given)).as_numpy_iterator()
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
    images = seeds.map(lambda seed: random_flip(example, seed)[0])
    share = np.mean([image[0, 0, 0] for image in images.as_numpy_iterator()])
    # Five standard deviations of 200 throws.
    assert abs(share - 0.5) < 5 * 0.5 / 200**0.5
