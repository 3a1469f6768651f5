import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_s4t.data.archives import decoding
from keras_s4t.data.archives.extracted import find_archive
from keras_s4t.data.archives.extracted import read_lines
from keras_s4t.data.archives.extracted import read_normals

REPOSITORY = pathlib.Path(__file__).parents[2]
SAMPLES = REPOSITORY.parent / "shared" / "real_samples" / "local_only"

IDS = np.array([[0, 5, 5], [15, 255, 0]], "uint8")


def save(image, path):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(path)
    return path


def test_ids_are_never_colors(tmp_path):
    image = Image.fromarray(IDS)
    image.putpalette(np.random.default_rng(0).bytes(768))
    painted = save(image, tmp_path / "painted.png")
    plain = save(IDS, tmp_path / "plain.png")
    for path, mode in ((painted, "P"), (plain, "L")):
        with Image.open(path) as image:
            assert image.mode == mode
        ids = decoding.read_ids(path)
        np.testing.assert_array_equal(ids, IDS)
        assert ids.dtype == np.uint8


@pytest.mark.parametrize(
    "file, ids",
    [
        ("voc_semseg/2010_005582.png", {0, 5, 15, 255}),
        ("voc_semseg/2008_002176_personpart.png", set(range(6))),
        (
            "nyud_semseg40/000834_mask.png",
            {0, 1, 2, 7, 10, 11, 12, 23, 30, 33, 37, 39, 255},
        ),
        (
            "nyud_000433/segm_gt_000433.png",
            {0, 1, 8, 10, 21, 37, 38, 39, 255},
        ),
    ],
)
def test_ids_of_real_masks(file, ids):
    path = SAMPLES / file
    if not path.exists():
        pytest.skip("the real samples are not here")
    found = decoding.read_ids(path)
    assert set(np.unique(found).tolist()) == ids
    # The ignored rim of VOC's objects is thin, the background is not.
    if path.name == "2010_005582.png":
        counts = np.bincount(found.ravel())
        assert counts[0] > counts[15] > counts[255] > 0


