"""Files of weights are loaded as a whole, for the same tasks, or not at all."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t import tasks
from keras_s4t.state.whole_weights import saved_task_names

# Files are those of Keras on every backend.
pytestmark = pytest.mark.eager


def make_network(names=("depth", "edge")):
    makers = {
        "depth": tasks.depth,
        "edge": lambda: tasks.edge(loss="mse"),
        "semseg": lambda: tasks.semseg(tiny.NUM_CLASSES),
    }
    network = tiny.make_network([makers[name]() for name in names])
    tiny.fill(network, seed=len(names))
    return network


def make(kind, names=("depth", "edge")):
    """A network, an adapter after an update, or a source trainer."""
    network = make_network(names)
    if kind == "network":
        return network
    trainer = {
        "adapter": keras_s4t.TargetAdapter,
        "trainer": keras_s4t.SourceTrainer,
    }[kind](network, keras_s4t.methods.get("BatchNormOnly"))
    trainer.compile(keras.optimizers.SGD(1e-2, momentum=0.9))
    if kind == "adapter":
        trainer.adapt(tiny.make_arrays(4)[0])
    return trainer


def save(model, path):
    if path.suffix == ".keras":
        model.save(path)
    elif path.suffix == ".json":
        model.save_weights(path, max_shard_size=4e-6)
    else:
        model.save_weights(path)


def state(model):
    optimizer = getattr(model, "optimizer", None)
    return [
        *model.variables,
        *model.metrics_variables,
        *getattr(optimizer, "variables", ()),
    ]


@pytest.mark.parametrize("kind", ["network", "adapter", "trainer"])
@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras", "a.weights.json"])
def test_tasks_in_another_order(tmp_path, kind, name):
    path = tmp_path / name
    save(make(kind), path)
    model = make(kind, ("edge", "depth"))
    tiny.fill(model, seed=9)
    before = tiny.numpy_values(state(model))
    with pytest.raises(
        ValueError,
        match=r"\['edge', 'depth'\]. Received: tasks \['depth', 'edge'\] in",
    ):
        model.load_weights(path)
    assert not tiny.moved(state(model), before)
    with pytest.warns(UserWarning, match="by their order"):
        model.load_weights(path, skip_mismatch=True)


def assert_same_values(received, expected):
    for value, other in zip(
        tiny.numpy_values(received.variables),
        tiny.numpy_values(expected.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(value, other)


@pytest.mark.parametrize("kind", ["network", "adapter", "trainer"])
@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras", "a.weights.json"])
def test_weights_of_the_same_tasks(tmp_path, kind, name):
    path = tmp_path / name
    model, other = make(kind), make(kind)
    tiny.fill(other, seed=9)
    save(model, path)
    assert saved_task_names(path) == ["depth", "edge"]
    other.load_weights(path)
    assert_same_values(other, model)


@pytest.mark.parametrize("kind", ["network", "adapter"])
def test_files_older_than_names(tmp_path, kind, monkeypatch):
    path = tmp_path / "a.weights.h5"
    model, other = make(kind), make(kind)
    tiny.fill(other, seed=9)
    with monkeypatch.context() as patch:
        patch.setattr(
            "keras_s4t.models.multi_task_model.save_task_names",
            lambda store, tasks: None,
        )
        model.save_weights(path)
    assert saved_task_names(path) is None
    other.load_weights(path)
    assert_same_values(other, model)


@pytest.mark.parametrize("kind", ["network", "adapter", "trainer"])
@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras"])
def test_a_refused_file_changes_nothing(tmp_path, kind, name):
    # The same names, other shapes, which Keras finds midway.
    path = tmp_path / name
    other = keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(),
        [tasks.semseg(tiny.NUM_CLASSES + 1), tasks.depth()],
    )
    if kind != "network":
        other = keras_s4t.TargetAdapter(
            other, keras_s4t.methods.BatchNormOnly()
        )
        other.compile("sgd")
    tiny.fill(other, seed=9)
    save(other, path)
    model = make(kind, ("semseg", "depth"))
    before = tiny.numpy_values(state(model))
    with pytest.raises(ValueError, match="could not be loaded"):
        model.load_weights(path)
    assert not tiny.moved(state(model), before)
    if kind == "adapter":
        adapter = make(kind, ("semseg", "depth"))
        adapter.reset()
        model.reset()
        source = tiny.numpy_values(adapter.network.variables)
        assert not tiny.moved(model.network.variables, source)
