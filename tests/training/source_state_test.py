"""The state that `reset` returns to: taken once, saved, and kept."""

import gc
import pickle
import warnings

import keras
import numpy as np
import pytest
import tiny

import keras_s4t


def make_adapter(**kwargs):
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), tiny.make_s4t(**kwargs)
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2, momentum=0.9))
    return adapter


def weights(adapter):
    return adapter.trainable_variables + adapter.non_trainable_variables


def make_batches():
    images, *_ = tiny.make_arrays(8)
    return images[:4], images[4:]


def test_an_interrupted_run_equals_an_uninterrupted_one(tmp_path):
    first, second = make_batches()
    adapter = make_adapter()
    source = tiny.numpy_values(weights(adapter))
    adapter.adapt(first)
    adapter.save(tmp_path / "adapter.keras")
    adapter.adapt(second)
    expected = tiny.numpy_values(weights(adapter) + adapter.optimizer.variables)

    loaded = keras.saving.load_model(tmp_path / "adapter.keras")
    assert loaded.compiled
    loaded.adapt(second)
    variables = weights(loaded) + loaded.optimizer.variables
    for a, b in zip(expected, tiny.numpy_values(variables), strict=True):
        np.testing.assert_array_equal(a, b)
    loaded.reset()
    assert not tiny.moved(weights(loaded), source)


def test_collecting_again_keeps_the_source_state():
    first, second = make_batches()
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), keras_s4t.methods.ActMAD((tiny.SIZE, tiny.SIZE))
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    adapter.collect([first], verbose=0)
    source = tiny.numpy_values(adapter.network.variables)
    adapter.fit([second], verbose=0)
    assert tiny.moved(adapter.network.variables, source)
    adapter.collect([first], verbose=0)
    collected = tiny.numpy_values(adapter.method.variables)
    adapter.reset()
    assert not tiny.moved(adapter.network.variables, source)
    assert not tiny.moved(adapter.method.variables, collected)


@pytest.mark.eager
def test_compiling_again_keeps_the_source_state():
    first, _ = make_batches()
    adapter = make_adapter()
    source = tiny.numpy_values(weights(adapter))
    adapter.adapt(first)
    adapter.compile(keras.optimizers.Adam(1e-3))
    adapter.adapt(first)
    adapter.reset()
    assert not tiny.moved(weights(adapter), source)
    assert int(adapter.optimizer.iterations) == 0


@pytest.mark.eager
def test_weights_loaded_after_compile_are_the_source():
    first, _ = make_batches()
    adapter, other = make_adapter(), make_adapter()
    for variable in other.network.trainable_variables:
        variable.assign(variable.value * 1.5)
    adapter.network.set_weights(other.network.get_weights())
    source = tiny.numpy_values(weights(adapter))
    adapter.adapt(first)
    adapter.reset()
    assert not tiny.moved(weights(adapter), source)


@pytest.mark.eager
def test_the_source_state_is_taken_anew_when_asked():
    first, second = make_batches()
    adapter = make_adapter()
    adapter.adapt(first)
    now = tiny.numpy_values(weights(adapter))
    adapter.take_source_state()
    adapter.adapt(second)
    adapter.reset()
    assert not tiny.moved(weights(adapter), now)


@pytest.mark.eager
def test_a_second_adapter_on_an_adapted_network_is_told():
    first, _ = make_batches()
    adapter = make_adapter()
    adapter.adapt(first)
    second = keras_s4t.TargetAdapter(
        adapter.network, keras_s4t.methods.BatchNormOnly()
    )
    second.compile()
    with pytest.warns(UserWarning, match="adapted by another adapter"):
        second.adapt(first)


def test_collecting_what_cannot_be_collected_changes_nothing():
    first, _ = make_batches()
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), keras_s4t.methods.ActMAD((tiny.SIZE, tiny.SIZE))
    )
    before = tiny.numpy_values(adapter.method.variables)
    broken = first.copy()
    broken[0, 0, 0, 0] = np.nan
    for source, message in (
        ([], "must hold batches"),
        ([first, broken], "must be finite"),
        ([first, first[..., :1]], "must be a float or uint8 batch"),
    ):
        with pytest.raises(ValueError, match=f"{message}.*Received"):
            adapter.collect(source, verbose=0)
        assert not tiny.moved(adapter.method.variables, before)
        assert adapter.method.missing == ("statistics",)


@pytest.mark.eager
def test_a_pickled_adapter_knows_its_source():
    first, second = make_batches()
    adapter = make_adapter()
    source = tiny.numpy_values(weights(adapter))
    adapter.adapt(first)
    copy = pickle.loads(pickle.dumps(adapter))
    assert copy.compiled
    received = copy.adapt(second)
    for name, expected in adapter.adapt(second).items():
        np.testing.assert_array_equal(received[name], expected)
    copy.reset()
    assert not tiny.moved(weights(copy), source)


def adapt_once(network, method):
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile()
    adapter.adapt(make_batches()[0])


@pytest.mark.eager
def test_a_network_stays_adapted_when_its_adapter_is_gone():
    network = tiny.make_network()
    adapt_once(network, keras_s4t.methods.SourceOnly())
    # Nothing was moved, so nothing is told.
    adapt_once(network, keras_s4t.methods.Tent())
    gc.collect()
    for method in (keras_s4t.methods.SourceOnly(), keras_s4t.methods.Tent()):
        with pytest.warns(UserWarning, match="adapted by another adapter"):
            adapt_once(network, method)


@pytest.mark.eager
def test_source_training_of_an_adapted_network_is_told():
    adapter = make_adapter()
    adapter.adapt(make_batches()[0])
    trainer = keras_s4t.SourceTrainer(
        adapter.network, keras_s4t.methods.SourceOnly()
    )
    trainer.compile("sgd")
    batches = keras_s4t.data.ArrayBatches(tiny.make_arrays(4), 4)
    with pytest.warns(UserWarning, match="adapted to a target"):
        trainer.fit(batches, verbose=0)
    adapter.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        trainer.fit(batches, verbose=0)
