import numpy as np
import pytest
import videos
from PIL import Image

from keras_s4t.data import images
from keras_s4t.live import read_frames

pytestmark = pytest.mark.eager


def save(path, seed=0, **kwargs):
    path.parent.mkdir(exist_ok=True)
    image = videos.photograph(24, 32, seed)
    Image.fromarray(image).save(path, **kwargs)
    return image


def test_numbers_in_names_count_as_numbers(tmp_path):
    names = ["frame_9.png", "frame_10.png", "later/frame_1.png", "a.JPG"]
    for i, name in enumerate(names):
        save(tmp_path / name, i)
    (tmp_path / "notes.txt").write_text("no image")
    frames = list(read_frames(tmp_path))
    assert [frame.name for frame in frames] == [
        "a.JPG",
        "frame_9.png",
        "frame_10.png",
        "later/frame_1.png",
    ]
    assert {frame.timestamp for frame in frames} == {None}
    for frame in frames:
        np.testing.assert_array_equal(
            frame.image, images.read_photograph(tmp_path / frame.name)
        )


def test_photographs_are_turned(tmp_path):
    exif = Image.Exif()
    # Orientation 6: the right side of the file is the bottom of the scene.
    exif[0x0112] = 6
    image = save(tmp_path / "0.png", exif=exif)
    (frame,) = read_frames(str(tmp_path))
    np.testing.assert_array_equal(frame.image, np.rot90(image, 3))


def test_files_that_are_no_photograph_are_skipped(tmp_path):
    save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((24, 32), "uint8")).save(tmp_path / "3.png")
    save(tmp_path / "4.png")
    frames = read_frames(tmp_path)
    with pytest.warns(UserWarning, match="skipped: ") as caught:
        assert [frame.name for frame in frames] == ["1.png", "4.png"]
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert "2.png cannot be read" in messages[0]
    assert "3.png looks like a label map" in messages[1]


def test_a_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match="at least one image file.*Received"):
        read_frames(tmp_path)


def test_a_folder_without_an_image_that_can_be_read(tmp_path):
    (tmp_path / "1.png").write_bytes(b"no image")
    with (
        pytest.warns(UserWarning, match="1.png cannot be read"),
        pytest.raises(ValueError, match="at least one frame"),
    ):
        read_frames(tmp_path)
