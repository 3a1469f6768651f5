"""Frames of normals, on planes of known normals and on real files."""

import pathlib
import shutil

import numpy as np
import pytest
from generated_archives import nyud
from generated_archives import pascal

from keras_s4t.data.__main__ import main
from keras_s4t.data.archives.normals_frame import CANONICAL
from keras_s4t.data.archives.normals_frame import frame_errors
from keras_s4t.data.archives.normals_frame import normals_of_depth

SAMPLE = (
    pathlib.Path(__file__).parents[2]
    / "../shared/real_samples/local_only/taskonomy_point_202_view_5"
)
NORMALS = np.array(
    [[0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [0.0, 0.6, 0.8], [0.48, -0.6, 0.64]]
)


def depth_of_plane(normal, focal_length, size=(40, 60)):
    """Depth of the plane two meters in front of the camera."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    rays = np.stack(
        [
            (columns - (size[1] - 1) / 2) / focal_length,
            ((size[0] - 1) / 2 - rows) / focal_length,
            -np.ones(size),
        ],
        axis=-1,
    )
    # The plane is at n x p = -2 n_z, and p = depth * ray.
    return -2 * normal[2] / (rays @ normal)


@pytest.mark.parametrize("normal", NORMALS)
def test_slopes_of_planes(normal):
    depth = depth_of_plane(normal, 80.0)
    found = normals_of_depth(depth, 80.0)
    inside = found.any(-1)
    assert inside[2:-2, 2:-2].all() and not inside[:2].any()
    expected = np.broadcast_to(normal, found[inside].shape)
    np.testing.assert_allclose(found[inside], expected, atol=1e-6)


def test_no_slope_at_holes_and_jumps():
    depth = np.full((20, 30), 2.0)
    depth[5, 5] = 0
    depth[:, 20:] = 4.0
    found = normals_of_depth(depth, 50.0).any(-1)
    # The slope is that of the neighbors two pixels away.
    touched = [(5, 5), (3, 5), (7, 5), (5, 3), (5, 7)]
    assert not any(found[pixel] for pixel in touched)
    assert not found[:, 18:22].any()
    assert found[12, 10] and found[12, 25]


def test_finds_the_frame():
    measured = np.repeat(NORMALS, 5, axis=0)
    stored = np.stack(
        [-measured[:, 0], measured[:, 2], -measured[:, 1]], axis=-1
    )
    errors = frame_errors(stored, measured)
    assert len(errors) == 48
    best = next(iter(errors))
    assert best == ("-x", "+z", "-y")
    assert errors[best] == pytest.approx(0, abs=1e-5)
    dots = (stored * measured).sum(-1)
    expected = np.degrees(np.median(np.arccos(np.clip(dots, -1, 1))))
    assert errors[CANONICAL] == pytest.approx(expected, abs=1e-4)


def test_nothing_to_compare():
    with pytest.raises(ValueError, match="pixels without both"):
        frame_errors(np.zeros((4, 3)), np.ones((4, 3)))


@pytest.mark.skipif(not SAMPLE.exists(), reason="the files may not be copied")
def test_taskonomy_is_as_documented(tmp_path, capsys):
    for path in SAMPLE.iterdir():
        domain = path.name.split("_domain_")[1].split(".")[0]
        folder = tmp_path / domain / "taskonomy" / "allensville"
        folder.mkdir(parents=True)
        shutil.copy(path, folder)
    command = ["check-normals", "taskonomy_mt", "--manual-dir", str(tmp_path)]
    assert main(command) == 0
    output = capsys.readouterr().out
    documented = float(output.split("As documented: ")[1].split()[0])
    other = float(output.split("): ")[1].split()[0])
    assert documented < 3 < other


def test_a_wrong_frame_is_reported(tmp_path, capsys):
    """An archive whose y points down."""
    root, _ = nyud.write(tmp_path, "v2_npy")
    for name, normal in zip(("0003", "0001"), NORMALS[1:3], strict=True):
        focal_length = 32 / 2 / np.tan(np.radians(30))
        depth = depth_of_plane(normal, focal_length, (24, 32))
        np.save(root / "depth" / f"{name}.npy", depth.astype("float32"))
        stored = np.broadcast_to(normal * [-1, -1, 1], (24, 32, 3))
        np.save(root / "normals" / f"{name}.npy", stored.astype("float32"))
    command = ["check-normals", "nyud_mt", "--manual-dir", str(tmp_path)]
    assert main([*command, "--field-of-view", "60"]) == 1
    assert "('+x', '-y', '+z') fits better" in capsys.readouterr().out


def test_pascal_has_no_depth(tmp_path, capsys):
    pascal.write(tmp_path)
    command = ["check-normals", "pascal_mt", "--manual-dir", str(tmp_path)]
    assert main(command) == 1
    assert "no depth" in capsys.readouterr().err
