import keras
import numpy as np
import pytest
import tiny
from keras import ops
from numpy_layers import weight_normalized_conv

from keras_s4t.methods.ttt_flow.weight_normalized_conv import (
    WeightNormalizedConv,
)


def make_conv(kernel_size=3, **kwargs):
    conv = WeightNormalizedConv(4, kernel_size, **kwargs)
    conv.build((None, None, None, 3))
    return conv


def make_images():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 5, 4, 3)).astype("float32")


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_formula(kernel_size):
    conv, x = make_conv(kernel_size), make_images()
    tiny.fill(conv)
    outputs = ops.convert_to_numpy(conv(x))
    assert outputs.shape == conv.compute_output_shape(x.shape)
    expected = weight_normalized_conv(x, conv)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_only_the_scale_changes_the_length_of_a_filter():
    conv, x = make_conv(), make_images()
    before = ops.convert_to_numpy(conv(x))
    conv.kernel.assign(7 * conv.kernel)
    outputs = ops.convert_to_numpy(conv(x))
    np.testing.assert_allclose(outputs, before, rtol=1e-4, atol=1e-5)
    conv.scale.assign([2.0, 1.0, 1.0, 1.0])
    outputs = ops.convert_to_numpy(conv(x))
    expected = before * [2, 1, 1, 1]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_filters_start_at_length_one():
    kernel = ops.convert_to_numpy(make_conv().normalized_kernel)
    lengths = np.sqrt((kernel**2).sum((0, 1, 2)))
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)


def test_a_filter_of_zeros_is_zero():
    conv = make_conv()
    conv.kernel.assign(np.zeros(conv.kernel.shape))
    assert not ops.convert_to_numpy(conv(make_images())).any()


def test_norms_are_float32_under_mixed_precision():
    conv = make_conv(dtype="mixed_bfloat16")
    kernel = conv.normalized_kernel
    assert keras.backend.standardize_dtype(kernel.dtype) == "float32"
    outputs = conv(make_images())
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    expected = weight_normalized_conv(make_images(), conv)
    outputs = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, expected, rtol=3e-2, atol=3e-2)
