import numpy as np
import pytest
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks


def test_outputs_are_numbers():
    task = tasks.regression("motion", num_outputs=2, unit="px")
    assert (task.name, task.title, task.unit) == ("motion", "Motion", "px")
    assert task.num_outputs == 2 and task.label_shape((4, 6)) == (4, 6, 2)
    assert task.metric_key == "motion_rmse" and task.metric_unit == "px"
    assert task.divergence is losses.gaussian_kl_divergence
    outputs = np.array([-3.0, 1e9], "float32").reshape(1, 1, 1, 2)
    values = ops.convert_to_numpy(task.postprocess(outputs))
    np.testing.assert_array_equal(values, outputs)
    halves = task.postprocess(ops.cast(outputs, "bfloat16"))
    assert ops.convert_to_numpy(halves).dtype == "float32"


@pytest.mark.parametrize(
    "loss, function",
    [("l1", losses.absolute_error), ("l2", losses.squared_error)],
)
def test_losses(loss, function):
    assert tasks.regression("x", loss=loss).loss is function


@pytest.mark.parametrize("convert", [np.asarray, ops.convert_to_tensor])
def test_what_is_missing(convert):
    task = tasks.regression("x", num_outputs=3)
    label = np.zeros((1, 2, 2, 3), "float32")
    label[0, 0, 1, 2] = np.nan
    label[0, 1, 0, 0] = -np.inf
    known = task.label.is_known(convert(label))
    assert tuple(known.shape) == (1, 2, 2, 1)
    known = np.array(ops.convert_to_numpy(known)).ravel()
    np.testing.assert_array_equal(known, [True, False, False, True])
    assert task.label == tasks.regression("y", num_outputs=3).label
    assert task.label != tasks.regression("y", num_outputs=2).label


def test_pictures_of_one_channel():
    task = tasks.regression("height", value_range=(0, 4))
    values = np.array([[0.0, 2.0, 4.0, np.nan, -9.0]])[..., None]
    assert task.value_range([values]) == (0, 4)
    picture = task.picture(values, task.value_range([values]))
    low, middle, high, missing, below = picture[0]
    np.testing.assert_array_equal(below, low)
    assert (missing == 255).all() and (low != high).any()
    assert (middle != low).any() and isinstance(task.legend, str)
    # Zero is a number here.
    free = tasks.regression("height")
    assert free.value_range([values, values + 9]) == (-9.0, 13.0)
    assert free.value_range([np.full((2, 2, 1), np.nan)]) == (0.0, 1.0)


def test_pictures_of_three_channels_are_colors():
    task = tasks.regression("color", num_outputs=3, value_range=(-1, 1))
    values = np.array([[[-1, 0, 1], [1, -1, -1], [np.nan, 0, 0]]])
    picture = task.picture(values, task.value_range([values]))
    np.testing.assert_allclose(picture[0, 0], [0, 128, 255], atol=1)
    np.testing.assert_array_equal(picture[0, 1], task.legend[0][1])
    assert (picture[0, 2] == 255).all()


def test_pictures_of_two_channels_are_lengths():
    task = tasks.regression("motion", num_outputs=2)
    values = np.array([[[3.0, 4.0], [0.0, 0.0], [0.0, 5.0]]])
    assert task.value_range([values]) == (0.0, 5.0)
    picture = task.picture(values, (0.0, 5.0))
    np.testing.assert_array_equal(picture[0, 0], picture[0, 2])
    assert (picture[0, 0] != picture[0, 1]).any()


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_outputs": 0},
        {"loss": "huber"},
        {"value_range": (1, 1)},
        {"value_range": (1, 2, 3)},
    ],
)
def test_wrong_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` must be.*Received: "):
        tasks.regression("x", **arguments)
