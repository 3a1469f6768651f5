"""What `verify` sees beyond a single fault in a single file."""

import contextlib
import io

import numpy as np
import pytest
from generated_archives import nyud
from generated_archives import pascal
from generated_archives import taskonomy
from PIL import Image

from keras_s4t.data.__main__ import main
from keras_s4t.data.archives.downloads import DOWNLOADS

ARCHIVES = {
    "v1_mat": ("nyud_mt", lambda folder: nyud.write(folder, "v1_mat")),
    "v2_npy": ("nyud_mt", lambda folder: nyud.write(folder, "v2_npy")),
    "v3_png": ("nyud_mt", lambda folder: nyud.write(folder, "v3_png")),
    "pascal": ("pascal_mt", pascal.write),
    "taskonomy": ("taskonomy_mt", taskonomy.write),
}


def verify(dataset, folder, capsys):
    """The exit status and the lines of standard output."""
    status = main(["verify", dataset, "--manual-dir", str(folder)])
    return status, capsys.readouterr().out.splitlines()


def faults_of(lines):
    return [line for line in lines if line.startswith("- ")]


def labels_and_images(folder):
    """The files that are read; `VOC12` goes before `pascal-context`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    unread = folder / "PASCALContext/semseg/pascal-context/2008_000003.png"
    return [p for p in paths if p.suffix != ".txt" and p != unread]


@pytest.mark.parametrize("archive", ARCHIVES)
@pytest.mark.parametrize("data", [b"", b"<html>quota exceeded</html>"])
def test_every_damaged_file_is_named(archive, data, tmp_path, capsys):
    """One of each kind at a time: all but it must be found sound."""
    dataset, write = ARCHIVES[archive]
    write(tmp_path)
    kinds = {
        (path.parent, path.suffix): path for path in labels_and_images(tmp_path)
    }
    assert len(kinds) >= 5
    for path in kinds.values():
        whole = path.read_bytes()
        path.write_bytes(data)
        status, lines = verify(dataset, tmp_path, capsys)
        path.write_bytes(whole)
        (fault,) = faults_of(lines)
        assert status == 1 and f"{path} cannot be read" in fault


@pytest.mark.parametrize("archive", ARCHIVES)
def test_labels_beside_a_damaged_image_are_read(archive, tmp_path, capsys):
    dataset, write = ARCHIVES[archive]
    write(tmp_path)
    download = DOWNLOADS[dataset](tmp_path)
    name = download.names("train")[0]
    paths = list(download.files(name).values())
    for path in paths:
        data = path.read_bytes()
        is_image = path == download.image(name)
        path.write_bytes(b"" if is_image else data[: len(data) * 2 // 3])
    status, lines = verify(dataset, tmp_path, capsys)
    faults = faults_of(lines)
    assert status == 1 and len(faults) == len(paths) >= 4
    assert all(any(str(path) in fault for fault in faults) for path in paths)


def test_flipped_bits_that_pillow_decodes(tmp_path, capsys):
    root, _ = nyud.write(tmp_path, "v3_png")
    path = root / "segmentation" / "0001.png"
    ids = np.array(Image.open(path))
    path.write_bytes(flipped_in_silence(path.read_bytes(), ids))
    assert not np.array_equal(np.array(Image.open(path)), ids)
    status, lines = verify("nyud_mt", tmp_path, capsys)
    (fault,) = faults_of(lines)
    assert status == 1 and f"{path} cannot be read" in fault


def flipped_in_silence(data, ids):
    """A PNG with one other bit, decoded to other ids without an error."""
    for place in range(data.index(b"IDAT") + 4, len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1
        # Decoders of damaged bytes raise errors of nearly every kind.
        with contextlib.suppress(Exception):
            found = np.array(Image.open(io.BytesIO(damaged)))
            if found.shape == ids.shape and 0 < (found != ids).sum():
                return bytes(damaged)
    pytest.skip("this version of Pillow finds every bit by itself")


@pytest.mark.parametrize("archive", ARCHIVES)
def test_labels_of_another_size(archive, tmp_path, capsys):
    dataset, write = ARCHIVES[archive]
    write(tmp_path)
    folder = {
        "nyud_mt": "edge" if archive == "v1_mat" else "segmentation",
        "pascal_mt": "semseg/pascal-context",
        "taskonomy_mt": "segment_semantic",
    }[dataset]
    paths = [p for p in labels_and_images(tmp_path) if folder in str(p)]
    path = paths[-1]
    Image.fromarray(np.array(Image.open(path))[:-1]).save(path)
    status, lines = verify(dataset, tmp_path, capsys)
    (fault,) = faults_of(lines)
    assert status == 1 and str(path) in fault and "size of its image" in fault


def test_a_split_that_is_not_there_hides_nothing(tmp_path, capsys):
    root, _ = nyud.write(tmp_path, "v3_png")
    (root / "depth" / "0001.npy").unlink()
    (root / "gt_sets" / "val.txt").unlink()
    status, lines = verify("nyud_mt", tmp_path, capsys)
    missing, split = faults_of(lines)
    assert status == 1 and "0001.npy is missing" in missing
    assert "val.txt cannot be read" in split


def test_a_split_without_views_cannot_be_built(tmp_path, capsys):
    taskonomy.write(tmp_path)
    for view in taskonomy.VIEWS["test"]:
        for domain in taskonomy.SUFFIXES:
            taskonomy.file(tmp_path, view, domain).unlink()
    status, lines = verify("taskonomy_mt", tmp_path, capsys)
    (fault,) = faults_of(lines)
    assert status == 1 and "Received: 'test', with none" in fault


def test_buildings_that_are_not_there_are_no_fault(tmp_path, capsys):
    taskonomy.write(tmp_path)
    status, lines = verify("taskonomy_mt", tmp_path, capsys)
    assert status == 0
    (line,) = (line for line in lines if line.startswith("validation: "))
    assert line == (
        "validation: 1 images; not there are 4 of 5 buildings, corozal, "
        "darden, markleeville, wiconisco"
    )


def test_sources_of_classes_are_counted_apart(tmp_path, capsys):
    pascal.write(tmp_path)
    _, lines = verify("pascal_mt", tmp_path, capsys)
    counts = [line.split(", ")[0] for line in lines if "semseg/" in line]
    assert counts == [
        "  semseg/VOC12: 1 files",
        "  semseg/pascal-context: 1 files",
        "  semseg/pascal-context: 1 files",
    ]


def test_depth_in_another_unit_is_told(tmp_path, capsys):
    """Views of another source at 1/8192 m look sixteen times as deep."""
    taskonomy.write(tmp_path)
    status, lines = verify("taskonomy_mt", tmp_path, capsys)
    assert not any("Warning" in line for line in lines)
    for path in tmp_path.glob("depth_zbuffer/**/*.png"):
        with Image.open(path) as image:
            depth = np.asarray(image).astype("float64")
        deep = np.minimum(16 * depth, 64000) * (depth > 0)
        Image.fromarray(deep.astype("uint16")).save(path)
    status, lines = verify("taskonomy_mt", tmp_path, capsys)
    (warning,) = [line for line in lines if line.startswith("Warning")]
    assert "of 5 images is not in 0.3 ... 20.0 m" in warning
    assert "another unit" in warning
