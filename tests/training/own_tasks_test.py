"""Two segmentation heads and tasks of one's own: train, save, load, adapt."""

import dataclasses
import os

import keras
import numpy as np
import pytest
import tiny
from other_backend import run_under_other_backend

import keras_s4t
from keras_s4t import tasks

CLASSES = ["head", "arm", "leg"]


@tasks.register("own_tasks_test")
def shadow(weight=1.0):
    """A task of our own."""
    task = tasks.binary("shadow", weight, metrics=("f1", "ap"))
    label = dataclasses.replace(task.label, is_averaged=True)
    return dataclasses.replace(task, label=label)


def make_tasks():
    return [
        tasks.semseg(tiny.NUM_CLASSES, metrics=("miou", "pixel_accuracy")),
        tasks.semseg(3, CLASSES, metrics=("miou", "iou"), name="parts"),
        dataclasses.replace(tasks.edge("mse"), name="saliency", weight=2.0),
        tasks.depth(metrics=("rmse", "abs_rel", "rmse_log", "delta1")),
        tasks.normals(metrics=("merr", "median", "within_30")),
        tasks.regression("motion", num_outputs=2, metrics=("rmse", "mae")),
        shadow(),
    ]


KEYS = {
    *("semseg_miou", "semseg_pixel_accuracy", "parts_miou"),
    *(f"parts_iou/{name}" for name in CLASSES),
    *("saliency_rmse", "depth_rmse", "depth_abs_rel", "depth_rmse_log"),
    *("depth_delta1", "normals_merr", "normals_median", "normals_within_30"),
    *("motion_rmse", "motion_mae", "shadow_f1", "shadow_ap"),
}
FIRST = {
    "semseg_miou": True,
    "parts_miou": True,
    "saliency_rmse": False,
    "depth_rmse": False,
    "normals_merr": False,
    "motion_rmse": False,
    "shadow_f1": True,
}


def make_batches(num_images=8):
    images, labels, _ = tiny.make_arrays(num_images, count=4)
    rng = np.random.default_rng(5)
    shape = images.shape[:3]
    labels |= {
        "parts": rng.integers(3, size=shape).astype("int32"),
        "saliency": labels.pop("edge"),
        "motion": rng.normal(size=(*shape, 2)).astype("float32"),
        "shadow": rng.integers(2, size=(*shape, 1)).astype("float32"),
    }
    labels["motion"][:, 0] = labels["shadow"][:, 1] = np.nan
    return keras_s4t.data.ArrayBatches((images, labels), 4)


def make_trainer(names=None):
    task_list = [t for t in make_tasks() if not names or t.name in names]
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(task_list), tiny.make_s4t(task_list)
    )
    tiny.fill(trainer)
    trainer.compile(keras.optimizers.SGD(1e-3))
    return trainer


SCRIPT = """
import sys
import keras
import numpy as np
import tiny
import keras_s4t
import own_tasks

trainer = keras.saving.load_model(sys.argv[1], compile=False)
images, *_ = tiny.make_arrays(2)
np.savez(sys.argv[2], **trainer.predict(images, verbose=0))
adapter = keras_s4t.TargetAdapter(trainer.network, trainer.method)
adapter.compile(run_eagerly=True)
adapter.fit(keras_s4t.data.online_stream(images), verbose=0)
"""


