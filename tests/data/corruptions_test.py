import numpy as np
import pytest

from keras_s4t.data import corruptions
from keras_s4t.data.corruptions import corrupt

NAMES = sorted(corruptions.CORRUPTIONS)


def make_images(num_images=2, size=(112, 128)):
    """Coloured blobs and stripes, so that every corruption has work to do."""
    y, x = np.indices(size)
    phases = np.arange(num_images)[:, None, None, None]
    waves = np.stack([x / 2.0, y / 1.5, (x + y) / 3.0], axis=-1)
    return (128.0 + 90.0 * np.sin(waves + phases)).astype("float32")


def test_table():
    assert NAMES == sorted(corruptions.STRENGTHS)
    assert NAMES == [
        "blur",
        "brightness",
        "contrast",
        "gaussian_noise",
        "haze",
        "jpeg",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_severity_grows(name):
    images = make_images()
    changes = [
        np.abs(corrupt(images, name, severity, seed=3) - images).mean()
        for severity in range(1, 6)
    ]
    assert changes[0] > 0.5
    assert (np.diff(changes) > 0).all(), changes


@pytest.mark.parametrize("name", NAMES)
def test_shape_dtype_range_and_single_images(name):
    images = make_images()
    untouched = images.copy()
    result = corrupt(images, name, 5, seed=1)
    assert result.shape == images.shape
    assert result.dtype == "float32"
    assert result.min() >= 0 and result.max() <= 255
    np.testing.assert_array_equal(images, untouched)
    single = corrupt(images[0], name, 5, seed=1)
    assert single.shape == images[0].shape
    np.testing.assert_allclose(single, result[0], atol=1e-3)
    whole = corrupt(np.rint(images[0]).astype("uint8"), name, 5, seed=1)
    np.testing.assert_allclose(whole.mean(), single.mean(), atol=1.0)


@pytest.mark.parametrize("name", NAMES)
def test_seed(name):
    images = make_images(8)
    first = corrupt(images, name, 3, seed=(1, 2))
    np.testing.assert_array_equal(corrupt(images, name, 3, seed=(1, 2)), first)
    is_random = name in ("gaussian_noise", "brightness", "haze")
    other = corrupt(images, name, 3, seed=(1, 3))
    assert is_random != np.array_equal(other, first)


def test_gaussian_noise_has_its_deviation():
    images = np.full((1, 100, 100, 3), 127.5, "float32")
    noise = corrupt(images, "gaussian_noise", 1) - images
    assert abs(noise.std() - 0.08 * 255) < 0.4
    assert abs(noise.mean()) < 0.6


def test_brightness_goes_both_ways():
    images = np.full((64, 1, 1, 3), 100.0)
    result = corrupt(images, "brightness", 2)
    np.testing.assert_allclose(
        np.unique(result), [100 - 51, 100 + 51], rtol=1e-6
    )
    brightened = (result[:, 0, 0, 0] > 100).mean()
    assert 0.25 < brightened < 0.75


def test_contrast_formula():
    images = np.array([[[[0, 10, 20], [100, 30, 20]]]], "float32")
    # 40 % of (0, 100) about 50 and of (10, 30) about 20, at severity 1.
    expected = np.array([[[[30, 16, 20], [70, 24, 20]]]])
    np.testing.assert_allclose(corrupt(images, "contrast", 1), expected)


def test_blur_formula():
    size, deviation = 224, 2.0  # severity 2, without scaling
    images = np.zeros((size, size, 3), "float32")
    images[100, 120] = 255.0
    result = corrupt(images, "blur", 2)
    y, x = np.indices((size, size))
    squared = (y - 100) ** 2 + (x - 120) ** 2
    bell = 255 * np.exp(-squared / (2 * deviation**2))
    bell /= 2 * np.pi * deviation**2
    np.testing.assert_allclose(result[..., 0], bell, atol=0.01)
    np.testing.assert_allclose(result.sum(axis=(0, 1)), 255, rtol=1e-4)


def test_blur_scales_with_the_image():
    step = np.zeros((1, 112, 112, 3), "float32")
    step[:, :, 56:] = 255.0
    small = corrupt(step, "blur", 4)
    large = corrupt(step.repeat(2, axis=1).repeat(2, axis=2), "blur", 4)
    pooled = large.reshape(1, 112, 2, 112, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(small, pooled, atol=2.0)
    # The shares stay: no dark rim at the border.
    flat = np.full((32, 32, 3), 77.0)
    np.testing.assert_allclose(corrupt(flat, "blur", 5), 77.0, rtol=1e-5)


def test_jpeg_keeps_flat_images_and_makes_blocks():
    flat = np.full((16, 16, 3), 128.0)
    np.testing.assert_array_equal(corrupt(flat, "jpeg", 5), flat)
    y, x = np.indices((64, 64))
    slope = np.stack([x, y + x, 2 * y], axis=-1) + 50.0
    result = corrupt(slope, "jpeg", 5)
    np.testing.assert_array_equal(result, np.rint(result))
    jumps = np.abs(np.diff(result, axis=1)).mean(axis=(0, 2))
    at_blocks = jumps[7::8].mean()
    assert at_blocks > 1.5 * np.delete(jumps, np.s_[7::8]).mean()


def test_haze_formula():
    # Black shows d * 0.9 * 255 and white 255 - d * 0.1 * 255.
    black = corrupt(np.zeros((3, 33, 65, 3)), "haze", 3, seed=5)
    white = corrupt(np.full((3, 33, 65, 3), 255.0), "haze", 3, seed=5)
    density = black / (0.9 * 255)
    np.testing.assert_allclose(white, 255 * (1 - 0.1 * density), rtol=1e-5)
    assert density.min() >= 0.25 and density.max() <= 0.5
    assert density.std() > 0.02
    # Smooth: straight between knots a third of the side apart.
    assert np.abs(np.diff(density, axis=2)).max() < 0.25 * 3 / 64 * 1.01
    line = density[0, 0, :22, 0]
    np.testing.assert_allclose(np.diff(line, n=2), 0, atol=1e-5)


@pytest.mark.parametrize("severity", [0, 6, -1, 2.5, None, "3"])
def test_unknown_severity(severity):
    with pytest.raises(ValueError, match="`severity` must .* Received"):
        corrupt(make_images(), "blur", severity)


def test_unknown_name():
    with pytest.raises(ValueError, match="'blur', .*'jpeg'.*name='fog'"):
        corrupt(make_images(), "fog")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape", [(8, 8), (8, 8, 1), (1, 2, 8, 8, 3), (2, 8, 8, 4), (0, 8, 8, 3)]
)
def test_bad_shapes(name, shape):
    with pytest.raises(ValueError, match="`images` must .* Received"):
        corrupt(np.zeros(shape), name)
