import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.models import rematerialization
from keras_s4t.models.rematerialization import RematerializedModel


@pytest.fixture
def segments_run(monkeypatch):
    """Cuts tiny networks, too; the number of segments of every call."""
    numbers = []
    call = RematerializedModel.__call__

    def counting(self, *args, **kwargs):
        numbers.append(len(self.segments))
        return call(self, *args, **kwargs)

    monkeypatch.setattr(rematerialization, "MIN_LAYERS", 2)
    monkeypatch.setattr(RematerializedModel, "__call__", counting)
    return numbers


def make_network(task_list, remat):
    return keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(), task_list, remat=remat
    )


def adapt(remat, steps=2):
    task_list = tiny.make_tasks(2)
    network = make_network(task_list, remat)
    adapter = keras_s4t.TargetAdapter(network, tiny.make_s4t(task_list))
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-3, momentum=0.9))
    images, labels, masks = tiny.make_arrays(4, size=(32, 48), count=2)
    stream = keras_s4t.data.online_stream(
        (images, labels, masks), steps=steps, batch_size=4
    )
    logs = adapter.fit(stream, verbose=0).history
    return logs, adapter


def test_adapts_as_without(segments_run):
    expected_logs, expected = adapt(False)
    assert not segments_run
    logs, adapter = adapt(True)
    assert set(segments_run) == {3}
    for key, values in expected_logs.items():
        np.testing.assert_allclose(logs[key], values, rtol=1e-4, err_msg=key)
    pairs = zip(
        tiny.numpy_values(adapter.network.variables),
        tiny.numpy_values(expected.network.variables),
        strict=True,
    )
    for received, value in pairs:
        np.testing.assert_allclose(received, value, rtol=1e-4, atol=1e-5)


@pytest.mark.eager
def test_trains_on_the_source_as_without(segments_run):
    losses, variables = [], []
    for remat in (False, True):
        task_list = tiny.make_tasks()
        network = make_network(task_list, remat)
        trainer = keras_s4t.SourceTrainer(network, tiny.make_s4t(task_list))
        tiny.fill(trainer)
        trainer.compile(keras.optimizers.Adam(1e-3), metrics=None)
        arrays = tiny.make_arrays(4, size=(32, 32))
        batches = keras_s4t.data.ArrayBatches(arrays, 4)
        losses += [trainer.fit(batches, epochs=2, verbose=0).history["loss"]]
        variables += [tiny.numpy_values(network.variables)]
    assert set(segments_run) == {3}
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for received, value in zip(*variables, strict=True):
        np.testing.assert_allclose(received, value, rtol=1e-3, atol=1e-4)


@pytest.mark.eager
@pytest.mark.parametrize("min_layers", [1, 8, 1000])
def test_segments_are_the_model(min_layers):
    network = tiny.make_network()
    encoder = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet_tiny(), network.tasks
    ).encoder
    segments = RematerializedModel(encoder, min_layers)
    images = tiny.make_arrays(2, size=(32, 64))[0] / 255
    images = keras.ops.convert_to_tensor(images)
    expected = encoder(images)
    outputs = segments(images)
    assert list(outputs) == list(expected)
    for name, output in outputs.items():
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(keras.ops.stop_gradient(output)),
            keras.ops.convert_to_numpy(keras.ops.stop_gradient(expected[name])),
            atol=1e-5,
        )
    num_variables = sum(len(s.variables) for s, _ in segments.segments)
    assert num_variables == len(encoder.variables)
    # Six layers of the stem, and sum and activation of every block.
    expected_lengths = {1: 6 + 4 * 2, 8: 5, 1000: 1}
    assert len(segments.segments) == expected_lengths[min_layers]


def test_the_choice_is_saved(tmp_path):
    network = keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(), tiny.make_tasks(), fused_norms=False, remat=True
    )
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert loaded.remat and not loaded.fused_norms
