import numpy as np
import pytest
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks
from keras_s4t.tasks.colors import CLASS_COLORS


def test_outputs_are_logits_of_classes():
    task = tasks.semseg(num_classes=5)
    assert task.num_outputs == 5
    assert task.label_shape((4, 6)) == (4, 6)
    assert task.loss is losses.softmax_cross_entropy
    assert task.divergence is losses.softmax_kl_divergence
    assert task.make_metric().num_classes == 5


def test_postprocess_is_the_most_likely_class():
    logits = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    ids = ops.convert_to_numpy(tasks.semseg(5).postprocess(logits))
    np.testing.assert_array_equal(ids, logits.argmax(axis=-1))


def test_picture_has_the_colors_of_the_legend():
    task = tasks.semseg(3, class_names=["wall", "floor", "sofa"])
    assert [name for name, _ in task.legend] == [
        "wall",
        "floor",
        "sofa",
        "ignored",
    ]
    ids = np.array([[0, 1], [2, 255]])
    picture = task.picture(ids, task.value_range([ids]))
    colors = [rgb for _, rgb in task.legend]
    np.testing.assert_array_equal(picture.reshape(-1, 3), colors)


def test_legend_goes_round_the_colors():
    task = tasks.semseg(60)
    assert len(task.legend) == 61
    assert task.legend[59][0] == "class 59"
    ids = np.arange(60).reshape(6, 10)
    picture = task.picture(ids, None).reshape(-1, 3)
    np.testing.assert_array_equal(picture, [c for _, c in task.legend[:60]])
    assert task.legend[len(CLASS_COLORS)][1] == task.legend[0][1]


@pytest.mark.parametrize("num_classes", [-1, 0, 1, 256])
def test_number_of_classes(num_classes):
    with pytest.raises(ValueError, match=f"num_classes={num_classes}"):
        tasks.semseg(num_classes)


def test_limits_of_the_number_of_classes():
    assert tasks.semseg(2).num_outputs == 2
    assert tasks.semseg(255).num_outputs == 255


def test_one_name_per_class():
    with pytest.raises(ValueError, match="2 names for num_classes=3"):
        tasks.semseg(3, class_names=["wall", "floor"])
