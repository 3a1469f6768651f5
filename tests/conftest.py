"""Keras first: importing TensorFlow before it breaks the PyTorch backend."""

import keras
import pytest

if keras.backend.backend() == "jax":
    import jax

    # They take most of the time, and change no result that is tested.
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(autouse=True)
def seeds():
    """Every test starts from the same seeds and leaves no state behind."""
    keras.utils.set_random_seed(0)
    yield
    keras.utils.clear_session(free_memory=False)
