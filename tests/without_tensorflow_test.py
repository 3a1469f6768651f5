"""The core adapts on JAX and PyTorch where TensorFlow is not installed."""

import os
import subprocess
import sys

import keras
import pytest

SCRIPT = """
import sys
from importlib.machinery import PathFinder

MISSING = ("tensorflow", "tensorflow_datasets", "tensorflow_text")


class WithoutTensorFlow(PathFinder):
    # Finds nothing, so that `import` raises ModuleNotFoundError. Raising it
    # here would break libraries that only look with `find_spec`.
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in MISSING:
            return None
        return super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTensorFlow
for name in MISSING:
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(f"{name} can be imported")

import keras
import numpy as np
import keras_s4t
from keras_s4t import callbacks, data, tasks

task_list = [tasks.semseg(3), tasks.depth()]
rooms = data.SynthRooms("test", size=32, num_examples=4)
arrays = rooms.arrays(verbose=0)
arrays["semseg"] = np.minimum(arrays["semseg"], 2)
examples = data.examples_from_arrays(arrays, ["semseg", "depth"])
batches = data.ArrayBatches(examples, 2)
methods = [
    keras_s4t.methods.S4T(
        task_list,
        latent_dim=4,
        synchronizer=dict(
            image_size=8, patch_size=2, num_layers=1, hidden_dim=8
        ),
    )
]
if keras.backend.backend() == "torch":
    # JAX compiles another method elsewhere.
    methods.append(
        keras_s4t.methods.TTTPlusPlus(projection_dim=4, queue_size=8)
    )
for method in methods:
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet_tiny(), task_list
    )
    method.mark_done("training")
    adapter = keras_s4t.TargetAdapter(network, method)
    if "statistics" in method.needs_source:
        adapter.collect(batches, verbose=0)
    adapter.compile()
    curve = callbacks.AdaptationCurve(batches, every=2)
    stream = data.online_stream(examples[0], steps=1, batch_size=2)
    adapter.fit(stream, callbacks=[curve], verbose=0)
    assert curve.steps == [0, 2]
    print(f"{type(method).__name__} adapted without TensorFlow")
assert not set(MISSING) & {name.split(".")[0] for name in sys.modules}
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
    assert "S4T adapted without TensorFlow" in result.stdout


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
