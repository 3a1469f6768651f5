"""`check-normals` where labels are missing, and on a real view of a Kinect."""

import pathlib

import numpy as np
import pytest
from generated_archives import nyud
from generated_archives import taskonomy
from PIL import Image

from keras_s4t.data.__main__ import main

SAMPLE = (
    pathlib.Path(__file__).parents[4]
    / "shared/real_samples/local_only/nyud_000433"
)
SIZE = (24, 32)
TILTED = np.array([0.6, 0.0, 0.8])


def write_tilted_walls(folder, version):
    """An archive of one tilted wall, and the vectors that it should store."""
    root, _ = nyud.write(folder, version)
    focal_length = SIZE[1] / 2 / np.tan(np.radians(30))
    x = (np.arange(SIZE[1]) - (SIZE[1] - 1) / 2) / focal_length
    depth = np.broadcast_to(1.6 / (0.8 - 0.6 * x), SIZE).astype("float32")
    for name in nyud.SPLITS["train"]:
        np.save(root / "depth" / f"{name}.npy", depth)
    return root, np.tile(TILTED * [-1, 1, 1], (*SIZE, 1))


def documented(capsys):
    output = capsys.readouterr().out
    return float(output.split("As documented: ")[1].split()[0])


def check(folder):
    command = ["check-normals", "nyud_mt", "--manual-dir", str(folder)]
    return main([*command, "--field-of-view", "60"])


def test_gray_codes_are_no_directions(tmp_path, capsys):
    root, vectors = write_tilted_walls(tmp_path, "v3_png")
    colors = np.rint((vectors + 1) * 127.5).astype("uint8")
    # More than half: a median would be theirs.
    colors[:16] = 128
    for name in nyud.SPLITS["train"]:
        Image.fromarray(colors).save(root / "normals" / f"{name}.png")
    assert check(tmp_path) == 0
    assert documented(capsys) < 1


def test_nan_is_no_direction(tmp_path, capsys):
    root, vectors = write_tilted_walls(tmp_path, "v2_npy")
    vectors[:6] = np.nan
    for name in nyud.SPLITS["train"]:
        np.save(root / "normals" / f"{name}.npy", vectors.astype("float32"))
    assert check(tmp_path) == 0
    assert documented(capsys) < 1


def test_normals_of_another_size_are_named(tmp_path, capsys):
    root, vectors = write_tilted_walls(tmp_path, "v2_npy")
    path = root / "normals" / "0001.npy"
    np.save(path, vectors[1:].astype("float32"))
    assert check(tmp_path) == 1
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_split_without_images(split, tmp_path, capsys):
    taskonomy.write(tmp_path)
    for view in taskonomy.VIEWS["test"]:
        for domain in taskonomy.SUFFIXES:
            taskonomy.file(tmp_path, view, domain).unlink()
    command = ["check-normals", "taskonomy_mt", "--manual-dir", str(tmp_path)]
    assert main([*command, "--split", split]) == 1
    assert f"Received: '{split}', with none" in capsys.readouterr().err


@pytest.mark.skipif(not SAMPLE.exists(), reason="the files may not be copied")
def test_a_real_view_of_nyud(tmp_path, capsys):
    """Labels of another origin, brought to the frame of the archives.

    The depth is a Kinect's, as noisy as it comes: errors are large, but no
    other frame fits better. It also says that the focal length is plausible.
    """
    root, _ = nyud.write(tmp_path, "v2_npy")
    right, away, up = np.moveaxis(read("norm_gt_000433.png") / 127.5 - 1, -1, 0)
    vectors = np.stack([-right, up, -away], axis=-1).astype("float32")
    # Where these normals are defined.
    inside = np.zeros((480, 640, 1))
    inside[44:471, 40:601] = 1
    np.save(root / "normals" / "0003.npy", vectors * inside)
    depth = read("depth_gt_000433.png") / 5000
    np.save(root / "depth" / "0003.npy", depth.astype("float32"))
    image = Image.fromarray(np.zeros((480, 640, 3), "uint8"))
    image.save(root / "images" / "0003.jpg")
    command = ["check-normals", "nyud_mt", "--manual-dir", str(tmp_path)]
    assert main([*command, "--num", "1"]) == 0
    output = capsys.readouterr().out
    best = float(output.split("As documented: ")[1].split()[0])
    other = float(output.split("): ")[1].split()[0])
    assert best < 30 and other > best + 5


def read(name):
    return np.asarray(Image.open(SAMPLE / name)).astype("float64")
