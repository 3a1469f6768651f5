import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.methods.s4t.patches import normalize_patches


def make_method(**kwargs):
    options = dict(
        latent_dim=8,
        synchronizer=tiny.SYNCHRONIZER,
        mask_ratio=0.0,
        target_weight=0.01,
        seed=0,
    )
    return keras_s4t.methods.S4TImageRecon(**{**options, **kwargs})


def make_adapter(method):
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), method)
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def target_loss(adapter, images):
    features = adapter.network.encode(images, training=True)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(keras.ops.convert_to_numpy(loss))


def test_loss_is_the_channel_summed_error_of_the_normalized_image():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(make_method())
    method = adapter.method
    features = adapter.network.encode(images, training=True)
    latents = {"image": method.projection(features)}
    output = keras.ops.convert_to_numpy(method.synchronizer(latents)["image"])
    mean, std = (np.array(adapter.network.mean), np.array(adapter.network.std))
    target = (images / 255 - mean) / std
    expected = 0.01 * np.abs(output - target).sum(-1).mean()
    assert target_loss(adapter, images) == pytest.approx(expected, rel=1e-4)


def test_a_perfect_reconstruction_costs_nothing(monkeypatch):
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(make_method())
    normalized = adapter.network.normalization(images)
    monkeypatch.setattr(
        type(adapter.method.synchronizer),
        "__call__",
        lambda self, latents: {"image": normalized},
    )
    assert target_loss(adapter, images) == 0


@pytest.mark.eager
def test_decoders_play_no_part():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(make_method())
    before = target_loss(adapter, images)
    for decoder in adapter.network.decoders.values():
        tiny.fill(decoder, seed=3)
    assert target_loss(adapter, images) == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize("mask_ratio", [0.0, 0.5])
def test_only_a_mask_is_random(mask_ratio):
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(make_method(mask_ratio=mask_ratio))
    first, second = (target_loss(adapter, images) for _ in range(2))
    assert (first == pytest.approx(second, rel=1e-6)) == (mask_ratio == 0)


@pytest.mark.eager
def test_normalized_patches_are_the_target_on_request():
    images, *_ = tiny.make_arrays(2)
    x = images.reshape(2, 4, 4, 4, 4, 3)
    mean = x.mean((2, 4, 5), keepdims=True)
    std = x.std((2, 4, 5), keepdims=True)
    expected = ((x - mean) / std).reshape(images.shape)
    patches = keras.ops.convert_to_numpy(
        normalize_patches(keras.ops.convert_to_tensor(images), 4)
    )
    np.testing.assert_allclose(patches, expected, atol=1e-3)
    plain, normalized = (
        target_loss(make_adapter(make_method(norm_pix=norm_pix)), images)
        for norm_pix in (False, True)
    )
    assert plain != pytest.approx(normalized, rel=1e-3)
