import gradients
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus.feature_queue import FeatureQueue


def make_queue(size=5, channels=2):
    queue = FeatureQueue(size)
    queue.build((None, channels))
    return queue


def batch(*values):
    return np.float32(values)[:, None] * np.ones((1, 2), "float32")


def state(queue, features):
    entries, valid = map(ops.convert_to_numpy, queue(features))
    assert entries.shape == (queue.size, 2) and valid.shape == (queue.size,)
    return list(entries[:, 0]), list(valid)


def test_first_in_first_out():
    queue = make_queue()
    assert state(queue, batch(1, 2)) == ([1, 2, 0, 0, 0], [1, 1, 0, 0, 0])
    assert state(queue, batch(3, 4)) == ([3, 4, 1, 2, 0], [1, 1, 1, 1, 0])
    assert state(queue, batch(5, 6)) == ([5, 6, 3, 4, 1], [1] * 5)
    assert state(queue, batch(7)) == ([7, 5, 6, 3, 4], [1] * 5)


def test_a_batch_larger_than_the_queue():
    queue = make_queue(size=3)
    assert state(queue, batch(1, 2, 3, 4)) == ([1, 2, 3], [1] * 3)
    assert state(queue, batch(5)) == ([5, 1, 2], [1] * 3)


def test_a_real_zero_counts_as_an_entry():
    assert state(make_queue(), batch(0, 0)) == ([0] * 5, [1, 1, 0, 0, 0])


def test_only_the_batch_passes_a_gradient():
    queue = make_queue()
    weights = np.arange(1, 11, dtype="float32").reshape(5, 2)

    def loss(x):
        # The same tensor enters twice; only its second entry has a gradient.
        queue.entries.assign(ops.zeros((5, 2)))
        queue(x)
        return ops.sum(ops.multiply(weights, queue(x)[0]))

    _, gradient = gradients.value_and_gradient(loss, batch(1, 2))
    np.testing.assert_array_equal(gradient, weights[:2])


def test_size_must_be_positive():
    with pytest.raises(ValueError, match="positive.*size=0"):
        FeatureQueue(0)
