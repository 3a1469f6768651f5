import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t
from keras_s4t.callbacks import ResetToSource
from keras_s4t.data import online_stream


class ShrinkFeatures(keras_s4t.methods.Method):
    """Moves features to zero: weights and batch norm statistics change."""

    bn_mode = "update"

    def target_loss(self, adapter, images, features):
        return sum(ops.mean(ops.square(f)) for f in features.values())


class Recorder(keras.callbacks.Callback):
    """Records the state before and after every step."""

    def __init__(self):
        super().__init__()
        self.before, self.after = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.before.append(state(self.model))

    def on_train_batch_end(self, batch, logs=None):
        self.after.append(state(self.model))


def state(adapter):
    return tiny.numpy_values(
        adapter.network.weights + adapter.optimizer.variables
    )


def is_same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def make_adapter():
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(tiny.make_tasks(1)), ShrinkFeatures()
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(0.1, momentum=0.9), metrics=None)
    return adapter


def test_every_batch_starts_from_the_source():
    adapter = make_adapter()
    source = state(adapter)
    images, *_ = tiny.make_arrays(6)
    images[4:] = images[:2]
    recorder = Recorder()
    # Callbacks run in order: the recorder runs after the reset.
    adapter.fit(
        online_stream(images, steps=2, batch_size=2),
        callbacks=[ResetToSource(every=2), recorder],
        verbose=0,
    )
    assert len(recorder.before) == len(recorder.after) == 6
    for step in range(6):
        expected = recorder.after[step - 1] if step % 2 else source
        assert is_same(recorder.before[step], expected)
        assert not is_same(recorder.after[step], recorder.before[step])
    # The third batch equals the first and starts from the same state.
    for step in (0, 1):
        for a, b in zip(
            recorder.after[step], recorder.after[step + 4], strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert not is_same(recorder.after[1], recorder.after[3])
    # The last adaptation is kept.
    assert is_same(state(adapter), recorder.after[-1])


def test_a_stream_of_unknown_size():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter()
    source = state(adapter)
    with pytest.raises(ValueError, match="known size"):
        adapter.fit(
            (batch for batch in [(images,)]),
            callbacks=[ResetToSource(every=1)],
            verbose=0,
        )
    assert is_same(state(adapter), source)


@pytest.mark.parametrize("every", [0, -2])
def test_every_must_be_positive(every):
    with pytest.raises(ValueError, match=f"every={every}"):
        ResetToSource(every)
