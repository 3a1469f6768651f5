import keras
import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t.models.composed_batch_norm import ComposedBatchNorm
from keras_s4t.models.encoder import make_encoder
from keras_s4t.models.encoder import normalizing_layers
from keras_s4t.models.fused_batch_norm import FusedBatchNorm

both_layers = pytest.mark.parametrize(
    "layer", [FusedBatchNorm, ComposedBatchNorm]
)


def make_norm(channels=3, **kwargs):
    rng = np.random.default_rng(1)
    norm = keras.layers.BatchNormalization(**{"momentum": 0.9, **kwargs})
    norm.build((None, None, None, channels))
    for variable in norm.variables:
        variable.assign(rng.uniform(0.5, 2, variable.shape).astype("float32"))
    return norm


def make_images(size=(4, 5), channels=3):
    rng = np.random.default_rng(0)
    shape = (2, *size, channels)
    return rng.normal(2, 3, shape).astype("float32")


def value(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


@both_layers
@pytest.mark.parametrize("training", [True, False])
def test_outputs_follow_the_formula(layer, training):
    norm, x = make_norm(), make_images()
    gamma, beta, mean, variance = map(value, norm.variables)
    used_mean, used_variance = mean, variance
    if training:
        used_mean, used_variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    outputs = value(layer(norm)(x, training=training))
    expected = (x - used_mean) / np.sqrt(used_variance + norm.epsilon)
    np.testing.assert_allclose(outputs, gamma * expected + beta, atol=1e-5)
    if training:
        mean = 0.9 * mean + 0.1 * x.mean((0, 1, 2))
        variance = 0.9 * variance + 0.1 * x.var((0, 1, 2))
    np.testing.assert_allclose(value(norm.moving_mean), mean, rtol=1e-5)
    np.testing.assert_allclose(value(norm.moving_variance), variance, rtol=1e-5)


@both_layers
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("wanted", ["inputs", "gamma", "beta"])
def test_gradients_are_those_of_keras(layer, training, wanted):
    norm, images = make_norm(), make_images()
    weights = np.random.default_rng(2).normal(size=images.shape)
    weights = ops.convert_to_tensor(weights.astype("float32"))
    variables = {"gamma": norm.gamma, "beta": norm.beta}
    start = images if wanted == "inputs" else value(variables[wanted])

    def loss_with(layer):
        def loss(x):
            inputs = x if wanted == "inputs" else ops.convert_to_tensor(images)
            replaced = [(variables[wanted], x)] if wanted in variables else []
            with keras.StatelessScope(replaced):
                outputs = layer(inputs, training=training)
            # Squared: a linear loss of normalized values has no gradient.
            return ops.sum(ops.square(outputs) * weights)

        return value_and_gradient(loss, start)

    received = loss_with(layer(norm))
    expected = loss_with(norm)
    np.testing.assert_allclose(received[0], expected[0], rtol=1e-5)
    scale = np.abs(expected[1]).max()
    np.testing.assert_allclose(received[1], expected[1], atol=1e-5 * scale)


@both_layers
def test_a_frozen_layer_keeps_its_statistics(layer):
    norm, x = make_norm(), make_images()
    norm.trainable = False
    before = value(norm.moving_mean)
    outputs = value(layer(norm)(x, training=True))
    np.testing.assert_allclose(outputs, value(norm(x)), atol=1e-5)
    np.testing.assert_array_equal(value(norm.moving_mean), before)


@both_layers
def test_one_pixel_is_normalized_to_the_offset(layer):
    norm, x = make_norm(), make_images()[:1, :1, :1]
    outputs = value(layer(norm)(x, training=True))
    np.testing.assert_allclose(outputs[0, 0, 0], value(norm.beta), atol=1e-5)
    assert np.isfinite(value(norm.moving_variance)).all()


@both_layers
def test_statistics_of_bfloat16_images_are_float32(layer):
    norm, x = make_norm(dtype="mixed_bfloat16"), make_images((16, 16))
    rounded = ops.cast(x, "bfloat16")
    outputs = layer(norm)(rounded, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    gamma, beta = map(value, norm.variables[:2])
    x = value(ops.cast(rounded, "float32"))
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    expected = gamma * (x - mean) / np.sqrt(variance + norm.epsilon) + beta
    outputs = value(ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, expected, rtol=1e-2, atol=2e-2)
    moved = 0.9 * value(make_norm().moving_mean) + 0.1 * mean
    np.testing.assert_allclose(value(norm.moving_mean), moved, rtol=1e-5)


@pytest.mark.parametrize(
    "options", [{"axis": 1}, {"scale": False}, {"center": False}]
)
def test_other_layers_are_refused(options):
    norm = keras.layers.BatchNormalization(**options)
    norm.build((None, 3, 3, 3))
    assert not FusedBatchNorm.is_exact_for(norm)
    with pytest.raises(ValueError, match="scale and offset.*Received"):
        FusedBatchNorm(norm)


def far_from_zero():
    """Features of mean 1000 and deviation 0.1."""
    rng = np.random.default_rng(0)
    return rng.normal(1000, 0.1, (4, 8, 8, 3)).astype("float32")


@both_layers
def test_features_far_from_zero(layer):
    norm, x = make_norm(), far_from_zero()
    norm.moving_variance.assign(np.ones(3, "float32"))
    outputs = value(layer(norm)(x, training=True))
    variance = x.astype("float64").var((0, 1, 2))
    received = (value(norm.moving_variance) - 0.9) / 0.1
    np.testing.assert_allclose(received, variance, rtol=0.02)
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize("fused_norms", [True, False])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_no_encoder_has_a_negative_variance(fused_norms, options):
    # Keras's layer has one on PyTorch.
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.BatchNormalization(momentum=0.0, **options)(inputs)
    backbone = keras.Model(inputs, outputs)
    backbone.pyramid_outputs = {"P2": outputs}
    encoder = make_encoder(backbone, fused_norms)
    outputs = value(encoder(far_from_zero(), training=True)["P2"])
    assert np.isfinite(outputs).all() and outputs.std() > 0.5
    (norm,) = normalizing_layers(encoder)
    norm = getattr(norm, "norm", norm)
    variance = far_from_zero().astype("float64").var((0, 1, 2))
    np.testing.assert_allclose(value(norm.moving_variance), variance, rtol=0.02)


def test_composed_layers_need_no_scale_and_offset():
    x = make_images()
    norm = make_norm(scale=False, center=False)
    outputs = value(ComposedBatchNorm(norm)(x, training=True))
    expected = (x - x.mean((0, 1, 2))) / np.sqrt(
        x.var((0, 1, 2)) + norm.epsilon
    )
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    other = keras.layers.BatchNormalization(axis=1)
    other.build((None, 3, 3, 3))
    assert not ComposedBatchNorm.is_exact_for(other)