def write_png(path, ids, bits, has_palette):
    """A PNG of ids with so many bits each, written by hand."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    height, width = ids.shape
    kind = 3 if has_palette else 0
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    planes = np.unpackbits(ids[..., None], axis=-1)[..., 8 - bits :]
    rows = np.packbits(planes.reshape(height, -1), axis=-1)
    content = b"".join(b"\0" + row.tobytes() for row in rows)
    palette = bytes(range(256)) * 3
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"PLTE", palette[: 3 * 2**bits]) if has_palette else b"")
        + chunk(b"IDAT", zlib.compress(content))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("has_palette", [False, True])
def test_ids_of_few_bits(bits, has_palette, tmp_path):
    """A gray PNG of 4 bits was read as multiples of 17."""
    ids = np.arange(2**bits, dtype="uint8")[:16].repeat(3).reshape(-1, 3)
    path = tmp_path / "ids.png"
    write_png(path, ids, bits, has_palette)
    np.testing.assert_array_equal(decoding.read_ids(path), ids)


def test_gray(tmp_path):
    levels = np.array([[0, 51, 255]], "uint8")
    gray = decoding.read_gray(save(levels, tmp_path / "gray.png"))
    np.testing.assert_allclose(gray, [[0, 0.2, 1]], rtol=1e-6)
    bits = decoding.read_gray(save(levels > 99, tmp_path / "bits.png"))
    np.testing.assert_array_equal(bits, [[0, 0, 1]])


def test_normals_turn_x_around(tmp_path):
    vectors = np.array([[[0.6, 0, 0.8], [0, -1, 0], [0, 0, 0]]])
    colors = np.rint((vectors + 1) * 127.5).astype("uint8")
    expected = [[[51, 128, 230], [128, 0, 128], [128, 128, 128]]]
    np.save(tmp_path / "vectors.npy", vectors)
    save(colors, tmp_path / "colors.png")
    for name in ("vectors.npy", "colors.png"):
        found = read_normals(tmp_path / name, (1, 3)).astype(int)
        assert np.abs(found - expected).max() <= 1
        assert (found[0, 2] == 128).all()


def test_an_image_stays_as_it_is(tmp_path):
    path = save(np.zeros((4, 6, 3), "uint8"), tmp_path / "image.jpg")
    data, size = decoding.read_image_file(path)
    assert data == path.read_bytes()
    assert size == (4, 6)


@pytest.mark.parametrize(
    "read, name",
    [
        (decoding.read_image_file, "a.jpg"),
        (decoding.read_ids, "a.png"),
        (decoding.read_gray, "a.png"),
        (decoding.read_vectors, "a.png"),
        (decoding.read_npy, "a.npy"),
        (lambda path: decoding.read_mat(path, "depth"), "a.mat"),
        (read_lines, "a.txt"),
    ],
)
def test_bad_files_are_named(read, name, tmp_path):
    if name == "a.mat":
        savemat = pytest.importorskip("scipy.io").savemat
        savemat(tmp_path / "whole.mat", {"depth": IDS})
    elif name == "a.npy":
        np.save(tmp_path / "whole.npy", IDS)
    elif name == "a.txt":
        (tmp_path / "whole.txt").write_bytes(b" \n\n")
    else:
        gray = read in (decoding.read_ids, decoding.read_gray)
        shape = (40, 50) if gray else (40, 50, 3)
        pixels = np.random.default_rng(0).integers(0, 255, shape)
        save(pixels.astype("uint8"), tmp_path / f"whole{name[1:]}")
    (whole,) = tmp_path.glob("whole.*")
    path = tmp_path / name
    with pytest.raises(ValueError, match=name):
        read(path)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(ValueError, match=name):
        read(path)
    if name != "a.txt":
        read(whole)


def test_other_kinds_of_images_are_refused(tmp_path):
    rgb = save(np.zeros((2, 2, 3), "uint8"), tmp_path / "rgb.png")
    deep = save(np.zeros((2, 2), "uint16"), tmp_path / "deep.png")
    gray = save(np.zeros((2, 2), "uint8"), tmp_path / "gray.png")
    for read, path in (
        (decoding.read_ids, rgb),
        (decoding.read_gray, deep),
        (decoding.read_vectors, gray),
        (decoding.read_image_file, deep),
    ):
        with pytest.raises(ValueError, match=f"{path.name}.*Received: mode"):
            read(path)


def test_mat(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    savemat(tmp_path / "a.mat", {"depth": IDS, "other": IDS + 1})
    found = decoding.read_mat(tmp_path / "a.mat", "depth")
    np.testing.assert_array_equal(found, IDS)
    with pytest.raises(ValueError, match="a.mat.*LabelMap"):
        decoding.read_mat(tmp_path / "a.mat", "LabelMap")


def test_a_missing_package_says_how_to_get_it():
    with pytest.raises(ImportError, match="pip install thinner"):
        decoding.required("thinner.thin", "thinner")


def test_checked():
    def check(values, shape=(1, 2), low=0, high=4):
        return decoding.checked("a.npy", np.array(values), shape, low, high)

    np.testing.assert_array_equal(check([[0, 4]]), [[0, 4]])
    assert check([[[0], [4]]]).shape == (1, 2)
    assert check([[False, True]]).shape == (1, 2)
    assert np.isnan(check([[np.nan, 1.0]])[0, 0])
    with pytest.raises(ValueError, match=r"a.npy.*shape \(1, 2\).*\(2, 1\)"):
        check([[0], [4]])
    with pytest.raises(ValueError, match="a.npy.*0 ... 4.*0 ... 5"):
        check([[0, 5]])
    with pytest.raises(ValueError, match="a.npy.*-1.0 ... -1.0"):
        check([[np.nan, -1.0]])
    with pytest.raises(ValueError, match="a.npy must hold numbers.*<U1"):
        check([["a", "b"]])


def test_find_archive(tmp_path):
    def find():
        return find_archive(tmp_path, ("new", "old"), "sets/train.txt")

    def add(folder):
        (folder / "sets").mkdir(parents=True)
        (folder / "sets" / "train.txt").touch()

    (tmp_path / "new").mkdir()
    with pytest.raises(ValueError, match="train.txt'.*Received: 0"):
        find()
    add(tmp_path / "old")
    assert find() == tmp_path / "old"
    add(tmp_path / "new")
    with pytest.raises(ValueError, match="new.*Received: 2"):
        find()
    assert find_archive(tmp_path / "new", ("new",), "sets/train.txt") == (
        tmp_path / "new"
    )


def test_read_lines(tmp_path):
    path = tmp_path / "train.txt"
    path.write_bytes(b"0003\r\n 0001 \n\n0002")
    assert read_lines(path) == ["0003", "0001", "0002"]
