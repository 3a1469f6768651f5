import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.nc_ttt.noise_pair import NoisePair


def posteriors(layer, *noises):
    return ops.convert_to_numpy(layer.posteriors(noises))


@pytest.mark.parametrize(
    "squared_length, expected",
    [(0, 0.2), (0.08, 0.8339253), (2 * np.log(2) / 37.5, 0.5)],
)
def test_golden_posteriors(squared_length, expected):
    length = np.sqrt(squared_length)
    for direction in ([1, 0], [0.6, -0.8]):
        noise = (length * np.array(direction, "float32")).reshape(1, 1, 1, 2)
        result = posteriors(NoisePair(0.2, 0.1), noise)
        assert result.shape == (1, 1, 1, 1)
        assert float(result[0, 0, 0, 0]) == pytest.approx(expected, rel=1e-5)


def test_posterior_is_that_of_bayes():
    large, small = 0.5, 0.2
    noise = np.random.default_rng(0).normal(0, 0.3, (2, 3, 3, 4))

    def density(sigma):
        exponent = -(noise**2).sum(-1, keepdims=True) / (2 * sigma**2)
        return np.exp(exponent) / (2 * np.pi * sigma**2) ** (4 / 2)

    expected = density(large) / (density(large) + density(small))
    assert expected.min() < 0.2 and expected.max() > 0.8
    first, second = noise.astype("float32")[:, None]
    result = posteriors(NoisePair(large, small), first, second)
    np.testing.assert_allclose(result, expected, rtol=1e-4)


def test_longer_noise_is_more_likely_large():
    noise = np.linspace(0, 1, 20, dtype="float32").reshape(20, 1, 1, 1)
    result = posteriors(NoisePair(0.5, 0.2), noise).ravel()
    assert (np.diff(result) > 0).all()


def test_defaults_saturate_without_overflow():
    layer = NoisePair(seed=0)
    large, small = layer.draw((2, 3, 3, 1536))
    result = posteriors(layer, large, small)
    assert result.shape == (4, 3, 3, 1)
    np.testing.assert_array_equal(result[:2], 1)
    np.testing.assert_array_equal(result[2:], 0)


def test_draws():
    layer = NoisePair(0.5, 0.2, seed=0)
    first = [ops.convert_to_numpy(x) for x in layer.draw((4, 8, 8, 32))]
    second = [ops.convert_to_numpy(x) for x in layer.draw((4, 8, 8, 32))]
    for noise, sigma in zip(first, (0.5, 0.2), strict=True):
        assert noise.shape == (4, 8, 8, 32)
        assert noise.mean() == pytest.approx(0, abs=0.02)
        assert noise.std() == pytest.approx(sigma, rel=0.05)
    everything = [x.ravel() for x in (*first, *second)]
    correlation = np.corrcoef(everything) - np.eye(4)
    assert np.abs(correlation).max() < 0.1


@pytest.mark.parametrize("sigmas", [(0.1, 0.1), (0.015, 0.05), (0.1, 0.0)])
def test_order_of_the_deviations(sigmas):
    with pytest.raises(ValueError, match="larger.*sigma_large=.*sigma_small="):
        NoisePair(*sigmas)


def test_serializes():
    layer = NoisePair(0.5, 0.2, seed=3)
    clone = keras.layers.deserialize(keras.layers.serialize(layer))
    assert clone.get_config() == layer.get_config()
    assert (clone.sigma_large, clone.sigma_small, clone.seed) == (0.5, 0.2, 3)
