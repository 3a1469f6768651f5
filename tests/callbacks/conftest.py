import functools

import pytest
import tiny

import keras_s4t


@functools.cache
def shared_adapter():
    task_list = tiny.make_tasks(2)
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(task_list), keras_s4t.methods.BatchNormOnly()
    )
    tiny.fill(adapter)
    adapter.compile("sgd")
    return adapter


@pytest.fixture
def adapter():
    """One adapter for all tests, since compilation takes most of the time."""
    adapter = shared_adapter()
    adapter.reset()
    return adapter
