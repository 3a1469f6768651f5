"""Files that are damaged, and some that are real."""

import pathlib

import numpy as np
import pytest
from generated_archives import taskonomy
from PIL import Image

from keras_s4t.data.archives.taskonomy.decoding import UnreadableViewError
from keras_s4t.data.archives.taskonomy.decoding import domains_of
from keras_s4t.data.archives.taskonomy.decoding import encode_view
from keras_s4t.data.archives.taskonomy.decoding import read_view
from keras_s4t.data.archives.taskonomy.layout import View

TASKS = ["semseg", "depth", "normals", "edge"]
VIEW = View("allensville", "point_7_view_0")


def truncated(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


def replaced(path, array):
    Image.fromarray(array).save(path)


BYTES = np.zeros((64, 64), "uint8")


@pytest.mark.parametrize(
    "domain, damage, message",
    [
        ("rgb", lambda p: truncated(p, 0.5), "cannot be read"),
        ("normal", lambda p: truncated(p, 0.0), "cannot be read"),
        ("depth_zbuffer", lambda p: truncated(p, 0.02), "cannot be read"),
        ("edge_occlusion", lambda p: truncated(p, 0.9), "cannot be read"),
        ("segment_semantic", lambda p: p.unlink(), "cannot be read"),
        ("depth_zbuffer", lambda p: replaced(p, BYTES), "mode I;16.*: L"),
        ("edge_occlusion", lambda p: replaced(p, BYTES), "mode I;16.*: L"),
        ("normal", lambda p: replaced(p, BYTES), "mode RGB.*: L"),
        ("segment_semantic", lambda p: replaced(p, BYTES[1:]), r"\(63, 64\)"),
    ],
)
def test_damaged_files_are_named(domain, damage, message, tmp_path):
    taskonomy.write(tmp_path)
    path = taskonomy.file(tmp_path, VIEW.id, domain)
    assert path == VIEW.file(tmp_path, domain)
    domains = domains_of(TASKS)
    arrays = read_view(tmp_path, VIEW, domains)
    assert {a.shape[:2] for a in arrays.values()} == {(64, 64)}
    damage(path)
    with pytest.raises(UnreadableViewError, match=message) as error:
        read_view(tmp_path, VIEW, domains)
    assert VIEW.name in str(error.value)


SAMPLE = (
    pathlib.Path(__file__).parents[3] / "../shared/real_samples/local_only"
    "/taskonomy_point_202_view_5"
)


@pytest.mark.skipif(not SAMPLE.exists(), reason="licensed to its users alone")
def test_a_real_view(tmp_path):
    view = View("building", "point_202_view_5")
    tasks = ["depth", "normals", "edge"]
    for domain in domains_of(tasks):
        path = view.file(tmp_path, domain)
        path.parent.mkdir(parents=True)
        path.symlink_to((SAMPLE / path.name).resolve())
    arrays = read_view(tmp_path, view, domains_of(tasks))
    stored = encode_view(arrays, tasks, 512)
    depth, known = stored["depth"][..., 0] / 1000, stored["depth"] > 0
    assert abs((~known).mean() - 0.0774) < 1e-4
    known = known[..., 0]
    assert abs(depth[known].min() - 510 / 512) < 6e-4
    assert abs(depth[known].max() - 4131 / 512) < 6e-4
    missing = (stored["normals"] == 128).all(-1)
    np.testing.assert_array_equal(missing, ~known)
    np.testing.assert_array_equal(stored["edge_mask"][..., 0], known)
    # As many pixels are at full strength as have boundaries in NYUD.
    assert 0.015 < (stored["edge"] == 65535).mean() < 0.03

    # The normals agree with those that follow from depth; in no other frame
    # are they less than 9 degrees off. The field of view is 1.1805 radians.
    focal_length = 256 / np.tan(1.1805 / 2)
    offsets = (np.arange(512) + 0.5 - 256) / focal_length
    x, y = np.meshgrid(offsets, -offsets)
    points = np.stack([x * depth, y * depth, -depth], -1)
    down = points[4:, 2:-2] - points[:-4, 2:-2]
    right = points[2:-2, 4:] - points[2:-2, :-4]
    cross = np.cross(down, right)
    lengths = np.linalg.norm(cross, axis=-1)
    normals = stored["normals"] / 127.5 - 1
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    cosines = (cross * normals[2:-2, 2:-2]).sum(-1)
    known = known[2:-2, 2:-2] & (lengths > 0)
    cosines = cosines[known] / lengths[known]
    assert np.degrees(np.arccos(np.median(cosines))) < 3

    smaller = encode_view(arrays, tasks, 256)
    assert smaller["depth"].max() <= 8069
    assert abs((smaller["depth"] == 0).mean() - 0.0774) < 2e-3
