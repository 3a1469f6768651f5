"""Frames as they come: windows, formats, history, and the thread."""

import threading

import numpy as np
import pytest

from keras_s4t.live.frame_format import FrameFormat
from keras_s4t.live.history import History
from keras_s4t.live.window import Window
from keras_s4t.live.worker import Worker

pytestmark = pytest.mark.eager


def make_frames(count, size=(4, 6), channels=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *size, channels)).astype("uint8")


def test_window_keeps_the_last_frames():
    window, frames = Window(3), make_frames(5)
    assert not window.is_full
    window.push(frames[0])
    np.testing.assert_array_equal(window.batch(), frames[[0, 0, 0]])
    window.push(frames[1])
    np.testing.assert_array_equal(window.batch(), frames[[0, 1, 0]])
    for frame in frames[2:]:
        assert window.push(frame) is None
    assert window.is_full
    np.testing.assert_array_equal(window.batch(), frames[2:])


def test_faults():
    window, (one, other) = Window(2), make_frames(2).astype("float32")
    assert window.push(one) is None
    assert window.push(one.copy()) == "frozen"
    other[0, 0, 0] = np.inf
    assert window.push(other) == "not finite"
    # As the frame before the broken one.
    assert window.push(one) is None
    assert window.push(np.full_like(one, 200)) == "blank"
    dark = np.full_like(one, 3)
    dark[0, 0] = 11
    assert window.push(dark) is None


def test_padding_and_cropping():
    frame_format = FrameFormat(3, 8, None, "refuse")
    (frame,) = images = make_frames(1, (5, 9))
    np.testing.assert_array_equal(frame_format.images(frame), images)
    padded = frame_format.padded(images)
    assert padded.shape == (1, 8, 16, 3)
    np.testing.assert_array_equal(padded[:, :5, :9], images)
    np.testing.assert_array_equal(padded[0, 7, 15], frame[4, 8])
    values = {"depth": padded[..., :1], "semseg": padded[..., 0]}
    cropped = frame_format.cropped(values)
    np.testing.assert_array_equal(cropped["semseg"], images[..., 0])
    assert cropped["depth"].shape == (1, 5, 9, 1)
    exact = make_frames(1, (8, 16))
    assert FrameFormat(3, 8, None, "refuse").padded(exact) is exact


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [3, 4])
def test_rescaling_keeps_channels_apart(dtype, channels):
    frame_format = FrameFormat(channels, 1, (4, 4), "refuse")
    frame = np.zeros((8, 8, channels), dtype)
    frame[..., channels - 1] = 10
    frame[:4, :, 0] = 200
    (received,) = frame_format.images(frame)
    assert received.shape == (4, 4, channels)
    assert np.all(received[..., channels - 1] == 10)
    np.testing.assert_array_equal(received[[0, 3], 0, 0], [200, 0])


def test_history_keeps_the_last_frames():
    history = History(2)
    for i in range(4):
        history.add(i, np.zeros(1), None if i == 2 else {}, "source")
    assert history.get(3)[2] == "source"
    with pytest.raises(ValueError, match="that was predicted"):
        history.get(2)
    with pytest.raises(ValueError, match="kept: 2 ... 3"):
        history.get(1)
    with pytest.raises(ValueError, match="kept: none"):
        History(1).get(0)


def test_worker_does_one_job_at_a_time():
    done, may_go = [], threading.Event()

    def work(job):
        may_go.wait(10)
        done.append((job, threading.current_thread().name))

    worker = Worker(work, "test")
    assert worker.offer(1)
    assert not worker.offer(2)
    may_go.set()
    worker.wait()
    assert worker.offer(3)
    worker.close()
    assert done == [(1, "test"), (3, "test")]
    assert not worker.offer(4)


def test_worker_keeps_its_error():
    def fail(job):
        raise OSError(job)

    worker = Worker(fail, "test")
    assert worker.offer("full")
    worker.wait()
    assert str(worker.error) == "full"
    assert not worker.offer("again")
    worker.close()
