"""Weights survive whatever ends a loop over batches, on every backend."""

import os
import signal
import threading

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.state.interrupts import interrupts_later
from keras_s4t.state.kept_state import KeptState

on_jax = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="Keras moves values on JAX alone"
)


@pytest.fixture(autouse=True)
def interruptible():
    """Programs that a shell starts in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Failing(keras.callbacks.Callback):
    """Fails after the second batch, by an error or by Ctrl-C."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def fail(self, batch, logs=None):
        if batch == 1:
            if self.error is KeyboardInterrupt:
                os.kill(os.getpid(), signal.SIGINT)
            raise self.error("failed")

    on_train_batch_end = on_test_batch_end = on_predict_batch_end = fail


def loops(adapter, callback):
    """Loops over four batches, by name."""
    images, labels, masks = tiny.make_arrays(8, count=2)
    stream = keras_s4t.data.online_stream(images, batch_size=2)
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 2)
    options = {"verbose": 0, "callbacks": [callback]}
    return {
        "fit": lambda: adapter.fit(stream, **options),
        "evaluate": lambda: adapter.evaluate(batches, **options),
        "predict": lambda: adapter.predict(images, batch_size=2, **options),
        "network.predict": lambda: adapter.network.predict(
            images, batch_size=2, **options
        ),
    }


@pytest.fixture(scope="module")
def adapter():
    task_list = tiny.make_tasks(2)
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(task_list), keras_s4t.methods.BatchNormOnly()
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["fit", "evaluate", "predict"])
def test_an_error_in_a_callback_keeps_the_weights(adapter, name, error):
    adapter.reset()
    source = tiny.numpy_values(adapter.network.variables)
    with pytest.raises(error):
        loops(adapter, Failing(error))[name]()
    moved = tiny.moved(adapter.network.variables, source)
    statistics = {id(v) for v in adapter.network.moving_statistics}
    # Those of two batches, and nothing but them.
    assert moved == (statistics if name == "fit" else set())
    values = tiny.numpy_values(adapter.network.variables)
    assert all(np.isfinite(value).all() for value in values)
    adapter.reset()
    assert not tiny.moved(adapter.network.variables, source)
    adapter.predict(tiny.make_arrays(2)[0], verbose=0)


def test_an_error_in_a_callback_of_a_network(adapter):
    before = tiny.numpy_values(adapter.network.variables)
    with pytest.raises(ValueError, match="failed"):
        loops(adapter, Failing(ValueError))["network.predict"]()
    assert not tiny.moved(adapter.network.variables, before)
    assert adapter.network.looping_thread is None


@on_jax
@pytest.mark.parametrize(
    "kind, loop", [("train", "fit"), ("test", "evaluate"), ("predict",) * 2]
)
def test_ctrl_c_waits_for_a_step(adapter, kind, loop, monkeypatch):
    adapter.reset()
    source = tiny.numpy_values(adapter.network.variables)
    getattr(adapter, f"make_{kind}_function")()
    step = getattr(adapter, f"{kind}_function")
    done = []

    def pressed(state, iterator):
        outcome = step(state, iterator)
        os.kill(os.getpid(), signal.SIGINT)
        done.append(True)
        return outcome

    guarded = KeptState._guarded(adapter, pressed)
    monkeypatch.setattr(adapter, f"{kind}_function", guarded)
    with pytest.raises(KeyboardInterrupt):
        loops(adapter, keras.callbacks.Callback())[loop]()
    assert done == [True]
    moved = tiny.moved(adapter.network.variables, source)
    # The step that was waited for counts.
    assert bool(moved) == (loop == "fit")


@on_jax
def test_other_threads_are_told(adapter):
    errors = []

    class Looking(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            def look():
                try:
                    adapter.network(tiny.make_arrays(1)[0])
                except RuntimeError as error:
                    errors.append(str(error))

            thread = threading.Thread(target=look)
            thread.start()
            thread.join()

    loops(adapter, Looking())["predict"]()
    assert len(errors) == 4
    assert "runs in another thread" in errors[0]


def test_ctrl_c_waits_for_the_body():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_later():
        os.kill(os.getpid(), signal.SIGINT)
        done.append(True)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_later():
        os.kill(os.getpid(), signal.SIGINT)
        done.append(1)
        os.kill(os.getpid(), signal.SIGINT)
        done.append(2)
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_handle_no_signals():
    def work():
        with interrupts_later():
            results.append(signal.getsignal(signal.SIGINT))

    results = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [signal.default_int_handler]
