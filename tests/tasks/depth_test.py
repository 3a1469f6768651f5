import numpy as np
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks


def test_outputs_are_metres():
    task = tasks.depth()
    assert task.num_outputs == 1
    assert task.label_shape((4, 6)) == (4, 6, 1)
    assert task.loss is losses.absolute_error
    assert task.divergence is losses.gaussian_kl_divergence


def test_physical_is_not_negative():
    outputs = np.array([-2.0, -0.0, 0.5, 7.0], "float32").reshape(1, 2, 2, 1)
    values = ops.convert_to_numpy(tasks.depth().physical(outputs))
    np.testing.assert_array_equal(values.ravel(), [0, 0, 0.5, 7])


def test_physical_of_bfloat16_is_float32():
    outputs = ops.cast(np.full((1, 2, 2, 1), 1.5), "bfloat16")
    values = ops.convert_to_numpy(tasks.depth().physical(outputs))
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
