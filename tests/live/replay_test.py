"""The method that stores source images, on a live stream."""

import keras
import numpy as np
import pytest
import tiny
from tiny_live import collect
from tiny_live import make_frames
from tiny_live import make_live

import keras_s4t
from keras_s4t.live import LiveAdapter
from keras_s4t.methods import ReplayS4T

pytestmark = pytest.mark.eager


@pytest.fixture
def live():
    task_list = tiny.make_tasks(2)
    s4t = tiny.make_s4t(task_list)
    network = tiny.make_network(task_list)
    tiny.fill(keras_s4t.TargetAdapter(network, s4t))
    method = ReplayS4T.from_trained(
        s4t, image_size=tiny.SIZE, memory_size=4, replay_batch_size=2, seed=0
    )
    adapter = keras_s4t.TargetAdapter(network, method)
    source = tiny.make_arrays(8, seed=5, count=2)
    adapter.collect(keras_s4t.data.ArrayBatches(source, 4), verbose=0)
    adapter.compile(keras.optimizers.SGD(1e-3), averages=["flip"])
    return make_live(adapter)


def test_windows_are_adapted_to_and_left_again(live):
    adapter = live.adapter
    source = tiny.numpy_values(adapter.variables)
    for frame in make_frames(8):
        values = live(frame)
        assert all(np.isfinite(value).all() for value in values.values())
    assert live.report()["actions"]["adapted"] == 3
    moved = tiny.moved(adapter.variables, source)
    assert {id(v) for v in adapter.network.trainable_variables} <= moved
    assert not {id(v) for v in adapter.method.memory.variables} & moved
    live.reset()
    assert not tiny.moved(adapter.variables, source)


def test_it_goes_on_from_a_saved_state(live, tmp_path):
    collect(live)
    frames = make_frames(10)
    for frame in frames[:6]:
        live(frame)
    live.save(tmp_path)
    other = LiveAdapter.load(tmp_path)
    for frame in frames[6:]:
        expected, received = live(frame), other(frame)
        for name, value in expected.items():
            np.testing.assert_array_equal(received[name], value)
    for one, two in zip(
        tiny.numpy_values(live.adapter.variables),
        tiny.numpy_values(other.adapter.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
