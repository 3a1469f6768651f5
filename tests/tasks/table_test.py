"""What every task of the table must hold."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t import tasks
from keras_s4t.tasks.task import lookup

# Arguments, metric key, higher is better, units of metric and of value.
TABLE = {
    "semseg": ({"num_classes": 3}, "semseg_miou", True, "", ""),
    "depth": ({}, "depth_rmse", False, "m", "m"),
    "normals": ({}, "normals_merr", False, "degrees", ""),
    "edge": ({}, "edge_rmse", False, "", ""),
}
SIZE = (4, 6)


def make(name):
    return tasks.get(name, **TABLE[name][0])


def make_outputs(task, batch_size=2):
    rng = np.random.default_rng(0)
    shape = (batch_size, *SIZE, task.num_outputs)
    return rng.normal(size=shape).astype("float32")


def test_the_table_is_complete():
    assert list(tasks.TASKS) == list(TABLE)
    assert list(tasks.LABELS) == list(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_labels_by_task_and_by_name(name):
    task = make(name)
    by_task, by_name = tasks.get_labels([task]), tasks.get_labels([name])
    assert by_task == by_name == {name: task.label}
    assert task.label.is_classes == (task.label_shape((2, 3)) == (2, 3))
    assert task.label.padding == (255 if name == "semseg" else 0)
    with pytest.raises(ValueError, match="'depth', 'edge'.*'saliency'"):
        tasks.get_labels(["saliency"])


def test_labels_move_with_their_image():
    labels = tasks.LABELS
    normal = np.float32([[[0.6, 0.0, 0.8]]])
    np.testing.assert_array_equal(
        labels["normals"].flip(normal), np.float32([[[-0.6, 0.0, 0.8]]])
    )
    np.testing.assert_array_equal(labels["depth"].zoom(normal, 2.0), normal / 2)
    for name in ("semseg", "depth", "edge"):
        assert labels[name].flip(normal) is normal
    for name in ("semseg", "normals", "edge"):
        assert labels[name].zoom(normal, 2.0) is normal


@pytest.mark.parametrize("name", TABLE)
def test_facts(name):
    task = make(name)
    _, metric_key, higher_is_better, metric_unit, unit = TABLE[name]
    assert task.name == name and task.title and task.metric_title
    assert task.metric_key == metric_key == task.make_metric().name
    assert task.higher_is_better is higher_is_better
    assert (task.metric_unit, task.unit) == (metric_unit, unit)
    assert task.weight == 1.0


@pytest.mark.parametrize("name", TABLE)
def test_postprocessed_values_have_the_shape_of_labels(name):
    task = make(name)
    values = ops.convert_to_numpy(task.postprocess(make_outputs(task)))
    assert values.shape == (2, *task.label_shape(SIZE))
    assert values.dtype == ("int32" if name == "semseg" else "float32")


@pytest.mark.parametrize("name", TABLE)
def test_loss_and_metric_take_outputs_and_values(name):
    task = make(name)
    outputs = make_outputs(task)
    labels = ops.convert_to_numpy(task.postprocess(make_outputs(task) + 0.1))
    mask = np.zeros((2, *SIZE, 1), "float32")
    mask[0] = 1
    losses = [
        float(ops.convert_to_numpy(task.loss(y, outputs, mask)))
        for y in (labels, np.concatenate([labels[:1], labels[:1]]))
    ]
    # The second image is masked out.
    assert np.isfinite(losses[0]) and losses[0] == pytest.approx(losses[1])
    perfect, other = task.make_metric(), task.make_metric()
    perfect.update_state(labels, labels, mask)
    other.update_state(labels, task.postprocess(-outputs), mask)
    values = [float(ops.convert_to_numpy(m.result())) for m in (perfect, other)]
    assert values[0] == pytest.approx(float(task.higher_is_better), abs=1e-3)
    assert (values[0] > values[1]) is task.higher_is_better


@pytest.mark.parametrize("name", TABLE)
def test_divergence_of_outputs_from_a_reference(name):
    task = make(name)
    outputs = make_outputs(task)
    far, near = (
        task.divergence(outputs + step * outputs[::-1], outputs)
        for step in (1.0, 0.1)
    )
    assert keras.backend.standardize_dtype(far.dtype) == "float32"
    assert float(far) > float(near) > 0
    assert float(task.divergence(outputs, outputs)) == 0


@pytest.mark.parametrize("name", TABLE)
def test_pictures(name):
    task = make(name)
    outputs = make_outputs(task)
    values = ops.convert_to_numpy(task.postprocess(outputs))
    value_range = task.value_range(list(values))
    for value in values:
        picture = task.picture(value, value_range)
        assert picture.shape == (*SIZE, 3) and picture.dtype == "uint8"
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1
    assert isinstance(task.legend, str) or all(
        isinstance(label, str) and len(rgb) == 3 for label, rgb in task.legend
    )


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("semseg", {"num_classes": 2, "class_names": ("wall", "floor")}),
        ("semseg", {"num_classes": 5, "weight": 3.0}),
        ("depth", {"weight": 0.5}),
        ("normals", {"loss": "l1", "weight": 10.0}),
        ("edge", {"loss": "balanced_bce", "weight": 50.0}),
    ],
)
def test_serializes(name, arguments):
    task = tasks.get(name, **arguments)
    config = keras.saving.serialize_keras_object(task)
    clone = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(config))
    )
    assert isinstance(clone, tasks.Task)
    for field in dataclasses.fields(task):
        if field.compare and field.name != "measures":
            assert getattr(clone, field.name) == getattr(task, field.name)
    assert clone.get_config() == task.get_config()
    assert clone.weight == arguments.get("weight", 1.0)
    config = clone.make_metric().get_config()
    assert config == task.make_metric().get_config()


def test_unknown_names_list_the_valid_ones():
    names = r"\['depth', 'edge', 'normals', 'semseg'\]"
    with pytest.raises(ValueError, match=f"{names}.*task='normal'"):
        tasks.get("normal")
    with pytest.raises(ValueError, match=r"\['a', 'b'\].*key='c'"):
        lookup("key", "c", {"b": 1, "a": 2})


@pytest.mark.parametrize("name", TABLE)
def test_weights_are_not_negative(name):
    assert tasks.get(name, **TABLE[name][0], weight=0).weight == 0
    with pytest.raises(ValueError, match="weight=-1"):
        tasks.get(name, **TABLE[name][0], weight=-1)


def test_a_task_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make("depth").weight = 2.0
