"""A frame has the colors of a photograph of the same picture."""

import numpy as np
import pytest
import videos

from keras_s4t.live import read_frames

av = pytest.importorskip("av")
pytestmark = pytest.mark.eager

FORMATS = {
    "yuv420p": ((2, 2), 8),
    "yuv422p": ((1, 2), 8),
    "yuv444p": ((1, 1), 8),
    "yuv420p10le": ((2, 2), 10),
}


def read_back(path, arrays, pixels, **tags):
    """The frame of a lossless video with given planes."""
    videos.write(path, [videos.frame_of(arrays, pixels)], **tags)
    (frame,) = read_frames(path)
    assert frame.image.dtype == "uint8"
    assert frame.image.shape == (*arrays[0].shape, 3)
    return frame.image.astype(float)


@pytest.mark.parametrize("size", [(120, 160), (121, 163), (120, 163), (97, 64)])
@pytest.mark.parametrize(
    ("matrix", "is_full", "pixels"),
    [
        ("601", False, "yuv420p"),
        ("601", True, "yuv420p"),
        ("709", False, "yuv420p"),
        ("709", True, "yuv420p"),
        ("709", False, "yuv422p"),
        ("601", True, "yuv422p"),
        ("601", False, "yuv444p"),
        ("709", True, "yuv444p"),
        ("709", False, "yuv420p10le"),
        ("2020", False, "yuv420p10le"),
    ],
)
def test_a_lossless_video_of_a_photograph(
    tmp_path, matrix, is_full, pixels, size
):
    image = videos.photograph(*size)
    form = (matrix, is_full, *FORMATS[pixels])
    arrays = videos.planes(image, *form)
    received = read_back(
        tmp_path / "video.mkv",
        arrays,
        pixels,
        colorspace=videos.TAGS[matrix],
        color_range=2 if is_full else 1,
    )
    means = (received - image).mean((0, 1))
    assert np.abs(means).max() < 0.2, means
    # Chroma is interpolated, and in its place.
    assert np.abs(received - videos.image_of(arrays, *form)).max() < 2


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((720, 1280), "709"),
        ((1280, 720), "709"),
        ((576, 720), "601"),
        ((480, 640), "601"),
    ],
)
def test_the_matrix_without_a_tag(tmp_path, size, matrix):
    image = np.full((*size, 3), (255, 30, 20), "uint8")
    arrays = videos.planes(image, matrix)
    received = read_back(tmp_path / "video.mkv", arrays, "yuv420p")
    assert np.abs(received - image).max() <= 2


def test_a_tag_has_priority(tmp_path):
    image = np.full((720, 1280, 3), (255, 30, 20), "uint8")
    received = read_back(
        tmp_path / "video.mkv", videos.planes(image), "yuv420p", colorspace=6
    )
    assert np.abs(received - image).max() <= 2


@pytest.mark.parametrize(("tag", "is_limited"), [(0, False), (1, True)])
def test_gray(tmp_path, tag, is_limited):
    gray = videos.photograph()[..., 0].clip(16, 235)
    path = tmp_path / "video.mkv"
    videos.write(path, [videos.frame_of([gray], "gray")], color_range=tag)
    (frame,) = read_frames(path)
    expected = (gray.astype(float) - 16) * 255 / 219 if is_limited else gray
    for i in range(3):
        assert np.abs(frame.image[..., i] - expected).max() <= 0.5


def test_rgb_is_unchanged(tmp_path):
    image = videos.photograph(61, 83)
    transparent = np.dstack([image, image[..., 0]])
    frame = av.VideoFrame.from_ndarray(transparent, "rgba")
    videos.write(tmp_path / "video.mov", [frame], codec="png")
    (frame,) = read_frames(tmp_path / "video.mov")
    np.testing.assert_array_equal(frame.image, image)
