"""Tasks under other names, and tasks of one's own."""

import copy
import dataclasses
import functools
import json

import keras
import numpy as np
import pytest

import keras_s4t
from keras_s4t import losses
from keras_s4t import tasks


def again(task):
    """What a file gives back."""
    config = keras.saving.serialize_keras_object(task)
    return keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))


def plain(value):
    """The value; of a partial function, what it consists of."""
    if isinstance(value, functools.partial):
        return value.func, value.args, value.keywords
    return value


def assert_same(first, second):
    for field in dataclasses.fields(first):
        if field.compare and field.name != "measures":
            one, other = (
                plain(getattr(t, field.name)) for t in (first, second)
            )
            assert one == other, field.name
    assert first.metric_keys == second.metric_keys
    for one, other in zip(
        first.make_metrics(), second.make_metrics(), strict=True
    ):
        assert one.get_config() == other.get_config()
    assert first.get_config() == second.get_config()


@tasks.register("tests")
def sky(share=0.25, classes=("no", "yes"), **options):
    """A task whose loss, label and measures are our own."""
    task = tasks.edge("balanced_bce", name="sky", **options)

    def loss(y_true, y_pred, mask=None):
        return share * losses.squared_error(y_true, y_pred, mask)

    mae = tasks.Measure(
        "mae", "MAE", "", False, keras_s4t.metrics.MeanAbsoluteError
    )
    return dataclasses.replace(
        task,
        loss=loss,
        label=dataclasses.replace(task.label, is_averaged=False),
        measures=(mae, *task.measures),
        legend=tuple((name, (0, 0, 0)) for name in classes),
    )


@pytest.mark.parametrize(
    "make, key, title",
    [
        (lambda **k: tasks.semseg(4, **k), "parts_miou", "Parts"),
        (tasks.depth, "parts_rmse", "Parts"),
        (tasks.normals, "parts_merr", "Parts"),
        (tasks.edge, "parts_rmse", "Parts"),
        (tasks.regression, "parts_rmse", "Parts"),
        (tasks.binary, "parts_iou", "Parts"),
    ],
)
def test_another_name(make, key, title):
    task = make(name="parts", weight=2.0)
    assert (task.name, task.title, task.metric_key) == ("parts", title, key)
    assert task.make_metric().name == key
    assert_same(again(task), task)
    titled = make(name="body_parts", title="Parts of bodies")
    assert titled.title == "Parts of bodies"
    assert again(titled).title == "Parts of bodies"
    assert make(name="body_parts").title == "Body parts"


def test_configurations_are_what_they_were():
    # Results and models that were saved before have these.
    names = ["wall", "floor"]
    assert tasks.semseg(2, tuple(names), 2.0).get_config() == {
        "task": "semseg",
        "num_classes": 2,
        "class_names": names,
        "weight": 2.0,
        "average": "pixels",
    }
    assert tasks.depth(alignment="image_scale").get_config() == {
        "task": "depth",
        "weight": 1.0,
        "encoding": "meters",
        "alignment": "image_scale",
    }
    assert tasks.normals().get_config() == {
        "task": "normals",
        "loss": "cosine",
        "weight": 1.0,
    }
    assert tasks.edge("mse", weight=10.0).get_config() == {
        "task": "edge",
        "loss": "mse",
        "weight": 10.0,
        "alignment": "none",
    }
    old = {"task": "depth", "weight": 1.0, "encoding": "metres"}
    assert tasks.Task.from_config(old).loss is tasks.depth().loss


def test_replaced_name_title_and_weight():
    task = dataclasses.replace(
        tasks.edge("mse"), name="saliency", title="Saliency", weight=3.0
    )
    assert task.metric_key == "saliency_rmse" == task.make_metric().name
    clone = again(task)
    assert_same(clone, task)
    assert (clone.name, clone.title, clone.weight) == (
        *("saliency", "Saliency"),
        3.0,
    )
    assert clone.loss is losses.squared_error
    # Once more, and back.
    assert_same(
        again(dataclasses.replace(clone, weight=1.0)),
        again(dataclasses.replace(task, weight=1.0)),
    )
    back = dataclasses.replace(clone, name="edge", title="Edges", weight=1.0)
    assert back.get_config() == tasks.edge("mse").get_config()


