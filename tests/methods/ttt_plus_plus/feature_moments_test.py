import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus.feature_moments import FeatureMoments

CHANNELS = 3


def make_batches(sizes=(4, 1, 7, 2), offset=1000.0):
    """Far from 0, where sums of squares would cancel in float32."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(CHANNELS, CHANNELS))
    return [
        (rng.normal(size=(size, CHANNELS)) @ mixing + offset).astype("float32")
        for size in sizes
    ]


def make_moments(batches=(), images=2):
    layer = FeatureMoments()
    layer.build((None, CHANNELS))
    for x in batches:
        update(layer, x, images)
    return layer


def numpy_moments(x):
    x = np.float64(x)
    centered = x - x.mean(0)
    return x.mean(0), centered.T @ centered / max(len(x) - 1, 1)


def numpy_distances(first, second):
    pairs = zip(first, second, strict=True)
    return np.array([((a - b) ** 2).mean() for a, b in pairs])


def update(layer, x, images):
    moments = numpy_moments(x)
    first = [np.float64(ops.convert_to_numpy(v)) for v in layer.first_moments]
    distances = numpy_distances(moments, first).astype("float32")
    moments = [ops.convert_to_tensor(m.astype("float32")) for m in moments]
    layer.update(moments, ops.convert_to_tensor(distances), len(x), images)


def test_streaming_covariance_is_that_of_all_samples():
    batches = make_batches()
    layer = make_moments(batches)
    samples = np.float64(np.concatenate(batches))
    mean, covariance = map(ops.convert_to_numpy, layer.moments)
    np.testing.assert_allclose(mean, samples.mean(0), rtol=1e-6)
    np.testing.assert_allclose(
        covariance, np.cov(samples.T), rtol=1e-3, atol=1e-3
    )


def test_many_batches_lose_no_precision():
    rng = np.random.default_rng(1)
    samples = rng.normal(5, 2, (200 * 8, CHANNELS)).astype("float32")
    layer = make_moments(np.split(samples, 200))
    mean, covariance = map(ops.convert_to_numpy, layer.moments)
    np.testing.assert_allclose(mean, np.float64(samples).mean(0), rtol=1e-6)
    np.testing.assert_allclose(
        covariance, np.cov(np.float64(samples).T), rtol=1e-5, atol=1e-5
    )


def test_expected_distances_are_those_from_the_first_batch():
    batches = make_batches((4, 4, 4), offset=0.0)
    first, *others = map(numpy_moments, batches)
    average = np.mean([numpy_distances(m, first) for m in others], axis=0)
    layer = make_moments(batches, images=2)
    for images in (2, 8):
        np.testing.assert_allclose(
            ops.convert_to_numpy(layer.expected_distances(images)),
            average * 2 / images,
            rtol=1e-4,
        )


@pytest.mark.parametrize("num_batches", [0, 1, 3])
def test_without_any_difference_distances_stay_as_they_are(num_batches):
    layer = make_moments(make_batches((4,)) * num_batches)
    expected = ops.convert_to_numpy(layer.expected_distances(4))
    np.testing.assert_array_equal(expected, [1, 1])


def test_all_state_is_in_weights():
    batches = make_batches()
    layer = make_moments(batches[:2])
    resumed = make_moments()
    resumed.set_weights(layer.get_weights())
    for x in batches[2:]:
        update(layer, x, 2)
        update(resumed, x, 2)
    for a, b in zip(layer.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not layer.trainable_variables
