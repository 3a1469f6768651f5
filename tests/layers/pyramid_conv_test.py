import keras
import numpy as np
import pytest

from keras_s4t.layers import PyramidConv
from keras_s4t.layers.resizing import resize_bilinear


def pyramid(rng, height=13, width=10, channels=(6, 5, 4, 3)):
    features = {}
    for i, channel in enumerate(channels):
        shape = (2, -(-height // 2**i), -(-width // 2**i), channel)
        features[f"P{i + 2}"] = rng.normal(size=shape).astype("float32")
    return features


def interpolation_matrix(old, new):
    """Bilinear weights with half-pixel centers, edges repeated."""
    centers = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    low = np.floor(centers).astype(int)
    high = np.minimum(low + 1, old - 1)
    matrix = np.zeros((new, old))
    matrix[np.arange(new), low] += 1 - (centers - low)
    matrix[np.arange(new), high] += centers - low
    return matrix


def resize(x, size):
    rows = interpolation_matrix(x.shape[1], size[0])
    columns = interpolation_matrix(x.shape[2], size[1])
    return np.einsum("Hh,Ww,bhwc->bHWc", rows, columns, x)


@pytest.mark.parametrize(
    "values, size, expected",
    [
        ([0, 1], 4, [0, 0.25, 0.75, 1]),
        (np.arange(8), 4, [0.5, 2.5, 4.5, 6.5]),
        (np.arange(7), 4, [0.375, 2.125, 3.875, 5.625]),
    ],
)
def test_resize_has_half_pixel_centers_and_no_antialiasing(
    values, size, expected
):
    x = np.asarray(values, "float32").reshape(1, 1, -1, 1)
    resized = resize_bilinear(keras.ops.convert_to_tensor(x), (1, size))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(resized).ravel(), expected, atol=1e-6
    )


@pytest.mark.parametrize("size", [(5, 9), (26, 20), (13, 10), (1, 31)])
def test_resize_at_sizes_known_at_run_time_only(size):
    x = np.random.default_rng(0).normal(size=(2, 13, 10, 3)).astype("float32")
    size_tensors = [keras.ops.convert_to_tensor(length) for length in size]
    x_tensor = keras.ops.convert_to_tensor(x)
    for resized in (
        resize_bilinear(x_tensor, size),
        resize_bilinear(x_tensor, size_tensors),
    ):
        resized = keras.ops.convert_to_numpy(resized)
        np.testing.assert_allclose(resized, resize(x, size), atol=1e-5)


def test_equals_the_convolution_of_the_concatenated_pyramid():
    rng = np.random.default_rng(0)
    features = pyramid(rng)
    layer = PyramidConv(7)
    outputs = keras.ops.convert_to_numpy(layer(features))
    layer.bias.assign(rng.normal(size=7))

    outputs = keras.ops.convert_to_numpy(layer(features))
    fused = np.concatenate(
        [resize(features[level], (13, 10)) for level in sorted(features)], -1
    )
    kernel = keras.ops.convert_to_numpy(layer.kernel)[0, 0]
    expected = fused @ kernel + keras.ops.convert_to_numpy(layer.bias)
    assert layer.kernel.shape == (1, 1, 18, 7)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert outputs.shape == layer.compute_output_shape(
        {level: x.shape for level, x in features.items()}
    )


def test_serializes():
    layer = PyramidConv(3, name="decoder")
    clone = PyramidConv.from_config(layer.get_config())
    assert clone.filters == 3 and clone.name == "decoder"
