import colorsys

import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus.random_views import RandomViews

# Draws that change nothing: the whole image, not mirrored, colors kept.
NEUTRAL = dict(
    area=1.0,
    ratio=0.5,
    top=0.5,
    left=0.5,
    flip=0.99,
    brightness=0.5,
    contrast=0.5,
    saturation=0.5,
    hue=0.5,
    jitter=0.99,
    gray=0.99,
)


def draws(count, **changes):
    row = np.float32(list({**NEUTRAL, **changes}.values()))
    return np.tile(row, (count, 1))


def transform(images, layer=None, **changes):
    layer = layer or RandomViews()
    images = ops.convert_to_tensor(images)
    views = layer.transform(images, draws(len(images), **changes))
    return ops.convert_to_numpy(views)


def make_images(count=2, height=8, width=8):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (count, height, width, 3)).astype("float32")


def gray_of(images):
    return images @ [0.2989, 0.587, 0.114]


@pytest.mark.eager
def test_neutral_draws_change_nothing():
    images = make_images()
    views = transform(images)
    np.testing.assert_allclose(views, images, rtol=1e-4, atol=1e-3)


def test_flip_mirrors_left_and_right():
    images = make_images()
    views = transform(images, flip=0.1)
    np.testing.assert_allclose(views, images[:, :, ::-1], rtol=1e-4, atol=1e-3)


@pytest.mark.eager
@pytest.mark.parametrize("mirrored", [False, True])
def test_crop_of_a_ramp_is_a_flatter_ramp(mirrored):
    height, width = 12, 16
    rows, columns = np.mgrid[:height, :width] + 0.5
    images = np.stack([rows, columns, 0 * rows], -1)[None].astype("float32")
    layer = RandomViews(scale=(0.25, 0.25), ratio=(1.0, 1.0))
    views = transform(
        images, layer, top=0.2, left=0.6, flip=0.1 if mirrored else 0.9
    )
    # A square crop of a quarter of the area.
    side = np.sqrt(0.25 * height * width)
    top, left = 0.2 * (height - side), 0.6 * (width - side)
    expected_rows = top + side * rows / height
    share = columns / width
    expected_columns = left + side * (1 - share if mirrored else share)
    np.testing.assert_allclose(views[0, ..., 0], expected_rows, rtol=1e-4)
    np.testing.assert_allclose(views[0, ..., 1], expected_columns, rtol=1e-4)


def test_a_side_longer_than_the_image_is_cut():
    images = make_images()
    layer = RandomViews(scale=(1.0, 1.0), ratio=(4.0, 4.0))
    views = transform(images, layer)
    # Twice as wide as the image, and half as high, in the middle.
    column = images[0, :, 3, 0]
    places = np.clip(2 + (np.arange(8) + 0.5) / 2 - 0.5, 0, 7)
    expected = np.interp(places, np.arange(8), column)
    np.testing.assert_allclose(views[0, :, 3, 0], expected, rtol=1e-4)


def test_gray_has_no_color():
    images = make_images()
    views = transform(images, gray=0.1)
    expected = np.repeat(gray_of(images)[..., None], 3, -1)
    np.testing.assert_allclose(views, expected, rtol=1e-3)


def test_jitter_by_hand():
    images = make_images()
    layer = RandomViews()
    views = transform(
        images,
        layer,
        brightness=0.75,
        contrast=0.25,
        saturation=1.0,
        hue=0.75,
        jitter=0.1,
    )
    x = np.clip(images[0] / 255 * 1.2, 0, 1)
    mean = gray_of(x).mean()
    x = np.clip(mean + (x - mean) * 0.8, 0, 1)
    gray = gray_of(x)[..., None]
    x = np.clip(gray + (x - gray) * 1.4, 0, 1)
    expected = np.empty_like(x)
    for i, j in np.ndindex(8, 8):
        hue, saturation, value = colorsys.rgb_to_hsv(*x[i, j])
        turned = (hue + 0.05) % 1
        expected[i, j] = colorsys.hsv_to_rgb(turned, saturation, value)
    np.testing.assert_allclose(views[0], expected * 255, rtol=1e-2, atol=0.1)


