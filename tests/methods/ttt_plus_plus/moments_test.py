import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus import moments

SAMPLES = np.float32([[1, 0], [0, 1], [2, 2]])
COVARIANCE = np.float32([[1, 0.5], [0.5, 1]])


def numpy(x):
    return ops.convert_to_numpy(x)


def random(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(3, 2, shape).astype("float32")


def test_mean_and_covariance_of_three_samples():
    mean, covariance = map(numpy, moments.mean_and_covariance(SAMPLES))
    np.testing.assert_allclose(mean, [1, 1], rtol=1e-6)
    np.testing.assert_allclose(covariance, COVARIANCE, rtol=1e-6)


def test_samples_that_are_not_valid_do_not_count():
    samples = random(7, 3)
    valid = np.float32([1, 0, 1, 1, 0, 1, 1])
    kept = samples[valid > 0]
    mean, covariance = map(numpy, moments.mean_and_covariance(samples, valid))
    np.testing.assert_allclose(mean, kept.mean(0), rtol=1e-5)
    np.testing.assert_allclose(covariance, np.cov(kept.T), rtol=1e-4)


@pytest.mark.parametrize("num_valid", [0, 1])
def test_covariance_of_fewer_than_two_samples_is_zero(num_valid):
    valid = np.float32([1, 1, 1, 1]) * (np.arange(4) < num_valid)

    def loss(samples):
        _, covariance = moments.mean_and_covariance(samples, valid)
        return ops.sum(covariance) + moments.coral_distance(
            covariance, np.eye(3, dtype="float32")
        )

    value, gradient = gradients.value_and_gradient(loss, random(4, 3))
    assert value == pytest.approx(3 / (4 * 3**2))
    np.testing.assert_array_equal(gradient, 0)


def test_golden_distances():
    identity = np.eye(2, dtype="float32")
    assert float(moments.coral_distance(COVARIANCE, identity)) == 0.03125
    assert float(moments.mean_distance(np.ones(2), np.zeros(2))) == 1
    assert float(moments.coral_distance(COVARIANCE, COVARIANCE)) == 0
    assert float(moments.mean_distance(np.ones(2), np.ones(2))) == 0
    both = moments.moment_distances(
        (np.ones(2), COVARIANCE), (np.zeros(2), identity)
    )
    np.testing.assert_array_equal(numpy(both), np.float32([1, 0.03125]))


def test_moments_of_half_precision_are_float32():
    x = ops.cast(random(64, 2), "bfloat16")
    exact = numpy(ops.cast(x, "float32")).astype("float64")
    mean, covariance = moments.mean_and_covariance(x)
    for value in (mean, covariance):
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
    np.testing.assert_allclose(numpy(mean), exact.mean(0), rtol=1e-5)
