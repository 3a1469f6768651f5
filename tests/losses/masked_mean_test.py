import keras
import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t import losses


def test_channels_are_summed_and_pixels_averaged():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    mask = rng.uniform(size=(2, 3, 4, 1)).astype("float32")
    mask[0, 0] = 0
    expected = (values.sum(-1, keepdims=True) * mask).sum() / mask.sum()
    assert float(losses.masked_mean(values, mask)) == pytest.approx(
        expected, abs=1e-6
    )
    assert float(losses.masked_mean(values)) == pytest.approx(
        values.sum(-1).mean(), abs=1e-6
    )


def test_one_value_per_pixel():
    values = np.arange(6, dtype="float32").reshape(1, 2, 3)
    mask = np.array([[[0, 1, 1], [0, 0, 2]]], "float32")[..., None]
    assert float(losses.masked_mean(values, mask)) == pytest.approx(
        (1 + 2 + 2 * 5) / 4
    )


def test_weights_below_one_in_total():
    values = np.array([1, 3], "float32").reshape(1, 1, 2)
    mask = np.array([0.1, 0.3], "float32").reshape(1, 1, 2, 1)
    assert float(losses.masked_mean(values, mask)) == pytest.approx(2.5)


def test_invalid_values_do_not_pass():
    values = np.ones((1, 2, 2, 1), "float32")
    values[0, 0, 0] = np.nan
    mask = np.ones_like(values)
    mask[0, 0, 0] = 0

    def mean(x):
        return losses.masked_mean(x, mask)

    value, gradient = value_and_gradient(mean, values)
    assert value == 1
    np.testing.assert_allclose(gradient, mask / 3, rtol=1e-6)


def test_no_valid_pixel():
    def mean(x):
        return losses.masked_mean(x, np.zeros((1, 2, 2, 1)))

    value, gradient = value_and_gradient(mean, np.ones((1, 2, 2, 3), "float32"))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_result_is_float32():
    values = ops.ones((1, 2, 2, 1), dtype="bfloat16")
    result = losses.masked_mean(values, np.ones((1, 2, 2, 1), bool))
    assert keras.backend.standardize_dtype(result.dtype) == "float32"


@pytest.mark.parametrize(
    "values, mask",
    [((2, 3), None), ((2, 3, 4, 5), (2, 3, 4)), ((2, 3, 4, 5), (2, 3, 4, 5))],
)
def test_wrong_shapes(values, mask):
    mask = None if mask is None else np.ones(mask)
    with pytest.raises(ValueError, match="must have shape.*Received"):
        losses.masked_mean(np.ones(values), mask)
