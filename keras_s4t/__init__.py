"""Test-time training for several dense vision tasks at once, in Keras 3."""

import os
import sys

from keras_s4t.processor import enable_onednn

if (
    os.environ.get("KERAS_BACKEND") == "torch"
    and "tensorflow" in sys.modules
    and "torch" not in sys.modules
):
    # Both bring an LLVM; loading PyTorch's second can abort the process.
    raise ImportError(
        "With KERAS_BACKEND=torch, Keras must be imported before TensorFlow: "
        "put `import keras` or `import keras_s4t` before `import tensorflow`."
    )

# Before Keras, which imports TensorFlow where that is the backend.
enable_onednn()

import keras  # noqa: F401  Before anything that could import TensorFlow.

from keras_s4t import callbacks
from keras_s4t import curves
from keras_s4t import data
from keras_s4t import layers
from keras_s4t import live
from keras_s4t import losses
from keras_s4t import methods
from keras_s4t import metrics
from keras_s4t import models
from keras_s4t import optimizers
from keras_s4t import plots
from keras_s4t import tasks
from keras_s4t.training import SourceTrainer
from keras_s4t.training import TargetAdapter
from keras_s4t.version import __version__

__all__ = [
    "SourceTrainer",
    "TargetAdapter",
    "__version__",
    "callbacks",
    "curves",
    "data",
    "layers",
    "live",
    "losses",
    "methods",
    "metrics",
    "models",
    "optimizers",
    "plots",
    "tasks",
]
