"""Keras first: importing TensorFlow before it breaks the PyTorch backend."""

import keras
import pytest


@pytest.fixture(autouse=True)
def seeds():
    """Every test starts from the same seeds and leaves no state behind."""
    keras.utils.set_random_seed(0)
    yield
    keras.utils.clear_session(free_memory=False)
