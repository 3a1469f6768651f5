"""One picture has the same numbers through every entrance."""

import io
import struct
import zlib

import numpy as np
import pytest
from photographs import photograph
from PIL import Image

from keras_s4t import data
from keras_s4t.data import images
from keras_s4t.data.pipeline.canvas import Canvas
from keras_s4t.data.pipeline.resizing import PADDING_COLOR


def make_photograph(height=97, width=151, seed=0):
    return photograph(height, width, seed)


def png16(array):
    """The bytes of a PNG of 16 bits a channel."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    height, width, _ = array.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def encoded(kind, photograph):
    """The bytes of a file."""
    if kind == "png16":
        return png16(photograph.astype("uint16") * 257)
    file = io.BytesIO()
    image = Image.fromarray(photograph)
    if kind == "png":
        image.save(file, "PNG")
    elif kind == "gray jpeg":
        image.convert("L").save(file, "JPEG")
    else:
        image.save(file, "JPEG", quality=85, subsampling=kind)
    return file.getvalue()


KINDS = ("4:2:0", "4:4:4", "gray jpeg", "png", "png16")


@pytest.mark.parametrize("kind", KINDS)
def test_decoders_agree_bit_for_bit(kind, tmp_path):
    content = encoded(kind, make_photograph(61, 83))
    (tmp_path / "photograph").write_bytes(content)
    expected = images.read_photograph(tmp_path / "photograph")
    assert expected.dtype == "uint8" and expected.shape == (61, 83, 3)
    received = images.decode_tensor(content).numpy()
    np.testing.assert_array_equal(received, expected)


def test_one_color_stays_that_color():
    photograph = np.full((8, 8, 3), (200, 100, 50), "uint8")
    content = encoded("4:4:4", photograph)
    decoded = images.decode_tensor(content).numpy().astype(int)
    assert np.abs(decoded - photograph).max() <= 1
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(decoded, np.asarray(image))


@pytest.mark.parametrize(
    "size", [(48, 75), (13, 9), (97, 151), (200, 300), (96, 151), (97, 40)]
)
def test_resizers_agree(size):
    photograph = make_photograph()
    first = images.resize_tensor(photograph, size).numpy()
    second = images.resize_array(photograph, size)
    assert first.shape == second.shape == (*size, 3)
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_a_white_column_by_hand():
    """A triangle as wide as two pixels to each side, cut at the border."""
    image = np.zeros((4, 4, 1), "float32")
    image[:, 1] = 255
    expected = [255 * 3 / 7, 255 / 7]
    for resize in (images.resize_array, images.resize_tensor):
        resized = np.asarray(resize(image, (2, 2)))[..., 0]
        np.testing.assert_allclose(resized, [expected] * 2, rtol=1e-5)


@pytest.mark.parametrize("shape", [(480, 640), (1000, 888), (65, 1300), (3, 3)])
def test_fitted_sizes_keep_the_ratio(shape):
    canvas = (64, 96)
    height, width = images.fitted_size(shape, canvas)
    assert height <= 64 and width <= 96 and (height == 64 or width == 96)
    exact = min(64 / shape[0], 96 / shape[1])
    assert abs(height - exact * shape[0]) <= 0.5
    assert abs(width - exact * shape[1]) <= 0.5


def test_a_folder_and_a_dataset_give_the_same_images(tmp_path):
    """Through `load`, and without TensorFlow."""
    tfds = pytest.importorskip("tensorflow_datasets")
    contents = [
        encoded(kind, make_photograph(60 + 7 * i, 80 + 5 * i, i))
        for i, kind in enumerate(KINDS)
    ]

    class Photographs(tfds.core.GeneratorBasedBuilder):
        """Photographs in their files' bytes."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                "semseg": tfds.features.Tensor(
                    shape=(None, None), dtype=np.uint8, encoding="zlib"
                ),
            }
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            return {"test": self._generate_examples()}

        def _generate_examples(self):
            for i, content in enumerate(contents):
                shape = (60 + 7 * i, 80 + 5 * i)
                yield (
                    i,
                    {
                        "image": content,
                        "semseg": np.full(shape, i, "uint8"),
                    },
                )

    Photographs(data_dir=tmp_path).download_and_prepare()
    canvas = (48, 64)
    dataset = data.load(
        "photographs",
        "test",
        ["semseg"],
        batch_size=1,
        size=Canvas(canvas),
        data_dir=tmp_path,
    )
    count = 0
    for batch, labels, masks in dataset.as_numpy_iterator():
        i = int(labels["semseg"][masks["semseg"][..., 0] > 0][0])
        path = tmp_path / f"photograph_{i}"
        path.write_bytes(contents[i])
        photograph = images.read_photograph(path)
        fitted, size = images.fit_array(photograph, canvas, PADDING_COLOR)
        np.testing.assert_allclose(batch[0], fitted, atol=1e-3)
        inside = masks["semseg"][0, ..., 0] > 0
        assert (inside.any(1).sum(), inside.any(0).sum()) == size
        count += 1
    assert count == len(KINDS)


def test_what_is_no_photograph(tmp_path):
    ids = Image.fromarray(
        (np.arange(40 * 40) % 12).reshape(40, 40).astype("uint8")
    )
    palette = ids.convert("P")
    palette.putpalette([i for i in range(256) for _ in range(3)])
    deep = Image.fromarray(np.zeros((8, 8), "uint16"))
    strip = Image.fromarray(make_photograph(4, 200))
    for image, message in (
        (ids, "looks like a label map.*'L' with 12 values"),
        (palette, "looks like a label map.*'P' with 12 values"),
        (deep, "8 bits a channel.*'I;16'"),
        (strip, "ratio of at most 20.*200x4"),
    ):
        image.save(tmp_path / "image.png")
        with pytest.raises(ValueError, match=message):
            images.read_photograph(tmp_path / "image.png")
    (tmp_path / "image.png").write_text("no picture")
    with pytest.raises(ValueError, match="image.png cannot be read"):
        images.read_photograph(tmp_path / "image.png")


def test_large_files_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    Image.fromarray(make_photograph(40, 40)).save(tmp_path / "large.png")
    with pytest.raises(ValueError, match="at most 1,000 pixels.*40x40"):
        images.read_photograph(tmp_path / "large.png")


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_palette_photographs_are_pictures(tmp_path, suffix):
    image = Image.fromarray(make_photograph()).quantize(200)
    path = tmp_path / f"photograph{suffix}"
    image.save(path)
    array = images.read_photograph(path)
    assert array.shape == (97, 151, 3)
    np.testing.assert_array_equal(array, np.asarray(image.convert("RGB")))


def test_numbers_in_names_count_as_numbers():
    names = ["frame_10.png", "frame_2.png", "a/frame_1.png", "frame.png"]
    assert sorted(names, key=images.natural_key) == [
        "a/frame_1.png",
        "frame.png",
        "frame_2.png",
        "frame_10.png",
    ]
