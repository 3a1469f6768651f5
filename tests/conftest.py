"""Keras first: importing TensorFlow before it breaks the PyTorch backend."""

import gc
import importlib.metadata
import os

if os.environ.get("KERAS_BACKEND") == "jax":
    # Compilation takes most of the time, and half of it is optimization that
    # changes no result that is tested. XLA stops at flags that it does not
    # know, which come and go with its versions.
    if importlib.metadata.version("jax").startswith("0.10."):
        os.environ["XLA_FLAGS"] = " ".join(
            [
                os.environ.get("XLA_FLAGS", ""),
                "--xla_backend_optimization_level=0",
                "--xla_llvm_disable_expensive_passes=true",
                "--xla_cpu_use_fusion_emitters=false",
            ]
        )
    # In the environment, for the processes that tests start, too.
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import pytest  # noqa: E402

# No backend has a part in these.
OF_NO_BACKEND = [
    "architecture_test.py",
    "curves/*",
    "plots/adaptation_curves_test.py",
    "plots/intervals_test.py",
    "plots/lines_test.py",
    "plots/matrices_test.py",
    "plots/save_figure_test.py",
    "plots/synchronization_test.py",
]
collect_ignore_glob = []


def pytest_configure(config):
    """Prepares the libraries, except where other processes test."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if getattr(config.option, "tx", None) and not is_worker:
        return
    # Before a test imports TensorFlow.
    import keras

    backend = keras.backend.backend()
    if backend != "torch":
        collect_ignore_glob.extend(OF_NO_BACKEND)
    if backend == "tensorflow":
        import tensorflow as tf

        # Optimizing a graph takes longer than these tests compute with it.
        tf.config.optimizer.set_experimental_options(
            {"disable_meta_optimizer": True}
        )
    if backend == "torch" and is_worker:
        import torch

        # Threads of one process wait for each other, and other processes have
        # the cores meanwhile.
        torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    """Slow tests first: no process waits for another one at the end."""
    import keras

    if keras.backend.backend() != "torch":
        skip = pytest.mark.skip(reason="PyTorch need not compile")
        for item in items:
            if item.get_closest_marker("eager"):
                item.add_marker(skip)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish():
    """Garbage is looked for among what tests make, not in all libraries."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def seeds():
    """Every test starts from the same seeds and leaves no state behind."""
    import keras

    keras.utils.set_random_seed(0)
    yield
    keras.utils.clear_session(free_memory=False)
