"""Source images in the style of a target."""

import numpy as np
import pytest
from keras import ops

from keras_s4t.data.restyling import restyle
from keras_s4t.layers import style


def noise_deviation(images):
    return ops.convert_to_numpy(style.noise_deviation(images))


def smooth_images(count, size=48, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    slopes = rng.uniform(-1, 1, (count, 2, 1, 1, 3))
    planes = slopes[:, 0] * x[..., None] + slopes[:, 1] * y[..., None]
    return (128 + 40 * planes).astype("float32")


def test_channel_statistics_become_those_of_the_target():
    images, target = smooth_images(3), 0.5 * smooth_images(1, seed=1) + 20
    styled = restyle(images, target)
    for axes in ((1, 2),):
        np.testing.assert_allclose(
            styled.mean(axes), np.repeat(target.mean(axes), 3, 0), rtol=1e-3
        )
        np.testing.assert_allclose(
            styled.std(axes), np.repeat(target.std(axes), 3, 0), rtol=1e-2
        )


def test_noise_is_estimated_and_added():
    rng = np.random.default_rng(0)
    images = smooth_images(4)
    noisy = images + 12 * rng.standard_normal(images.shape)
    np.testing.assert_allclose(noise_deviation(noisy), 12, rtol=0.1)
    assert noise_deviation(images).max() < 0.01
    styled = restyle(images, noisy)
    np.testing.assert_allclose(noise_deviation(styled), 12, rtol=0.15)
    # Noise is never taken away, but scaled with the contrast.
    styled = restyle(noisy, np.repeat(images[:1], 4, 0), seed=2)
    scale = images[0].std((0, 1)) / noisy.std((1, 2))
    np.testing.assert_allclose(
        noise_deviation(styled), scale * noise_deviation(noisy), rtol=1e-2
    )


def test_images_are_paired_at_random_and_reproducibly():
    images = smooth_images(16)
    target = np.stack([np.full((8, 8, 3), x, "float32") for x in (10, 200)])
    styled = restyle(images, target, seed=1)
    means = np.round(styled.mean((1, 2, 3))).astype(int)
    assert set(means) == {10, 200}
    np.testing.assert_array_equal(styled, restyle(images, target, seed=1))
    assert styled.dtype == "float32"
    # A target of one color leaves one color.
    assert styled.std((1, 2)).max() < 0.1


def test_the_formula():
    rng = np.random.default_rng(0)
    images, target = rng.uniform(0, 255, (2, 2, 7, 9, 3))
    target = np.float32(0.3 * target + 90 * rng.uniform(size=(2, 1, 1, 3)))
    images = np.float32(images * 0.1 + 50)
    noise = rng.standard_normal(images.shape).astype("float32")
    kernel = np.outer([1, -2, 1], [1, -2, 1])

    def deviation(image):
        responses = [
            abs(np.sum(kernel[..., None] * image[i : i + 3, j : j + 3], (0, 1)))
            for i in range(5)
            for j in range(7)
        ]
        return np.median(responses, axis=0) / (6 * 0.6745)

    for i in range(2):
        x, t = images[i].astype("float64"), target[i].astype("float64")
        scale = t.std((0, 1)) / (x.std((0, 1)) + 1e-3)
        x = (x - x.mean((0, 1))) * scale + t.mean((0, 1))
        missing = np.maximum(deviation(t) ** 2 - deviation(x) ** 2, 0)
        expected = np.clip(x + np.sqrt(missing) * noise[i], 0, 255)
        one = slice(i, i + 1)
        styled = style.with_style(images[one], target[one], noise[one])
        np.testing.assert_allclose(
            ops.convert_to_numpy(styled)[0], expected, rtol=1e-4, atol=2e-3
        )


def test_the_range_is_kept():
    images = smooth_images(2)
    target = 255 * (smooth_images(2) > 128)
    styled = restyle(images, target)
    assert styled.min() >= 0 and styled.max() <= 255


@pytest.mark.parametrize(
    ("images", "target", "text"),
    [
        (np.zeros((0, 4, 4, 3)), np.zeros((1, 4, 4, 3)), "`images`"),
        (np.zeros((1, 4, 4, 3)), np.zeros((4, 4, 3)), "`target`"),
        (np.zeros((1, 4, 4, 3)), np.zeros((1, 4, 4, 1)), "as many channels"),
        (np.zeros((1, 4, 4, 3)), np.full((1, 4, 4, 3), np.nan), "finite"),
        (np.zeros((1, 2, 4, 3)), np.zeros((1, 4, 4, 3)), "at least 3"),
    ],
)
def test_what_cannot_be_restyled(images, target, text):
    with pytest.raises(ValueError, match=text):
        restyle(images, target)
