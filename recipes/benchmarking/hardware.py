"""What the machine is, how fast it is now, and how much memory was taken."""

import functools
import pathlib
import platform
import resource
import statistics
import sys
import time

import keras
import numpy as np
from keras import ops


def processor_name():
    """The name of the CPU."""
    path = pathlib.Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def device_name():
    """The name of the GPU that the backend computes on, or of the CPU."""
    return _gpu_name() or processor_name()


def _gpu_name():
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        return device.device_kind if device.platform != "cpu" else None
    if backend == "torch":
        import torch

        available = torch.cuda.is_available()
        return torch.cuda.get_device_name() if available else None
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    return tf.config.experimental.get_device_details(gpus[0])["device_name"]


def peak_memory():
    """The most bytes so far: of the GPU in use, else of the whole process."""
    backend = keras.backend.backend()
    if not _gpu_name():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    if backend == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"]
    if backend == "torch":
        import torch

        return torch.cuda.max_memory_allocated()
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def wait_for(values):
    """Waits until the device has finished what variables or tensors hold."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        jax.block_until_ready([getattr(x, "value", x) for x in values])
    elif backend == "torch":
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
    else:
        import tensorflow as tf

        tf.test.experimental.sync_devices()


def product_rate(dtype):
    """Speed of a large matrix product at this moment.

    Args:
        dtype: dtype of the matrices.

    Returns:
        Floating point operations per second, the median of three.
    """
    # Large enough for the time not to be that of starting it.
    length = 8192 if _gpu_name() else 2048
    matrix = _matrix(length, dtype)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        # A single number, since reading it waits for the product.
        float(ops.matmul(matrix, matrix)[0, 0])
        seconds.append(time.perf_counter() - start)
    return 2 * length**3 / statistics.median(seconds)


@functools.cache
def _matrix(length, dtype):
    matrix = np.random.default_rng(0).random((length, length), "float32")
    return ops.cast(matrix, dtype)
