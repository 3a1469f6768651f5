import keras
import numpy as np
import pytest
import tiny

import keras_s4t


def adapt(method, images, steps):
    network = tiny.make_network()
    tiny.fill(network)
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile()
    before = tiny.numpy_values(network.moving_statistics)
    adapter.fit(keras_s4t.data.online_stream(images, steps), verbose=0)
    return adapter, before, tiny.numpy_values(network.moving_statistics)


def first_layer_statistics(network, images):
    """Mean and variance of the outputs of the first convolution, in NumPy."""
    layers = network.encoder.layers
    convolution = next(x for x in layers if "conv" in x.name)
    inputs = network.normalization(images)
    x = keras.ops.convert_to_numpy(convolution(inputs))
    return x.mean((0, 1, 2)), x.var((0, 1, 2))


def test_moving_statistics_follow_the_target():
    images, *_ = tiny.make_arrays(8)
    adapter, before, after = adapt(
        keras_s4t.methods.BatchNormOnly(), images, steps=40
    )
    batch = first_layer_statistics(adapter.network, images)
    kept = 0.9**40
    assert kept == pytest.approx(0.01478, abs=1e-5)
    for source, target, result in zip(before, batch, after, strict=False):
        expected = kept * source + (1 - kept) * target
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_batch_mode_predicts_with_the_batch_and_keeps_nothing():
    images, *_ = tiny.make_arrays(4)
    adapter, before, after = adapt(
        keras_s4t.methods.BatchNormOnly("batch"), images, steps=2
    )
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    network = adapter.network
    predictions = adapter.predict(images, verbose=0)
    for old, new in zip(
        before, tiny.numpy_values(network.moving_statistics), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    expected = network(images, training=True)
    for name, prediction in predictions.items():
        np.testing.assert_allclose(
            prediction,
            keras.ops.convert_to_numpy(expected[name]),
            rtol=1e-4,
            atol=1e-4,
        )


def test_base_changes_nothing():
    images, *_ = tiny.make_arrays(4)
    adapter, before, after = adapt(
        keras_s4t.methods.SourceOnly(), images, steps=2
    )
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_unknown_mode():
    with pytest.raises(ValueError, match="'update'.*'source'"):
        keras_s4t.methods.BatchNormOnly("source")
