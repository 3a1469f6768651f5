import numpy as np
import pytest
import videos

from keras_s4t.live import VideoWriter
from keras_s4t.live import read_frames
from keras_s4t.live.frames import video_writer

av = pytest.importorskip("av")
pytestmark = pytest.mark.eager


def stream_of(path):
    with av.open(path) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        return {
            "codec": stream.codec_context.name,
            "format": frame.format.name,
            "colors": (frame.colorspace, frame.color_range),
            "seconds": float(stream.duration * stream.time_base),
        }


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
@pytest.mark.parametrize(
    ("size", "tag"), [((120, 160), 6), ((121, 163), 6), ((720, 1280), 1)]
)
def test_what_is_written_is_read(tmp_path, monkeypatch, codec, size, tag):
    if codec == "mpeg4":
        encoders = {"missing": {}, "mpeg4": video_writer.ENCODERS["mpeg4"]}
        monkeypatch.setattr(video_writer, "ENCODERS", encoders)
    path = tmp_path / "new" / "video.mp4"
    images = [videos.photograph(*size, seed=i) for i in range(2)]
    with VideoWriter(path, 25) as video:
        for image in images:
            video.write(image)
    received = list(read_frames(path))
    assert [frame.timestamp for frame in received] == [0, 0.04]
    for frame, image in zip(received, images, strict=True):
        padded = [side + side % 2 for side in size]
        assert frame.image.shape == (*padded, 3)
        error = frame.image[: size[0], : size[1]].astype(float) - image
        assert np.abs(error.mean((0, 1))).max() < 0.5
        assert np.abs(error).mean() < 6
    assert stream_of(path) == {
        "codec": codec,
        "format": "yuv420p",
        "colors": (tag, 1),
        "seconds": 0.08,
    }


def test_odd_sizes_repeat_the_last_pixels(tmp_path):
    image = np.full((15, 17, 3), (200, 90, 40), "uint8")
    with VideoWriter(tmp_path / "video.mp4", 25) as video:
        video.write(image)
    (frame,) = read_frames(tmp_path / "video.mp4")
    assert np.abs(frame.image.astype(float) - image[0, 0]).max() <= 4


def test_timestamps_are_kept(tmp_path):
    path = tmp_path / "video.mp4"
    timestamps = [1000.0, 1000.1, 1000.15, None, 1000.9]
    with VideoWriter(path, 20) as video:
        for i, timestamp in enumerate(timestamps):
            video.write(videos.photograph(seed=i), timestamp)
    received = [frame.timestamp for frame in read_frames(path)]
    expected = [0, 0.1, 0.15, 0.2, 0.9]
    np.testing.assert_allclose(received, expected, atol=1e-4)
    # The last frame is shown for 1 / 20 second.
    assert abs(stream_of(path)["seconds"] - 0.95) < 1e-3


def test_timestamps_after_frames_without_any(tmp_path):
    path = tmp_path / "video.mp4"
    with VideoWriter(path, 10) as video:
        for timestamp in (None, None, 70.0, 70.5):
            video.write(videos.photograph(), timestamp)
    received = [frame.timestamp for frame in read_frames(path)]
    np.testing.assert_allclose(received, [0, 0.1, 0.2, 0.7], atol=1e-4)


def test_a_clock_that_is_set_back(tmp_path):
    path = tmp_path / "video.mp4"
    with pytest.warns(UserWarning, match="Timestamps must increase") as caught:
        with VideoWriter(path, 10) as video:
            for timestamp in (50.0, 50.5, 3.0, 3.2, 3.2):
                video.write(videos.photograph(), timestamp)
    (warning,) = caught
    assert "timestamp=3.0" in str(warning.message)
    assert warning.filename == __file__
    received = [frame.timestamp for frame in read_frames(path)]
    np.testing.assert_allclose(received, [0, 0.5, 0.6, 0.8, 0.9], atol=1e-4)


@pytest.mark.parametrize("now", [35_900.0, 1e9])
def test_a_clock_that_is_set_forward(tmp_path, now):
    path = tmp_path / "video.mp4"
    with pytest.warns(UserWarning, match="at most 30,000 s") as caught:
        with VideoWriter(path, 10) as video:
            for timestamp in (50.0, 50.5, now, now + 0.75, now + 1.25):
                video.write(videos.photograph(), timestamp)
    (warning,) = caught
    assert f"timestamp={now}" in str(warning.message)
    received = [frame.timestamp for frame in read_frames(path)]
    np.testing.assert_allclose(received, [0, 0.5, 0.6, 1.35, 1.85], atol=1e-4)


