import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.actmad import moments


def numpy(x):
    return ops.convert_to_numpy(x)


def random(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(3, 2, shape).astype("float32")


def test_variance_of_a_batch_is_unbiased():
    x = np.float32([1, 3])[:, None, None, None]
    mean, variance = moments.mean_and_variance(x, (0,))
    assert numpy(mean).item() == 2
    assert numpy(variance).item() == 2


@pytest.mark.parametrize("axis", [(0,), (0, 1, 2)])
def test_mean_and_variance_over_axes(axis):
    x = random(4, 3, 2, 5)
    mean, variance = map(numpy, moments.mean_and_variance(x, axis))
    np.testing.assert_allclose(mean, x.mean(axis), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(axis, ddof=1), rtol=1e-5)


def test_a_single_image_has_variance_zero_and_no_nan_gradient():
    value, gradient = gradients.value_and_gradient(
        lambda x: ops.sum(moments.mean_and_variance(x, (0,))[1]),
        random(1, 2, 2, 3),
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_moments_of_half_precision_are_float32():
    x = ops.cast(random(64, 2), "bfloat16")
    exact = numpy(ops.cast(x, "float32")).astype("float64")
    mean, variance = moments.mean_and_variance(x, (0,))
    for value in (mean, variance):
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
    np.testing.assert_allclose(numpy(mean), exact.mean(0), rtol=1e-5)
