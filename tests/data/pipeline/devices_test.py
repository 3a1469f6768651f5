import keras
import pytest

from keras_s4t.data.pipeline.devices import keep_tensorflow_off_gpus


@pytest.mark.parametrize("error", [None, RuntimeError("already in use")])
def test_other_backends_have_the_gpus_for_themselves(monkeypatch, error):
    import tensorflow as tf

    calls = []

    def set_visible_devices(*arguments):
        calls.append(arguments)
        if error is not None:
            raise error

    monkeypatch.setattr(tf.config, "set_visible_devices", set_visible_devices)
    keep_tensorflow_off_gpus()
    alone = keras.backend.backend() == "tensorflow"
    assert calls == ([] if alone else [([], "GPU")])
