import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks


def test_outputs_are_vectors():
    task = tasks.normals()
    assert task.num_outputs == 3
    assert task.label_shape((4, 6)) == (4, 6, 3)


@pytest.mark.parametrize(
    "loss, function",
    [
        ("cosine", losses.cosine_distance),
        ("l1", losses.unit_absolute_error),
        ("row_cosine", losses.row_cosine_distance),
    ],
)
def test_losses(loss, function):
    task = tasks.normals(loss)
    assert task.loss is function
    assert task.divergence is losses.direction_divergence


def test_unknown_loss():
    with pytest.raises(ValueError, match=r"'l1', 'row_cosine'\].*loss='l2'"):
        tasks.normals("l2")


def test_postprocess_gives_unit_vectors():
    outputs = 100 * np.random.default_rng(0).normal(size=(2, 3, 4, 3))
    outputs[0] /= 1e5
    values = ops.convert_to_numpy(
        tasks.normals().postprocess(outputs.astype("float32"))
    )
    expected = outputs / np.linalg.norm(outputs, axis=-1, keepdims=True)
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_postprocess_of_the_zero_vector_is_finite():
    outputs = np.zeros((1, 2, 2, 3), "float32")
    values = ops.convert_to_numpy(tasks.normals().postprocess(outputs))
    np.testing.assert_array_equal(values, outputs)


def test_picture_has_the_colors_of_the_legend():
    task = tasks.normals()
    axes = np.eye(3)[None]
    picture = task.picture(axes, task.value_range([axes]))
    for color, (_, rgb) in zip(picture[0], task.legend, strict=True):
        np.testing.assert_allclose(color, rgb, atol=1)
    assert [label[0] for label, _ in task.legend] == ["x", "y", "z"]


def test_a_zero_output_has_no_direction():
    outputs = np.zeros((1, 2, 2, 3), "float32")
    outputs[0, 0, 0] = [0, 0, 5]

    def total(x):
        return ops.sum(tasks.normals().postprocess(x))

    value, gradient = value_and_gradient(total, outputs)
    assert value == 1
    expected = np.zeros_like(outputs)
    expected[0, 0, 0] = [0.2, 0.2, 0]
    np.testing.assert_allclose(gradient, expected, atol=1e-7)
