"""Predictions that are averaged: mirrored images, the synchronizer."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t
from keras_s4t.methods import BatchNormOnly
from keras_s4t.methods import Tent
from keras_s4t.tasks import binary


def make_adapter(averages, method=None, count=tiny.NUM_TASKS, **options):
    task_list = tiny.make_tasks(count)
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(task_list),
        method or tiny.make_s4t(task_list, **options),
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2), averages=averages)
    return adapter


def predicted(adapter, images):
    return keras.tree.map_structure(
        np.asarray, adapter.predict_on_batch(images)
    )


def numpy_mean(task, first, second, share=0.5):
    """The formula, in NumPy."""
    pair = [np.float64(first), np.float64(second)]
    if task.name == "semseg":
        pair = [np.exp(x) for x in pair]
        pair = [x / x.sum(axis=-1, keepdims=True) for x in pair]
    if task.name == "normals":
        lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in pair]
        pairs = zip(pair, lengths, strict=True)
        pair = [x / np.maximum(n, 1e-2) for x, n in pairs]
    mean = (1 - share) * pair[0] + share * pair[1]
    return np.log(mean + 1e-7) if task.name == "semseg" else mean


def test_of_mirrored_images():
    images, *_ = tiny.make_arrays(3)
    adapter = make_adapter(["flip"])
    received = predicted(adapter, images)
    plain, mirror = (
        {k: ops.convert_to_numpy(v) for k, v in adapter.network(x).items()}
        for x in (images, np.ascontiguousarray(images[:, :, ::-1]))
    )
    for task in adapter.tasks:
        other = mirror[task.name][:, :, ::-1]
        if task.name == "normals":
            other = other * [-1, 1, 1]
        np.testing.assert_allclose(
            received[task.name],
            numpy_mean(task, plain[task.name], other),
            rtol=1e-4,
            atol=1e-5,
        )
    # A mirrored image has the mirrored prediction.
    other = predicted(adapter, np.ascontiguousarray(images[:, :, ::-1]))
    np.testing.assert_allclose(
        other["depth"][:, :, ::-1], received["depth"], rtol=1e-4, atol=1e-5
    )


def test_of_the_synchronizer():
    images, *_ = tiny.make_arrays(3)
    shares = {"semseg": 0.25, "depth": 0.0, "normals": 0.5, "edge": 1.0}
    adapter = make_adapter(["synchronizer"], count=4, synchronizer_share=shares)
    method, network = adapter.method, adapter.network
    received = predicted(adapter, images)
    features = network.encode(images, False)
    plain = network.decode(features, images.shape[1:3], False)
    joint = method.synchronizer.unmasked(method.project(features))
    plain, joint = keras.tree.map_structure(
        ops.convert_to_numpy, (plain, joint)
    )
    for task in adapter.tasks:
        share = shares[task.name]
        expected = plain[task.name]
        if share:
            expected = numpy_mean(task, expected, joint[task.name], share)
        np.testing.assert_allclose(
            received[task.name], expected, rtol=1e-4, atol=1e-5
        )
    # Nothing is drawn: a second prediction is the same.
    again = predicted(adapter, images)
    for name, values in again.items():
        np.testing.assert_array_equal(values, received[name])


@pytest.mark.eager
def test_without_a_mask_the_synchronizer_is_the_same():
    task_list = tiny.make_tasks()
    values = []
    for strategy in ("shared", "random"):
        method = tiny.make_s4t(
            task_list, mask_ratio=0.0, mask_strategy=strategy
        )
        adapter = keras_s4t.TargetAdapter(tiny.make_network(task_list), method)
        tiny.fill(adapter)
        features = adapter.network.encode(tiny.make_arrays(2)[0], False)
        latents = method.project(features)
        for outputs in (
            method.synchronizer(latents),
            method.synchronizer.unmasked(latents),
        ):
            values.append(ops.convert_to_numpy(outputs["depth"]))
    # The mask token makes no difference where nothing is masked.
    np.testing.assert_allclose(values[0], values[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(values[2], values[3], rtol=1e-4, atol=1e-5)


@pytest.mark.eager
def test_metrics_and_adapt_see_the_mean():
    images, labels, masks = tiny.make_arrays(4)
    adapter = make_adapter(["flip", "synchronizer"])
    logs = adapter.evaluate(images, labels, sample_weight=masks, verbose=0)
    plain = make_adapter([])
    assert not np.allclose(
        logs, plain.evaluate(images, labels, sample_weight=masks, verbose=0)
    )
    before = predicted(adapter, images)
    values = adapter.adapt(images)
    after = adapter.network.postprocess(predicted(adapter, images))
    np.testing.assert_allclose(
        values["depth"], ops.convert_to_numpy(after["depth"]), rtol=1e-5
    )
    assert not np.allclose(before["depth"], values["depth"])


@pytest.mark.eager
def test_it_is_saved(tmp_path):
    adapter = make_adapter(["flip"])
    adapter.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    assert loaded.averages == ("flip",)
    images, *_ = tiny.make_arrays(2)
    np.testing.assert_array_equal(
        predicted(loaded, images)["depth"], predicted(adapter, images)["depth"]
    )


@pytest.mark.eager
@pytest.mark.parametrize("method", [BatchNormOnly, Tent])
def test_mirrored_images_work_with_every_method(method):
    adapter = make_adapter(["flip"], method())
    images, *_ = tiny.make_arrays(2)
    values = adapter.adapt(images)
    mirrored = adapter.predict_on_batch(images[:, :, ::-1].copy())
    np.testing.assert_allclose(
        np.asarray(mirrored["edge"])[:, :, ::-1],
        np.asarray(adapter.predict_on_batch(images)["edge"]),
        rtol=1e-4,
        atol=1e-5,
    )
    assert values["depth"].shape == (2, tiny.SIZE, tiny.SIZE, 1)


@pytest.mark.eager
def test_probabilities_of_binary_tasks_are_averaged():
    task = binary("door")
    logits = np.float32([[[[-3.0]]], [[[1.0]]]])
    mean = task.average([logits[:1], logits[1:]])
    expected = (1 / (1 + np.exp(-logits))).mean(axis=0)
    received = ops.convert_to_numpy(task.postprocess(mean))[0]
    np.testing.assert_allclose(received, expected, rtol=1e-5)
    # Certain predictions stay finite.
    mean = task.average([np.float32([[[[200.0]]]])])
    assert np.isfinite(ops.convert_to_numpy(mean)).all()


@pytest.mark.eager
def test_what_predicts_without_them_says_so(tmp_path):
    adapter = make_adapter(["flip"])
    with pytest.raises(ValueError, match="`averages` of `compile` must be em"):
        adapter.export(tmp_path / "a", verbose=False)
    with pytest.raises(ValueError, match="a copy of the network alone"):
        keras_s4t.live.LiveAdapter(adapter, background=True)
    live = keras_s4t.live.LiveAdapter(adapter, window=2, adapt_every=2)
    images, *_ = tiny.make_arrays(2, size=(32, 32))
    values = live(images)
    expected = adapter.network.postprocess(predicted(adapter, images))
    np.testing.assert_allclose(
        values["edge"], ops.convert_to_numpy(expected["edge"]), rtol=1e-5
    )


@pytest.mark.eager
@pytest.mark.parametrize(
    ("options", "method", "text"),
    [
        ({"averages": ["flop"]}, None, "must be out of"),
        (
            {"averages": ["flip"], "predict": "before"},
            None,
            "must be empty with",
        ),
        ({"averages": ["synchronizer"]}, BatchNormOnly, "have a synchronizer"),
    ],
)
def test_what_cannot_be_averaged(options, method, text):
    adapter = make_adapter([], method and method())
    with pytest.raises(ValueError, match=text):
        adapter.compile(**options)
