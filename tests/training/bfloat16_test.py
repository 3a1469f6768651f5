"""Half precision, with float32 losses, statistics, variables and metrics."""

import contextlib

import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t


@contextlib.contextmanager
def dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    yield
    keras.config.set_dtype_policy(before)


def is_float32(x):
    return keras.backend.standardize_dtype(x.dtype) == "float32"


def test_bfloat16_adapts_with_float32_losses_variables_and_metrics(monkeypatch):
    losses = []
    target_loss = keras_s4t.methods.S4T.target_loss

    def watched(*args):
        losses.append(target_loss(*args))
        return losses[-1]

    monkeypatch.setattr(keras_s4t.methods.S4T, "target_loss", watched)
    with dtype_policy("mixed_bfloat16"):
        adapter = tiny.make_adapter()
    twin = tiny.make_network(adapter.tasks)
    for network in (adapter.network, twin):
        tiny.fill(network)
    images, labels, masks = tiny.make_batches()[0]
    logs = adapter.train_on_batch(images, labels, masks, return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    twin(ops.convert_to_tensor(images), training=True)

    assert adapter.compute_dtype == "bfloat16"
    assert all(map(is_float32, losses))
    variables = adapter.variables + adapter.optimizer.variables
    assert all(is_float32(v) for v in variables if "float" in str(v.dtype))
    results = keras.tree.flatten(adapter.get_metrics_result())
    assert all(map(is_float32, results))
    for half, full in zip(
        tiny.numpy_values(adapter.network.moving_statistics),
        tiny.numpy_values(twin.moving_statistics),
        strict=True,
    ):
        np.testing.assert_allclose(half, full, rtol=5e-3, atol=5e-3)


def test_bfloat16_statistics_are_summed_in_float32():
    with dtype_policy("mixed_bfloat16"):
        network = tiny.make_network()
        tiny.fill(network)
    images = ops.convert_to_tensor(tiny.make_arrays(4)[0])
    conv = next(x for x in network.backbone.layers if x.name.startswith("conv"))
    inputs = conv(network.normalization(images))
    assert keras.backend.standardize_dtype(inputs.dtype) == "bfloat16"
    inputs = np.float64(ops.convert_to_numpy(ops.cast(inputs, "float32")))
    moving = tiny.numpy_values(network.moving_statistics[:2])
    network(images, training=True)
    batch = inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))
    for before, statistic, variable in zip(
        moving, batch, network.moving_statistics, strict=False
    ):
        expected = 0.9 * before + 0.1 * statistic
        after = ops.convert_to_numpy(variable)
        np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.eager
def test_bfloat16_sources_have_float32_losses_and_unit_normals():
    with dtype_policy("mixed_bfloat16"):
        trainer = keras_s4t.SourceTrainer(
            tiny.make_network(), keras_s4t.methods.SourceOnly()
        )
        tiny.fill(trainer)
    images, labels, masks = tiny.make_arrays(4)
    loss, outputs = trainer.total_loss(images, labels, masks)
    normals = outputs["normals"]
    assert keras.backend.standardize_dtype(normals.dtype) == "bfloat16"
    assert is_float32(loss)
    assert np.isfinite(ops.convert_to_numpy(loss))
    values = trainer.network.postprocess(outputs)
    assert all(is_float32(v) for k, v in values.items() if k != "semseg")
    lengths = np.linalg.norm(ops.convert_to_numpy(values["normals"]), axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
