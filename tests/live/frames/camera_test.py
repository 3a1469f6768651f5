import sys
import types

import numpy as np
import pytest

from keras_s4t.live import read_frames

pytestmark = pytest.mark.eager


class Camera:
    """A capture object of OpenCV, with the frames of a list.

    An exception in the list is raised.
    """

    def __init__(self, frames):
        self.frames = list(frames)
        self.is_released = False

    def read(self):
        if not self.frames:
            return False, None
        frame = self.frames.pop(0)
        if isinstance(frame, Exception):
            raise frame
        return True, frame

    def release(self):
        self.is_released = True


@pytest.fixture
def plug_in(monkeypatch):
    """Replaces OpenCV, and camera 2 by one with given frames."""

    class Error(Exception):
        pass

    def plug_in(frames, failure=None):
        camera = Camera([*frames, *([Error(failure)] if failure else [])])
        cv2 = types.ModuleType("cv2")
        cv2.error = Error
        cv2.VideoCapture = {2: camera}.__getitem__
        monkeypatch.setitem(sys.modules, "cv2", cv2)
        return camera

    return plug_in


def make_frames(count):
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 256, (count, 4, 6, 3), dtype="uint8"))


def test_frames_are_rgb_with_a_clock(plug_in, monkeypatch):
    frames = make_frames(3)
    plug_in(frames)
    times = iter([100.0, 100.5, 101.25])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    stream = read_frames(2)
    received = [next(stream) for _ in range(3)]
    assert [frame.timestamp for frame in received] == [0, 0.5, 1.25]
    assert [frame.name for frame in received] == ["0", "1", "2"]
    for frame, bgr in zip(received, frames, strict=True):
        assert frame.image.flags["C_CONTIGUOUS"]
        for i in range(3):
            np.testing.assert_array_equal(frame.image[..., i], bgr[..., 2 - i])


@pytest.mark.parametrize("failure", [None, "cable pulled"])
def test_a_camera_that_drops_ends_with_a_warning(plug_in, failure):
    camera = plug_in(make_frames(3), failure)
    match = "Camera 2 gave no further frame after 3 frames"
    with pytest.warns(UserWarning, match=match) as caught:
        assert len(list(read_frames(np.int64(2)))) == 3
    assert (failure or "") in str(caught[0].message)
    assert camera.is_released


@pytest.mark.parametrize("failure", [None, "busy"])
def test_a_camera_that_does_not_open(plug_in, failure):
    camera = plug_in([], failure)
    match = f"index of a camera.*source=2.*{failure or ''}"
    with pytest.raises(ValueError, match=match):
        read_frames(2)
    assert camera.is_released


def test_closing_releases_the_camera(plug_in):
    camera = plug_in(make_frames(3))
    frames = read_frames(2)
    next(frames)
    assert not camera.is_released
    frames.close()
    assert camera.is_released


def test_a_camera_that_is_not_asked_is_released(plug_in):
    camera = plug_in(make_frames(3))
    frames = read_frames(2)
    del frames
    assert camera.is_released


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-s4t\[camera\]'"):
        read_frames(0)
