"""Shares of batches, for processes that train together."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.data import share_of


def make_batches(kind, batch_size=4):
    import tensorflow as tf

    arrays = tiny.make_arrays(7, count=2)
    if kind == "arrays":
        return keras_s4t.data.ArrayBatches(arrays, batch_size)
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def read(batches):
    if isinstance(batches, keras.utils.PyDataset):
        batches = [batches[i] for i in range(len(batches))]
    return [keras.tree.map_structure(np.asarray, batch) for batch in batches]


@pytest.mark.parametrize("kind", ["arrays", "dataset"])
def test_shares_are_the_batches(kind):
    shares = [read(share_of(make_batches(kind), i, 3)) for i in range(3)]
    assert [[len(x) for x, _, _ in share] for share in shares] == [
        [1, 1],
        [1, 1],
        [2, 1],
    ]
    for expected, *parts in zip(read(make_batches(kind)), *shares, strict=True):
        joined = keras.tree.map_structure(lambda *x: np.concatenate(x), *parts)
        keras.tree.map_structure(
            np.testing.assert_array_equal, joined, expected
        )


def test_batches_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="3 images for 4 processes"):
        share_of(make_batches("arrays"), 0, 4)
    dataset = make_batches("dataset").take(1)
    with pytest.raises(Exception, match="an image for every process"):
        read(share_of(dataset, 0, 5))
    whole = make_batches("dataset", 2).unbatch().batch(2, drop_remainder=True)
    with pytest.raises(ValueError, match="2 images for 3 processes"):
        share_of(whole, 0, 3)


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="`index` must be"):
        share_of(make_batches("arrays"), 2, 2)
    with pytest.raises(ValueError, match="Received: list"):
        share_of([1], 0, 2)
