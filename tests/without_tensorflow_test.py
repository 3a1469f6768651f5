"""The core imports and adapts without TensorFlow on JAX and PyTorch."""

import os
import subprocess
import sys

import keras
import pytest

SCRIPT = """
import sys
for name in ("tensorflow", "tensorflow_datasets", "tensorflow_text"):
    sys.modules[name] = None  # as if it were not installed
import keras
import numpy as np
import keras_s4t
from keras_s4t import callbacks, data, tasks

task_list = [tasks.semseg(3), tasks.depth()]
rooms = data.SynthRooms("test", size=32, num_examples=4)
arrays = rooms.arrays(progress=False)
arrays["semseg"] = np.minimum(arrays["semseg"], 2)
examples = data.examples_from_arrays(arrays, ["semseg", "depth"])
network = keras_s4t.models.MultiTaskModel(
    keras_s4t.models.resnet_tiny(), task_list
)
method = keras_s4t.methods.S4T(
    task_list,
    latent_dim=4,
    synchronizer=dict(image_size=8, patch_size=2, num_layers=1, hidden_dim=8),
)
method.mark_done("training")
adapter = keras_s4t.TargetAdapter(network, method)
adapter.compile()
curve = callbacks.AdaptationCurve(data.ArrayBatches(examples, 2), every=2)
stream = data.online_stream(examples[0], steps=1, batch_size=2)
adapter.fit(stream, callbacks=[curve], verbose=0)
assert curve.steps == [0, 2]
assert sys.modules["tensorflow"] is None
print("adapted without TensorFlow")
"""


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow",
    reason="TensorFlow is the backend",
)
def test_adapts_without_tensorflow():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "adapted without TensorFlow" in result.stdout


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="two LLVMs meet under PyTorch"
)
def test_tensorflow_first_is_refused_under_pytorch():
    script = (
        "import sys; sys.modules['tensorflow'] = object(); import keras_s4t"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "torch"},
        timeout=300,
    )
    assert result.returncode == 1
    assert "Keras must be imported before TensorFlow" in result.stderr
