"""Jitter of colors and noise."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.s4t.photometric_jitter import PhotometricJitter

IMAGES = np.random.default_rng(0).uniform(60, 200, (6, 9, 8, 3))
IMAGES = IMAGES.astype("float32")
NOTHING = {"contrast": 0.0, "brightness": 0.0, "color": 0.0, "noise": 0.0}


def jittered(images=IMAGES, **options):
    layer = PhotometricJitter(**{**NOTHING, "seed": 0, **options})
    return ops.convert_to_numpy(layer(images))


def test_nothing_changes_nothing():
    np.testing.assert_allclose(jittered(), IMAGES, rtol=1e-6)


@pytest.mark.eager
def test_brightness_is_an_offset_per_image():
    offsets = jittered(brightness=20.0) - IMAGES
    each = offsets.mean((1, 2, 3))
    np.testing.assert_allclose(
        offsets, each[:, None, None, None] + 0 * offsets, atol=1e-3
    )
    assert np.abs(each).max() <= 20 and each.std() > 2


@pytest.mark.eager
@pytest.mark.parametrize(("name", "axes"), [("contrast", 3), ("color", 2)])
def test_contrast_is_about_the_mean(name, axes):
    mean = IMAGES.mean((1, 2), keepdims=True)
    factors = (jittered(**{name: 0.3}) - mean) / (IMAGES - mean)
    own = tuple(range(1, axes + (name == "contrast")))
    median = np.median(factors, axis=own, keepdims=True)
    is_far = np.abs(IMAGES - mean) > 5
    np.testing.assert_allclose(
        factors[is_far], (median + 0 * factors)[is_far], rtol=1e-3
    )
    assert np.abs(median - 1).max() <= 0.3 and median.std() > 0.03


@pytest.mark.eager
def test_noise_has_a_deviation_per_image():
    images = np.full((40, 32, 32, 3), 128, "float32")
    deviations = (jittered(images, noise=8.0) - 128).std((1, 2, 3))
    assert deviations.max() < 8.5 and deviations.min() < 2
    np.testing.assert_allclose(deviations.mean(), 4, atol=1)


@pytest.mark.eager
def test_the_range_is_kept():
    values = jittered(255 * (IMAGES > 128), brightness=100.0, noise=20.0)
    assert values.min() >= 0 and values.max() <= 255


def test_its_random_state_is_saved(tmp_path):
    layer = PhotometricJitter(seed=3)
    model = keras.Sequential([layer])
    model.build(IMAGES.shape)
    layer(IMAGES)
    model.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras").layers[0]
    assert loaded.get_config() == layer.get_config()
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded(IMAGES)),
        ops.convert_to_numpy(layer(IMAGES)),
    )


@pytest.mark.eager
@pytest.mark.parametrize("options", [{"contrast": 1.5}, {"noise": -1.0}])
def test_bad_options(options):
    with pytest.raises(ValueError, match="must be in the range"):
        PhotometricJitter(**options)
