import threading

import keras
import numpy as np
import pytest
import tiny


class Wait(keras.callbacks.Callback):
    """Holds `fit` after a step until it may go on."""

    def __init__(self):
        super().__init__()
        self.stepped, self.may_go_on = threading.Event(), threading.Event()

    def on_train_batch_end(self, batch, logs=None):
        self.stepped.set()
        self.may_go_on.wait(60)


def test_a_prediction_while_fit_runs_in_another_thread():
    images, *_ = tiny.make_arrays(4, count=2)
    adapter = tiny.make_adapter()
    wait = Wait()
    thread = threading.Thread(
        target=lambda: adapter.fit(images, callbacks=[wait], verbose=0)
    )
    thread.start()
    try:
        assert wait.stepped.wait(120)
        if keras.backend.backend() == "jax":
            with pytest.raises(RuntimeError, match="variables are empty"):
                adapter.network(images)
        else:
            outputs = adapter.network(images)
            assert set(outputs) == {"semseg", "depth"}
    finally:
        wait.may_go_on.set()
        thread.join()
    values = adapter.network(images)["depth"]
    assert np.isfinite(keras.ops.convert_to_numpy(values)).all()
