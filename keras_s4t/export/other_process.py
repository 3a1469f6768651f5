"""Export in a process whose backend is TensorFlow."""

import contextlib
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import keras
import numpy as np

from keras_s4t.export import served_model

REQUEST, NETWORK = "request.json", "network.keras"
BATCHES, OUTPUTS = "batches.npz", "outputs.npz"


def write_and_run(network, path, request, batches):
    """As `served_model.write_and_run`, on every backend."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        network.save(folder / NETWORK)
        request = {
            **request,
            "path": os.path.abspath(path),
            "modules": sorted(modules_of(network)),
        }
        (folder / REQUEST).write_text(json.dumps(request))
        np.savez(folder / BATCHES, *batches)
        _run_child(folder)
        outputs = [{} for _ in batches]
        with np.load(folder / OUTPUTS) as arrays:
            for key, array in arrays.items():
                index, _, name = key.partition("/")
                outputs[int(index)][name] = array
    return outputs


def modules_of(network):
    """The modules of registered classes in a network."""
    pending = [keras.saving.serialize_keras_object(network)]
    found = set()
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if value.get("registered_name") and value.get("module"):
                found.add(value["module"])
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value
    return found


def _run_child(folder):
    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        # The classes of the network are found where they are here.
        "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path),
        # This process may hold the memory of all GPUs.
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    # TensorFlow stops at the flags of another XLA.
    environment.pop("XLA_FLAGS", None)
    result = subprocess.run(
        [sys.executable, "-m", __name__, str(folder)],
        capture_output=True,
        text=True,
        env=environment,
    )
    if result.returncode:
        raise RuntimeError(
            "The export in a TensorFlow process failed; nothing was written. "
            "Classes of your own must be in a module that can be imported, not "
            f"in `__main__`. Received: {result.stderr[-2000:]}"
        )


def main(folder):
    """Answers a request of `write_and_run`, in the other process."""
    folder = pathlib.Path(folder)
    request = json.loads((folder / REQUEST).read_text())
    with np.load(folder / BATCHES) as arrays:
        batches = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
    for module in request.pop("modules"):
        # Keras tells which class is missing.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # The parent wrote it: a `Lambda` layer in it is its own.
    network = keras.saving.load_model(
        folder / NETWORK, compile=False, safe_mode=False
    )
    outputs = served_model.write_and_run(
        network, request.pop("path"), request, batches
    )
    np.savez(
        folder / OUTPUTS,
        **{
            f"{i}/{name}": array
            for i, output in enumerate(outputs)
            for name, array in output.items()
        },
    )


if __name__ == "__main__":
    main(sys.argv[1])
