import numpy as np
import pytest
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks


def test_outputs_are_metres():
    task = tasks.depth()
    assert task.num_outputs == 1
    assert task.label_shape((4, 6)) == (4, 6, 1)
    assert task.loss is losses.absolute_error
    assert task.divergence is losses.gaussian_kl_divergence


def test_postprocess_is_not_negative():
    outputs = np.array([-2.0, -0.0, 0.5, 7.0], "float32").reshape(1, 2, 2, 1)
    values = ops.convert_to_numpy(tasks.depth().postprocess(outputs))
    np.testing.assert_array_equal(values.ravel(), [0, 0, 0.5, 7])


def test_postprocess_of_bfloat16_is_float32():
    outputs = ops.cast(np.full((1, 2, 2, 1), 1.5), "bfloat16")
    values = ops.convert_to_numpy(tasks.depth().postprocess(outputs))
    assert values.dtype == "float32" and (values == 1.5).all()


def test_pictures_share_the_range_of_valid_depth():
    task = tasks.depth()
    near = np.array([[1.0, 2.0], [0.0, 2.0]])[..., None]
    far = np.array([[2.0, 5.0], [5.0, 5.0]])[..., None]
    value_range = task.value_range([near, far])
    assert value_range == (1.0, 5.0)
    pictures = [task.picture(depth, value_range) for depth in (near, far)]
    np.testing.assert_array_equal(pictures[0][1, 0], [255, 255, 255])
    np.testing.assert_array_equal(pictures[0][0, 1], pictures[1][0, 0])
    assert (pictures[0][0, 0] != pictures[1][0, 1]).any()


def test_log_encoding_by_hand():
    task = tasks.depth(encoding="log")
    meters = np.array([0.0, 0.5, 2.0, 127.9], "float32").reshape(1, 2, 2, 1)
    codes = np.log(1 + 512 * meters.astype("float64")) / np.log(65536)
    outputs = codes.astype("float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(task.postprocess(outputs)), meters, rtol=1e-4
    )
    mask = np.array([0, 1, 1, 1], "float32").reshape(1, 2, 2, 1)
    loss = float(task.loss(meters, outputs + 0.25, mask))
    np.testing.assert_allclose(loss, 0.25, rtol=1e-5)
    # What is no depth stays none.
    values = ops.convert_to_numpy(task.postprocess(outputs - 2))
    np.testing.assert_array_equal(values, 0)
    assert task.metric_key == "depth_rmse" and task.unit == "m"


def test_an_aligned_metric_has_another_name():
    task = tasks.depth(alignment="batch_affine")
    metric = task.make_metric()
    assert metric.name == task.metric_key == "depth_batch_affine_rmse"
    depth = np.random.default_rng(0).uniform(1, 5, (2, 3, 4, 1))
    metric.update_state(depth, 7 - 2 * depth)
    np.testing.assert_allclose(float(metric.result()), 0, atol=1e-5)


def test_options_survive():
    task = tasks.depth(2.0, encoding="log", alignment="image_scale")
    again = tasks.Task.from_config(task.get_config())
    assert again.config == task.config and again.loss is task.loss
    assert again.metric_key == "depth_image_scale_rmse"


@pytest.mark.parametrize("options", [{"encoding": "cm"}, {"alignment": "x"}])
def test_unknown_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must be one of"):
        tasks.depth(**options)
