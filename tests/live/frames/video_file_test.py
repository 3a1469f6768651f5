import re
import struct
import sys
import warnings

import numpy as np
import pytest
import videos

from keras_s4t.live import read_frames

av = pytest.importorskip("av")
pytestmark = pytest.mark.eager


def damage(path, share=0.5, length=3000):
    """Overwrites bytes in the middle of a file."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * share)
    data[start : start + length] = bytes(length)
    path.write_bytes(data)


def cut(path, length):
    """Keeps the beginning of a file."""
    path.write_bytes(path.read_bytes()[:length])


def test_frames_and_names(tmp_path):
    images = videos.write_photographs(tmp_path / "video.mkv", 3)
    frames = list(read_frames(str(tmp_path / "video.mkv")))
    assert [frame.name for frame in frames] == ["0", "1", "2"]
    for frame, image in zip(frames, images, strict=True):
        assert frame.image.flags["C_CONTIGUOUS"]
        assert np.abs(frame.image.astype(float) - image).mean() < 4.3


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_rates_keep_their_timestamps(tmp_path, suffix):
    path = tmp_path / f"video.{suffix}"
    # A gap of 18 frames in the middle, which is filled with no copy.
    ticks = [0, 33, 70, 81, 600, 633, 1200]
    videos.write_photographs(
        path, 7, codec="libx264", ticks=ticks, ticks_per_second=1000
    )
    received = [frame.timestamp for frame in read_frames(path)]
    np.testing.assert_allclose(received, np.array(ticks) / 1000, atol=1e-6)


def test_files_without_timestamps(tmp_path):
    path = tmp_path / "video.h264"
    videos.write_photographs(path, 3, codec="libx264")
    assert [frame.timestamp for frame in read_frames(path)] == [None] * 3


@pytest.fixture
def cut_video(tmp_path):
    """A video with 20 frames in its header, and its pictures.

    Of the ninth frame there is as much as asked for.
    """

    def cut_video(share):
        path = tmp_path / "video.avi"
        images = videos.write_photographs(
            path, 20, pixels="yuvj420p", codec="mjpeg"
        )
        with av.open(path) as container:
            packets = list(container.demux(video=0))
        # `pos` is that of the packet's header, of 8 bytes.
        ninth = packets[8]
        cut(path, ninth.pos + round(share * (8 + ninth.size)))
        with av.open(path) as container:
            assert container.streams.video[0].frames == 20
        return path, images

    return cut_video


def test_frames_that_only_the_header_counts(cut_video):
    path, images = cut_video(0)
    # Warnings are errors here.
    frames = list(read_frames(path))
    assert len(frames) == 8
    for frame, image in zip(frames, images[:8], strict=True):
        assert np.abs(frame.image.astype(float) - image).mean() < 10


def test_half_a_frame_is_left_out(cut_video):
    path, _ = cut_video(0.5)
    with pytest.warns(UserWarning, match="8 frames came. 1 corrupt"):
        assert len(list(read_frames(path))) == 8


def test_a_damaged_file_ends_with_a_warning(tmp_path):
    path = tmp_path / "video.mp4"
    videos.write_photographs(path, 30, codec="libx264", options={"g": "10"})
    damage(path)
    with pytest.warns(UserWarning, match="video.mp4 is damaged") as caught:
        frames = list(read_frames(path))
    (warning,) = caught
    assert 5 < len(frames) < 25
    assert f" {len(frames)} frames came" in str(warning.message)
    assert "cannot be decoded" in str(warning.message)
    # It is named where the frames are asked for.
    assert warning.filename == __file__


def test_corrupt_frames_are_left_out(tmp_path):
    path = tmp_path / "video.ts"
    images = videos.write_photographs(
        path, 30, codec="libx264", options={"g": "10", "bf": "0"}
    )
    damage(path)
    with pytest.warns(UserWarning, match="video.ts is damaged") as caught:
        frames = list(read_frames(path))
    (warning,) = caught
    count, num_corrupt = re.findall(r" (\d+) [fc]", str(warning.message))
    assert int(count) == len(frames) >= 20 and int(num_corrupt) >= 1
    # What came is whole: each is one of the pictures. What follows a corrupt
    # frame up to the next key frame is not.
    for frame in frames:
        errors = [np.abs(frame.image.astype(float) - x).mean() for x in images]
        assert min(errors) < 10


def test_a_damaged_beginning(tmp_path):
    path = tmp_path / "video.mp4"
    videos.write_photographs(path, 5, codec="libx264")
    cut(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match="video.mp4 cannot be read"):
        read_frames(path)


@pytest.mark.parametrize("content", [b"", b"no video", b"lines\n" * 200])
@pytest.mark.parametrize("suffix", ["mp4", "txt", "dat"])
def test_files_that_are_no_video(tmp_path, content, suffix):
    path = tmp_path / f"file.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"file.{suffix} (must|cannot)"):
        read_frames(path)


def write_sound(path):
    """An audio file, with a picture of its cover if it is an MP4."""
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", 44100)
        cover = container.add_stream("png", 1)
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(videos.photograph(), "rgb24")
        cover.width, cover.height, cover.pix_fmt = 160, 120, "rgb24"
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), "float32"), "fltp", "mono"
        )
        sound.rate = 44100
        for packets in (
            cover.encode(picture),
            cover.encode(None),
            stream.encode(sound),
            stream.encode(None),
        ):
            container.mux(packets)


def test_sound_with_a_cover_is_no_video(tmp_path):
    path = tmp_path / "sound.mp4"
    write_sound(path)
    with av.open(path) as container:
        assert container.streams.video
    with pytest.raises(ValueError, match="sound.mp4 must have a video stream"):
        read_frames(path)


@pytest.mark.parametrize(
    ("matrix", "quarters"),
    [
        # A display matrix turns x to the right and y down.
        ((0, 1, -1, 0), 3),
        ((-1, 0, 0, -1), 2),
        ((0, -1, 1, 0), 1),
        ((1, 0, 0, 1), 0),
    ],
)
def test_frames_are_turned_as_the_file_says(tmp_path, matrix, quarters):
    path = tmp_path / "video.mp4"
    (image,) = videos.write_photographs(path, 1, codec="libx264")
    data = bytearray(path.read_bytes())
    # Version and flags, five times, and layer, group and volume.
    start = data.index(b"tkhd") + 4 + 4 + 5 * 4 + 8 + 8
    a, b, c, d = (x << 16 for x in matrix)
    data[start : start + 36] = struct.pack(
        ">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)
    (frame,) = read_frames(path)
    expected = np.rot90(image, quarters)
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(float) - expected).mean() < 10


def test_high_dynamic_range_is_said_once(tmp_path):
    videos.write_photographs(tmp_path / "video.mkv", 3, color_trc=18)
    with pytest.warns(UserWarning, match="dynamic range .HLG.") as caught:
        frames = list(read_frames(tmp_path / "video.mkv"))
    assert len(frames) == 3 and len(caught) == 1


def test_closing_ends_the_frames(tmp_path):
    videos.write_photographs(tmp_path / "video.mkv", 3)
    frames = read_frames(tmp_path / "video.mkv")
    next(frames)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames.close()
    assert list(frames) == []


def test_the_missing_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "video.mp4").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-s4t\[video\]'"):
        read_frames(tmp_path / "video.mp4")
