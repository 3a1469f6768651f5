import numpy as np
import pytest

from keras_s4t.live import Frame
from keras_s4t.live import read_frames

pytestmark = pytest.mark.eager


def test_arrays_are_passed_on_as_they_are():
    arrays = [
        np.zeros((4, 6, 3), "uint8"),
        np.full((4, 6, 3), np.nan, "float32"),
        np.zeros((8, 8, 3), "uint8"),
        np.zeros((4, 6), "uint8"),
    ]
    frames = list(read_frames(iter(arrays)))
    assert [frame.name for frame in frames] == ["0", "1", "2", "3"]
    for frame, array in zip(frames, arrays, strict=True):
        assert frame.image is array and frame.timestamp is None


def test_one_array_of_all_frames():
    array = np.arange(2 * 4 * 6 * 3, dtype="uint8").reshape(2, 4, 6, 3)
    first, second = read_frames(array)
    np.testing.assert_array_equal(first.image, array[0])
    np.testing.assert_array_equal(second.image, array[1])


def test_a_single_image_in_a_list():
    image = np.zeros((4, 6, 3), "uint8")
    (frame,) = read_frames([image])
    assert frame.image is image


def test_frames_are_passed_on():
    frame = Frame(np.zeros((4, 6, 3), "uint8"), 2.5, "left/7.png")
    (received,) = read_frames([frame])
    assert received is frame


def test_no_more_than_one_frame_is_taken_in_advance():
    taken = []

    def arrays():
        for i in range(3):
            taken.append(i)
            yield np.zeros((4, 6, 3), "uint8")

    frames = read_frames(arrays())
    assert taken == [0]
    next(frames)
    assert taken == [0]
    next(frames)
    assert taken == [0, 1]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere/video.mp4", "a file that is there.*'nowhere/video.mp4'"),
        (-1, "must not be negative.*source=-1"),
        (True, "iterable of arrays.*type bool"),
        (None, "iterable of arrays.*type NoneType"),
        (0.5, "iterable of arrays.*type float"),
        ({"image": np.zeros((4, 6, 3))}, "iterable of arrays.*type dict"),
        ([], "at least one frame.*list without any"),
        (["a.png"], "frame 0 of type str"),
        ([np.zeros(3)], r"frame 0 .* shape \(3,\)"),
        (np.zeros((20, 24, 3)), r"image in a list.*shape \(20, 24, 3\)"),
        (np.zeros((20, 24)), r"image in a list.*shape \(20, 24\)"),
        (np.zeros((4, 2, 6, 6, 3)), r"frame 0 .* shape \(2, 6, 6, 3\)"),
    ],
)
def test_what_is_no_source(source, message):
    with pytest.raises(ValueError, match=message):
        read_frames(source)
