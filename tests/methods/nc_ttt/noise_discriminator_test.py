import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_s4t.methods.nc_ttt.noise_discriminator import NoiseDiscriminator


def make_layer(channels=6, **kwargs):
    layer = NoiseDiscriminator(**{"projection_dim": 9, **kwargs})
    layer.build((None, None, None, channels))
    tiny.fill(layer)
    return layer


def make_inputs(num_noises):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 3, 4, 6)).astype("float32")
    noises = rng.normal(size=(num_noises, 2, 3, 4, 9)).astype("float32")
    return features, list(noises)


def convolved(x, variables, kernel, bias):
    return x @ variables[kernel] + variables[bias]


def in_numpy(layer, features, noises):
    """Applies the convolutions separately to noisy projections."""
    variables = {
        v.name: ops.convert_to_numpy(v).astype("float64")
        for v in layer.trainable_variables
    }
    x = convolved(features, variables, "projection", "projection_bias")
    if noises:
        x = np.concatenate([x + noise for noise in noises])
    x = convolved(x, variables, "hidden", "hidden_bias")
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    x = (x - mean) / np.sqrt(variance + 1e-5)
    x = x * variables["gamma"] + variables["beta"]
    x = np.where(x > 0, x, 0.2 * x)
    return convolved(x, variables, "output_kernel", "output_bias")


@pytest.mark.parametrize("num_noises", [0, 1, 2])
def test_equals_the_convolutions_one_by_one(num_noises):
    layer = make_layer()
    features, noises = make_inputs(num_noises)
    logits = ops.convert_to_numpy(layer(features, noises))
    assert logits.shape == (2 * max(1, num_noises), 3, 4, 1)
    np.testing.assert_allclose(
        logits, in_numpy(layer, features, noises), rtol=1e-4, atol=1e-4
    )


def test_has_no_state():
    layer = make_layer()
    features, noises = make_inputs(2)
    assert not layer.non_trainable_variables
    before = tiny.numpy_values(layer.variables)
    first = ops.convert_to_numpy(layer(features, noises, training=True))
    second = ops.convert_to_numpy(layer(features, noises, training=False))
    np.testing.assert_array_equal(first, second)
    assert not tiny.moved(layer.variables, before)


def test_small_noise_survives_half_precision():
    layer = make_layer(dtype="mixed_bfloat16")
    features, noises = make_inputs(2)
    noises = [1e-3 * noise for noise in noises]
    logits = layer(features, noises)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    logits = ops.convert_to_numpy(logits)
    expected = in_numpy(layer, features, noises)
    difference = logits[:2] - logits[2:]
    np.testing.assert_allclose(
        difference, expected[:2] - expected[2:], rtol=0.05, atol=1e-5
    )
    assert np.abs(difference).max() > 1e-3


def test_sizes():
    layer = make_layer(256, projection_dim=1536, hidden_dim=4)
    sizes = [int(np.prod(v.shape)) for v in layer.trainable_variables]
    assert sum(sizes) == 256 * 1536 + 1536 + 1536 * 4 + 4 + 8 + 4 + 1


@pytest.mark.parametrize("name", ["projection_dim", "hidden_dim"])
def test_sizes_must_be_positive(name):
    with pytest.raises(ValueError, match=f"positive.*{name}=0"):
        NoiseDiscriminator(**{name: 0})


def test_serializes():
    layer = NoiseDiscriminator(5, 3)
    clone = keras.layers.deserialize(keras.layers.serialize(layer))
    assert clone.get_config() == layer.get_config()
    assert (clone.projection_dim, clone.hidden_dim) == (5, 3)
