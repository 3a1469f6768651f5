import re

import numpy as np
import pytest
from scipy import ndimage

from keras_s4t.data import domain_differences
from keras_s4t.data import image_statistics


def make_images(count=6, seed=0):
    """Smooth reddish pictures of two sizes, 0 ... 255."""
    rng = np.random.default_rng(seed)
    images = []
    for i in range(count):
        noise = rng.normal(size=(20 + i % 2, 24, 3))
        smooth = ndimage.gaussian_filter(noise, (2, 2, 0))
        images.append(
            np.clip(smooth * 200 + [170, 120, 60], 0, 255).astype("float32")
        )
    return images


def test_formula():
    images = make_images()
    pixels = np.concatenate([x.reshape(-1, 3) for x in images])
    kernel = np.outer([1, 2, 1], [1, 2, 1])[..., None] / 16
    removed = np.concatenate(
        [
            (x - ndimage.convolve(x.astype("float64"), kernel))[
                1:-1, 1:-1
            ].ravel()
            for x in images
        ]
    )
    found = image_statistics(iter(images))
    np.testing.assert_allclose(found["mean"], pixels.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found["deviation"], pixels.std(0), rtol=1e-4)
    expected = np.sqrt(np.mean(removed**2))
    assert found["detail"] == pytest.approx(expected, rel=1e-5)
    assert found["num_images"] == 6
    assert (found["low"], found["high"]) == (pixels.min(), pixels.max())


def differences(target):
    return domain_differences(
        image_statistics(make_images()), image_statistics(target)
    )


def test_other_images_of_the_domain_are_not_suspicious():
    assert differences(make_images(seed=1)) == []


def test_darker_images_are_a_domain_and_no_fault():
    assert differences([0.5 * x + 40 for x in make_images(seed=1)]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[..., ::-1], "Red and blue"),
        (lambda x: x / 255, "0 ... 255.*Received: .* 1"),
        (lambda x: (x / 255 - 0.45) / 0.22, "0 ... 255.*Received: -2"),
        (lambda x: ndimage.gaussian_filter(x, (2, 2, 0)), "detail .* is 0"),
        (
            lambda x: x + np.random.default_rng(3).normal(0, 9, x.shape),
            "detail .* is [1-9]",
        ),
    ],
)
def test_faults_of_the_data_path(change, message):
    (sentence,) = differences([change(x) for x in make_images(seed=1)])
    assert re.search(message, sentence)


@pytest.mark.parametrize(
    "images",
    [
        [],
        [np.zeros((8, 8))],
        [np.zeros((2, 8, 3))],
        [np.full((8, 8, 3), np.nan)],
    ],
)
def test_what_is_no_image(images):
    with pytest.raises(ValueError, match="Received: "):
        image_statistics(images)