@pytest.mark.eager
def test_shares_range_and_fresh_draws():
    layer = RandomViews(scale=(1.0, 1.0), ratio=(1.0, 1.0), seed=0)
    images = np.repeat(make_images(1, 16, 16), 1000, axis=0)
    views = ops.convert_to_numpy(layer(images))
    assert views.min() >= 0 and views.max() <= 255.001
    colorless = np.ptp(views, axis=-1).max((1, 2)) < 1e-2
    assert colorless.mean() == pytest.approx(0.2, abs=0.04)
    mirrored = images[:, :, ::-1]
    kept = [np.abs(views - x).max((1, 2, 3)) < 1e-2 for x in (images, mirrored)]
    # Neither jittered nor gray, half of them mirrored.
    for share in kept:
        assert share.mean() == pytest.approx(0.5 * 0.2 * 0.8, abs=0.03)
    assert np.abs(ops.convert_to_numpy(layer(images)) - views).max() > 1


@pytest.mark.eager
def test_every_image_has_its_own_draws():
    images = np.repeat(make_images(1, 16, 16), 8, axis=0)
    views = ops.convert_to_numpy(RandomViews(seed=0)(images))
    for i, j in zip(*np.triu_indices(8, 1), strict=True):
        assert np.abs(views[i] - views[j]).max() > 1


def test_computes_in_float32_under_mixed_bfloat16():
    images = make_images()
    expected = ops.convert_to_numpy(RandomViews(seed=0)(images))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        views = RandomViews(seed=0)(images)
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(views.dtype) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(views), expected)


def test_a_stateless_scope_returns_the_next_random_state():
    images = make_images()
    layer, pure = RandomViews(seed=0), RandomViews(seed=0)
    expected = [ops.convert_to_numpy(layer(images)) for _ in range(2)]
    (state,) = pure.variables
    value = state.value
    for views in expected:
        with keras.StatelessScope([(state, value)]) as scope:
            received = pure(images)
        value = scope.get_current_value(state)
        np.testing.assert_array_equal(ops.convert_to_numpy(received), views)
    # Nothing was written outside the scope.
    np.testing.assert_array_equal(
        ops.convert_to_numpy(pure(images)), expected[0]
    )


def test_a_loaded_model_continues_the_random_sequence(tmp_path):
    images = make_images()
    model = keras.Sequential(
        [keras.Input((None, None, 3)), RandomViews(seed=0)]
    )
    first = ops.convert_to_numpy(model(images))
    model.save(tmp_path / "views.keras")
    second = ops.convert_to_numpy(model(images))
    loaded = keras.saving.load_model(tmp_path / "views.keras")
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded(images)), second)
    assert np.abs(first - second).max() > 1


def test_crops_have_areas_in_the_range():
    layer = RandomViews(
        scale=(0.2, 1.0), jitter_rate=0.0, gray_rate=0.0, seed=0
    )
    rows, columns = np.mgrid[:16, :16] + 0.5
    image = np.stack([rows, columns, rows], -1)[None].astype("float32")
    views = ops.convert_to_numpy(layer(np.repeat(image, 1000, axis=0)))
    # Slopes away from the border tell the sides of the crops.
    height = np.median(np.diff(views[:, :, 8, 0], axis=1), axis=1)
    width = np.abs(np.median(np.diff(views[:, 8, :, 1], axis=1), axis=1))
    area = height * width
    assert 0.18 < area.min() < 0.3 and 0.9 < area.max() < 1.001
    assert np.std(height / width) > 0.1


def test_compiles_for_unknown_sizes():
    model = keras.Sequential(
        [keras.Input((None, None, 3)), RandomViews(seed=0)]
    )
    views = model.predict(make_images(2, 6, 8), verbose=0)
    assert views.shape == (2, 6, 8, 3)
    assert np.isfinite(views).all()


@pytest.mark.parametrize(
    "kwargs",
    [
        {"scale": (0.0, 1.0)},
        {"scale": (1.0, 0.2)},
        {"ratio": (0.0, 1.0)},
        {"jitter": (0.4, 0.4, 0.4, 1.5)},
        {"jitter_rate": 1.2},
        {"gray_rate": -0.1},
    ],
)
def test_numbers_must_be_in_their_range(kwargs):
    ((name, value),) = kwargs.items()
    with pytest.raises(ValueError, match=f"`{name}` must .*{name}="):
        RandomViews(**kwargs)