@pytest.mark.parametrize(
    "change",
    [
        {"loss": losses.absolute_error},
        {"measures": tasks.depth(metrics=("mae",)).measures},
        {"num_outputs": 2},
        {"config": {"loss": "l1"}},
    ],
)
def test_what_a_file_cannot_hold(change):
    task = dataclasses.replace(tasks.edge("mse"), name="saliency", **change)
    (name,) = change
    message = rf"tasks.register`.*'saliency' with other \['{name}'\]"
    with pytest.raises(ValueError, match=message):
        task.get_config()


def test_a_task_made_by_hand():
    task = dataclasses.replace(tasks.edge(), origin=None)
    with pytest.raises(ValueError, match="register`. Received: task 'edge'"):
        task.get_config()


def test_a_function_of_ones_own():
    assert keras.saving.get_registered_object("tests>sky") is sky
    task = sky(0.5, weight=2.0)
    assert task.get_config() == {
        "task": "tests>sky",
        "share": 0.5,
        "classes": ["no", "yes"],
        "weight": 2.0,
    }
    clone = again(task)
    assert clone.metric_keys == ("sky_mae", "sky_rmse")
    assert clone.weight == 2.0 and not clone.label.is_averaged
    labels, outputs = np.random.default_rng(0).uniform(size=(2, 1, 3, 4, 1))
    expected = 0.5 * np.square(labels - outputs).mean()
    assert float(clone.loss(labels, outputs)) == pytest.approx(expected)
    assert clone.get_config() == task.get_config()
    renamed = again(dataclasses.replace(task, name="clouds"))
    assert renamed.metric_keys == ("clouds_mae", "clouds_rmse")
    with pytest.raises(ValueError, match=r"other \['loss'\]"):
        dataclasses.replace(task, loss=losses.absolute_error).get_config()
    assert sky.__doc__.startswith("A task whose loss")


def test_a_copy_can_be_saved():
    task = copy.deepcopy(tasks.semseg(3, metrics=("miou", "iou")))
    assert (
        task.get_config()
        == tasks.semseg(3, metrics=("miou", "iou")).get_config()
    )


def test_numbers_of_numpy_are_arguments():
    config = tasks.semseg(np.int64(3), weight=np.float32(0.5)).get_config()
    assert json.loads(json.dumps(config))["num_classes"] == 3
    assert config["weight"] == 0.5


def test_arguments_that_a_file_cannot_hold():
    @tasks.register("tests")
    def odd(thing):
        del thing
        return tasks.depth()

    with pytest.raises(ValueError, match="must be numbers.*'depth'"):
        odd(object()).get_config()
    assert odd(None).get_config() == {"task": "tests>odd", "thing": None}


def test_functions_that_cannot_be_registered():
    def several(*kinds):
        del kinds

    def reserved(task):
        del task

    for function in (several, reserved):
        with pytest.raises(ValueError, match=f"by name.*{function.__name__}"):
            tasks.register("tests")(function)

    @tasks.register("tests")
    def nothing():
        """Returns no task."""

    with pytest.raises(ValueError, match="`nothing` must return a `Task`"):
        nothing()


def test_a_function_that_is_not_known():
    config = {"task": "tests>unknown", "weight": 1.0}
    message = "import the module that does it. Received: task='tests>unknown'"
    with pytest.raises(ValueError, match=message):
        tasks.Task.from_config(config)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "_a", "a\n"])
def test_names_of_layers_and_metrics(name):
    with pytest.raises(ValueError, match="`name` of a task must be"):
        tasks.depth(name=name)


def test_labels_come_with_the_task():
    kinds = tasks.get_labels([tasks.normals(name="skin"), "depth", sky()])
    assert list(kinds) == ["skin", "depth", "sky"]
    assert kinds["skin"] == tasks.LABELS["normals"]
    assert not kinds["sky"].is_averaged
    assert list(tasks.TASKS) == list(tasks.LABELS)
