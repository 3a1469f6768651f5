import os
import subprocess
import sys

import keras
import pytest

# In a process of its own: TensorFlow's devices are fixed at their first use.
SCRIPT = """
import keras
import tensorflow as tf
from keras_s4t.data.pipeline.devices import keep_tensorflow_off_gpus

used_before = {used_before}
if used_before:
    tf.constant(0.0)
before = tf.config.get_visible_devices()
keep_tensorflow_off_gpus()
tf.constant(0.0)
after = tf.config.get_visible_devices()
if used_before or keras.backend.backend() == "tensorflow":
    assert after == before, (before, after)
else:
    kept = [device for device in before if device.device_type != "GPU"]
    assert after == kept != [], (before, after)
"""


@pytest.mark.parametrize(
    "used_before", [False, pytest.param(True, marks=pytest.mark.eager)]
)
def test_gpus_are_left_to_the_backend(used_before):
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(used_before=used_before)],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
