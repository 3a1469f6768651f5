"""Labels that are missing do not count, whether a mask says so or not."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t


def make_arrays():
    """Labels with missing values, and masks that say where."""
    images, labels, masks = tiny.make_arrays(4, count=4)
    rng = np.random.default_rng(3)
    missing = {
        "semseg": [255],
        "depth": [0, -1, np.nan, np.inf],
        "normals": [0, np.nan],
        "edge": [np.nan],
    }
    for name, values in missing.items():
        label = labels[name].reshape(*images.shape[:3], -1)
        known = masks[name][..., 0] > 0
        known &= label[..., 0] != 255
        masks[name] = known[..., None].astype("float32")
        fill = rng.choice(values, known.shape)[..., None]
        label = np.where(masks[name] > 0, label, fill)
        labels[name] = label.reshape(labels[name].shape).astype(
            labels[name].dtype
        )
    return images, labels, masks


@pytest.mark.eager
@pytest.mark.parametrize("given", [[], ["depth"]])
def test_evaluates_as_with_masks(given):
    images, labels, masks = make_arrays()
    assert all(0.5 < mask.mean() < 1 for mask in masks.values())
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks(4)), keras_s4t.methods.SourceOnly()
    )
    tiny.fill(trainer)
    trainer.compile("sgd")
    some = [{name: masks[name] for name in given}] if given else []
    results = [
        trainer.evaluate(
            keras_s4t.data.ArrayBatches((images, labels, *extra), 2),
            verbose=0,
            return_dict=True,
        )
        for extra in ([masks], some)
    ]
    assert all(np.isfinite(value) for value in results[0].values())
    for key, value in results[0].items():
        assert results[1][key] == pytest.approx(value, rel=1e-6), key


@pytest.mark.eager
def test_trains_as_with_masks():
    images, labels, masks = make_arrays()
    outcomes = []
    for extra in ((masks,), ()):
        network = tiny.make_network(tiny.make_tasks(4))
        trainer = keras_s4t.SourceTrainer(network, tiny.make_s4t(mask_ratio=0))
        tiny.fill(trainer)
        trainer.compile(keras.optimizers.SGD(1e-2))
        batches = keras_s4t.data.ArrayBatches((images, labels, *extra), 4)
        history = trainer.fit(batches, verbose=0).history
        outcomes.append((history["loss"], tiny.numpy_values(network.variables)))
    (loss, weights), (other_loss, other_weights) = outcomes
    assert np.isfinite(loss[0]) and other_loss == pytest.approx(loss, rel=1e-5)
    for first, second in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


@pytest.mark.eager
def test_a_mask_that_is_given_counts():
    images, labels, masks = tiny.make_arrays(2, count=4)
    labels["depth"][:] = 0
    masks["depth"][:] = 1
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks(4)), keras_s4t.methods.SourceOnly()
    )
    trainer.compile("sgd")
    keys = []
    for extra in ((masks,), ()):
        batches = keras_s4t.data.ArrayBatches((images, labels, *extra), 2)
        keys.append(trainer.evaluate(batches, verbose=0, return_dict=True))
    assert keys[0]["depth_rmse"] > 0 and np.isnan(keys[1]["depth_rmse"])


@pytest.mark.eager
def test_a_network_that_is_lost_has_no_metrics():
    # Compiled reductions over more than 2048 entries lose NaN on JAX.
    arrays = tiny.make_arrays(8, size=(64, 64), count=4)
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks(4)), keras_s4t.methods.SourceOnly()
    )
    trainer.compile("sgd")
    trainer.network.backbone.trainable_variables[0].assign(
        np.full((3, 3, 3, 6), np.nan, "float32")
    )
    for batch_size in (2, 4, 8):
        logs = trainer.evaluate(
            keras_s4t.data.ArrayBatches(arrays, batch_size),
            verbose=0,
            return_dict=True,
        )
        assert len(logs) == 5
        assert all(np.isnan(value) for value in logs.values()), logs


def make_partial(keys=("depth", "normals")):
    """Arrays whose labels lack tasks."""
    images, labels, masks = tiny.make_arrays(4, count=4)
    return (
        images,
        {key: labels[key] for key in keys},
        {key: masks[key] for key in keys},
    )


@pytest.mark.eager
@pytest.mark.parametrize("balance", ["fixed", "awl"])
def test_trains_on_some_tasks(balance):
    network = tiny.make_network(tiny.make_tasks(4))
    trainer = keras_s4t.SourceTrainer(
        network, tiny.make_s4t(tiny.make_tasks(4)), balance
    )
    trainer.compile(keras.optimizers.SGD(1e-2))
    before = tiny.numpy_values(network.variables)
    batches = keras_s4t.data.ArrayBatches(make_partial(), 2)
    with pytest.warns(UserWarning, match=r"lack the tasks \['semseg', 'edge'"):
        logs = trainer.fit(batches, verbose=0).history
    assert np.isnan([logs["semseg_miou"][0], logs["edge_rmse"][0]]).all()
    assert np.isfinite([logs["depth_rmse"][0], logs["loss"][0]]).all()
    moved = tiny.moved(network.variables, before)
    for name in ("semseg", "depth", "normals", "edge"):
        weights = {id(v) for v in network.decoders[name].trainable_variables}
        assert (weights <= moved) == (name in ("depth", "normals"))
        assert bool(weights & moved) == (name in ("depth", "normals"))
    # The second time is silent.
    trainer.evaluate(batches, verbose=0)


@pytest.mark.eager
def test_a_curve_counts_the_tasks_with_labels():
    adapter = tiny.make_adapter()
    target = keras_s4t.data.ArrayBatches(make_partial(["depth"]), 2)
    curve = keras_s4t.callbacks.AdaptationCurve(target)
    stream = keras_s4t.data.online_stream(target)
    with pytest.warns(UserWarning, match="lack the tasks"):
        adapter.fit(stream, callbacks=[curve], verbose=0)
    assert curve.counted == {"depth_rmse": False}
    before, after = (p["depth_rmse"] for p in (curve.points[0], curve.at(2)))
    assert curve.gain(2) == pytest.approx(100 * (before - after) / before)
    assert list(curve.relative) == ["depth_rmse"]


def test_a_wrong_name_is_no_missing_task():
    images, labels, masks = make_partial()
    labels["segmentation"] = labels["depth"]
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks(4)), keras_s4t.methods.SourceOnly()
    )
    trainer.compile()
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 2)
    with pytest.raises(ValueError, match="Labels must be a dict.*segmentation"):
        trainer.fit(batches, verbose=0)