@pytest.mark.eager
@pytest.mark.slow
def test_trains_saves_loads_and_adapts(tmp_path):
    trainer, batches = make_trainer(), make_batches()
    history = trainer.fit(batches, verbose=0).history
    assert set(history) == {"loss", "skipped_steps"} | KEYS
    assert all(np.isfinite(values).all() for values in history.values())
    expected = trainer.evaluate(batches, verbose=0, return_dict=True)
    assert set(expected) == {"loss"} | KEYS

    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    assert [task.name for task in loaded.tasks] == [
        task.name for task in trainer.tasks
    ]
    assert loaded.evaluate(batches, verbose=0, return_dict=True) == (
        pytest.approx(expected, rel=1e-5)
    )
    assert loaded.tasks[-1].label.is_averaged

    # The metrics of the tasks, computed by hand from predictions.
    images, labels = (
        keras.tree.map_structure(lambda *parts: np.concatenate(parts), *pair)
        for pair in zip(*(batches[i] for i in range(2)), strict=True)
    )
    values = loaded.network.postprocess(loaded.predict(images, verbose=0))
    values = {k: keras.ops.convert_to_numpy(v) for k, v in values.items()}
    hits = values["parts"] == labels["parts"]
    found = [hits[labels["parts"] == i].sum() for i in range(3)]
    union = [
        ((values["parts"] == i) | (labels["parts"] == i)).sum()
        for i in range(3)
    ]
    for name, part, whole in zip(CLASSES, found, union, strict=True):
        received = expected[f"parts_iou/{name}"]
        assert received == pytest.approx(part / whole, rel=1e-5)
    error = np.abs(values["depth"] - labels["depth"]) / labels["depth"]
    assert expected["depth_abs_rel"] == pytest.approx(error.mean(), rel=1e-5)
    error = np.abs(values["motion"] - labels["motion"])[:, 1:].sum(axis=-1)
    assert expected["motion_mae"] == pytest.approx(error.mean(), rel=1e-5)

    for method in (loaded.method, keras_s4t.methods.Tent(task="parts")):
        adapter = keras_s4t.TargetAdapter(loaded.network, method)
        adapter.compile(keras.optimizers.SGD(1e-3))
        before = tiny.numpy_values(adapter.network.weights)
        curve = keras_s4t.callbacks.AdaptationCurve(batches)
        stream = keras_s4t.data.online_stream(images, batch_size=4)
        adapter.fit(stream, callbacks=[curve], verbose=0)
        assert curve.steps == [0, 1, 2]
        assert all(set(p) == {"step"} | KEYS for p in curve.points)
        # Delta_TTT counts the first metric of every task.
        assert curve.higher_is_better == FIRST
        gains = [
            (100 if higher else -100)
            * (curve.points[-1][key] / curve.points[0][key] - 1)
            for key, higher in FIRST.items()
        ]
        assert curve.gain(2) == pytest.approx(np.mean(gains))
        assert tiny.moved(adapter.network.weights, before)
        adapter.reset()
        assert not tiny.moved(adapter.network.weights, before)


@pytest.mark.eager
@pytest.mark.slow
def test_loads_under_another_backend(tmp_path):
    trainer = make_trainer(("semseg", "parts", "saliency", "shadow"))
    trainer.save(tmp_path / "trainer.keras")
    paths = [tmp_path / "trainer.keras", tmp_path / "outputs.npz"]
    # The module that registers the task must be imported there.
    (tmp_path / "own_tasks.py").symlink_to(os.path.abspath(__file__))
    run_under_other_backend(SCRIPT, *paths, folders=[tmp_path])
    images, *_ = tiny.make_arrays(2)
    with np.load(paths[1]) as outputs:
        for name, expected in trainer.predict(images, verbose=0).items():
            np.testing.assert_allclose(
                outputs[name], expected, rtol=1e-4, atol=1e-4
            )


def test_what_cannot_be_restored_touches_no_file(tmp_path):
    def double(y_true, y_pred, mask=None):
        return 2 * keras_s4t.losses.squared_error(y_true, y_pred, mask)

    task = dataclasses.replace(tasks.edge("mse"), loss=double)
    network = tiny.make_network([task])
    trainer = keras_s4t.SourceTrainer(network, keras_s4t.methods.SourceOnly())
    old = tmp_path / "old.keras"
    old.write_text("a model that was saved before")
    for model in (trainer, network):
        for path in (tmp_path / "new.keras", old):
            with pytest.raises(ValueError, match=r"register`.*\['loss'\]"):
                model.save(path)
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_text() == "a model that was saved before"


def test_metrics_of_one_name():
    task_list = [
        tasks.edge(alignment="batch_affine"),
        tasks.edge(name="edge_batch_affine"),
    ]
    with pytest.raises(ValueError, match="different names.*edge_batch_affine"):
        keras_s4t.SourceTrainer(
            tiny.make_network(task_list), keras_s4t.methods.SourceOnly()
        )


def test_a_mask_of_0_and_255_is_no_label():
    images, labels = make_batches(4)[0]
    labels["shadow"] = 255 * labels["shadow"]
    trainer = make_trainer()
    batches = keras_s4t.data.ArrayBatches((images, labels), 4)
    with pytest.warns(UserWarning, match="divided by 255"):
        trainer.evaluate(batches, verbose=0)


@pytest.mark.eager
def test_a_network_that_is_lost_has_no_metrics():
    trainer = make_trainer()
    trainer.network.backbone.trainable_variables[0].assign(
        np.full((3, 3, 3, 6), np.nan, "float32")
    )
    logs = trainer.evaluate(make_batches(), verbose=0, return_dict=True)
    assert set(logs) == {"loss"} | KEYS
    assert all(np.isnan(value) for value in logs.values()), logs
