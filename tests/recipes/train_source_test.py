"""A source training that is killed, and goes on as if it never was."""

import argparse
import json
import pathlib
import types

import keras
import numpy as np
import pytest
import tiny
import tiny_config
from shared import training_state

import keras_s4t

EPOCHS, STEPS = 3, 2


@pytest.fixture
def train(load_recipe, monkeypatch):
    """Trains S4T, whose masks are random, in a folder; returns the trainer."""
    import tensorflow as tf

    images, labels, masks = tiny.make_arrays(5, count=tiny_config.NUM_TASKS)
    records = {"image": images, **labels}
    records |= {f"{name}_mask": mask for name, mask in masks.items()}

    def load(name, split, tasks, batch_size, training=False, **options):
        dataset = tf.data.Dataset.from_tensor_slices(records)
        return keras_s4t.data.batches(dataset, tasks, batch_size, training)

    monkeypatch.setattr(keras_s4t.data, "load", load)
    recipe = load_recipe("train_source")
    config = tiny_config.make_config()

    def train(folder, *callbacks):
        trainer = keras_s4t.SourceTrainer(
            config.make_network(), tiny.make_s4t(config.make_tasks())
        )
        tiny.fill(trainer)
        trainer.compile(keras.optimizers.Adam(1e-2))
        arguments = argparse.Namespace(
            source="tiny",
            seed=0,
            epochs=EPOCHS,
            steps_per_epoch=STEPS,
            batch_size=2,
            num_examples=None,
            cache=None,
            data_dir=None,
            quick=True,
            output=folder,
            randomize=False,
        )
        path = folder / "state.weights.h5"
        state = recipe.TrainingState(path, STEPS)
        monkeypatch.setattr(
            recipe,
            "HistoryFile",
            lambda path: keras.callbacks.CallbackList(
                [history_file(path), *callbacks]
            ),
        )
        recipe.train(trainer, state, arguments, config)
        return trainer

    history_file = recipe.HistoryFile
    return train


class Interruption(keras.callbacks.Callback):
    """Stops in the midst of the second epoch."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def on_train_batch_end(self, batch, logs=None):
        self.calls += 1
        if self.calls == STEPS + 1:
            raise KeyboardInterrupt


def test_goes_on_exactly(train, tmp_path):
    whole = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", Interruption())
    rows = json.loads((tmp_path / "killed" / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [1]
    resumed = train(tmp_path / "killed")

    assert int(resumed.optimizer.iterations) == EPOCHS * STEPS
    for a, b in zip(
        whole.weights + whole.optimizer.variables,
        resumed.weights + resumed.optimizer.variables,
        strict=True,
    ):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b), a.path
        )
    histories = [
        json.loads((tmp_path / name / "history.json").read_text())
        for name in ("whole", "killed")
    ]
    assert [row["epoch"] for row in histories[0]] == [1, 2, 3]
    for row in (*histories[0], *histories[1]):
        assert row.pop("seconds") >= 0
    assert histories[0] == histories[1]


def test_a_finished_training_is_not_repeated(train, tmp_path):
    first = train(tmp_path)
    second = train(tmp_path)
    assert int(second.optimizer.iterations) == EPOCHS * STEPS
    weights = tiny.numpy_values(first.weights)
    assert not tiny.moved(second.weights, weights)


def test_another_training_is_refused(tmp_path):
    def make_state(**settings):
        state = training_state.TrainingState(
            tmp_path / "state.weights.h5",
            STEPS,
            settings={"seed": 0, "zoom": (1.0, 2.0), **settings},
        )
        state.set_model(
            types.SimpleNamespace(
                save_weights=lambda path: pathlib.Path(path).write_text("")
            )
        )
        return state

    make_state(seed=1).check()
    state = make_state()
    state.on_epoch_end(0)
    make_state().check()
    message = "its own settings. Received: randomize=True, not None; seed=1,"
    with pytest.raises(ValueError, match=message):
        make_state(seed=1, randomize=True).check()
    state.remove()
    make_state(seed=1).check()
    assert not list(tmp_path.iterdir())