def test_clocks_without_end(tmp_path):
    path = tmp_path / "video.mp4"
    with pytest.warns(UserWarning, match="Timestamps must increase"):
        with VideoWriter(path, 10) as video:
            for timestamp in (0.0, 1e308, -1e308, 1e308):
                video.write(videos.photograph(), timestamp)
    received = [frame.timestamp for frame in read_frames(path)]
    np.testing.assert_allclose(received, [0, 0.1, 0.2, 0.3], atol=1e-4)


def test_a_low_frame_rate(tmp_path):
    path = tmp_path / "video.mp4"
    with VideoWriter(path, 0.0001) as video:
        for _ in range(3):
            video.write(videos.photograph())
    received = [frame.timestamp for frame in read_frames(path)]
    assert received == [0, 10_000, 20_000]


def test_long_pauses_are_kept(tmp_path, recwarn):
    path = tmp_path / "video.mp4"
    timestamps = [0.0, 30_000.0, 59_999.5, 60_000.0, 90_000.0]
    with VideoWriter(path, 10) as video:
        for timestamp in timestamps:
            video.write(videos.photograph(), timestamp)
    assert not recwarn.list
    received = [frame.timestamp for frame in read_frames(path)]
    np.testing.assert_allclose(received, timestamps, atol=1e-4)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("count", [0, 2])
def test_a_failure_leaves_the_old_file_alone(tmp_path, error, count):
    path = tmp_path / "video.mp4"
    path.write_text("old")
    with pytest.raises(error):
        with VideoWriter(path, 25) as video:
            for _ in range(count):
                video.write(videos.photograph())
            raise error
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["video.mp4"]


def test_a_full_disk_leaves_the_old_file_alone(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    path = tmp_path / "video.mp4"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        with VideoWriter(path, 25) as video:
            video.write(videos.photograph())
            monkeypatch.setattr("os.replace", fail)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["video.mp4"]


def test_a_second_file_of_one_writer(tmp_path):
    video = VideoWriter(tmp_path / "video.mp4", 25)
    for size in ((24, 32), (16, 16)):
        with video:
            video.write(videos.photograph(*size), 7.0)
        (frame,) = read_frames(tmp_path / "video.mp4")
        assert frame.image.shape == (*size, 3) and frame.timestamp == 0


def test_a_video_without_frames(tmp_path):
    with pytest.raises(ValueError, match="At least one frame"):
        with VideoWriter(tmp_path / "video.mp4", 25):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("image", "timestamp", "message"),
    [
        (np.zeros((8, 8, 3)), None, "uint8 of shape.*float64"),
        (np.zeros((8, 8), "uint8"), None, r"shape \(8, 8\)"),
        (np.zeros((8, 8, 4), "uint8"), None, r"shape \(8, 8, 4\)"),
        (
            np.zeros((10, 8, 3), "uint8"),
            None,
            r"same shape.*\(10, 8, 3\) after",
        ),
        (np.zeros((8, 8, 3), "uint8"), np.nan, "finite.*timestamp=nan"),
        (np.zeros((8, 8, 3), "uint8"), "0", "finite number.*timestamp='0'"),
    ],
)
def test_bad_frames(tmp_path, image, timestamp, message):
    good = np.zeros((8, 8, 3), "uint8")
    with VideoWriter(tmp_path / "video.mp4", 25) as video:
        video.write(good, 0.0)
        with pytest.raises(ValueError, match=message):
            video.write(image, timestamp)
        video.write(good, 1.0)
    assert len(list(read_frames(tmp_path / "video.mp4"))) == 2
    with pytest.raises(ValueError, match="not open"):
        video.write(good)


@pytest.mark.parametrize("rate", [0, -1, 2e-5, 1001, np.nan, "10", None])
def test_bad_frame_rates(tmp_path, rate):
    with pytest.raises(ValueError, match="`frame_rate` must be in"):
        VideoWriter(tmp_path / "video.mp4", rate)


def test_only_mp4(tmp_path):
    with pytest.raises(ValueError, match="must end in '.mp4'.*video.avi"):
        VideoWriter(tmp_path / "video.avi", 25)


@pytest.mark.parametrize("name", ["file/video.mp4", "folder.mp4"])
def test_paths_that_no_file_can_have(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(ValueError, match=f"`path` must be.*{name[:4]}"):
        VideoWriter(tmp_path / name, 25)
    assert (tmp_path / "file").read_text() == "mine"
