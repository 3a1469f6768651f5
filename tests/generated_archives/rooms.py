"""Views of rooms whose labels are known, and how records compare with them."""

import dataclasses
import functools

import numpy as np

from keras_s4t.data.synth_rooms.sample import render_scene

# Where nothing was measured: whole blocks of JPEG, which does not blur it.
HOLE = (slice(8, 16), slice(8, 24))
UNLABELLED = (slice(20, 23), slice(2, 7))


@dataclasses.dataclass
class View:
    """Labels of one picture.

    Attributes:
        image: uint8 `(height, width, 3)`.
        classes: int `(height, width)`, of SynthRooms, 255 at `UNLABELLED`.
        depth: float `(height, width, 1)`, meters, 0 in `HOLE`.
        normals: float `(height, width, 3)`, canonical, 0 in `HOLE`.
        edges: bool `(height, width)`.
    """

    image: np.ndarray
    classes: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    edges: np.ndarray


@functools.cache
def make_view(index, height=24, width=32):
    """Renders the upper left part of a room."""
    sample = render_scene("source", "train", index, 32)
    part = (slice(height), slice(width))
    classes = sample.rendering.class_id[part].copy()
    classes[UNLABELLED] = 255
    known = np.ones((height, width, 1))
    known[HOLE] = 0
    view = View(
        image=sample.image[part],
        classes=classes,
        depth=sample.rendering.depth[part][..., None] * known,
        normals=sample.rendering.normals[part] * known,
        edges=sample.edges[part],
    )
    assert len(np.unique(classes)) > 2 and view.edges.any()
    return view


def save_jpeg(image, path):
    """Saves an image with as little loss as JPEG can have."""
    image.save(path, quality=100, subsampling=0)


def assert_matches(record, view, lookup, most_degrees, most_levels=0):
    """Compares a canonical record with a view: all but its edges.

    Args:
        record: dict of arrays.
        view: `View`.
        lookup: array, native class ids by those of SynthRooms.
        most_degrees: float, allowed error of normals.
        most_levels: int, allowed error of colors.
    """
    levels = record["image"].astype(int) - view.image
    assert record["image"].dtype == np.uint8
    assert np.abs(levels).max() <= most_levels

    np.testing.assert_array_equal(record["semseg"], lookup[view.classes])
    assert 0 < record["semseg_mask"].mean() < 1

    known = view.normals.any(-1, keepdims=True)
    np.testing.assert_array_equal(record["normals_mask"], known)
    cosines = (record["normals"] * view.normals).sum(-1)[known[..., 0]]
    assert np.degrees(np.arccos(cosines.min())) <= most_degrees
    assert not record["normals"][~known[..., 0]].any()

    if "depth" in record:
        np.testing.assert_array_equal(record["depth_mask"], known)
        np.testing.assert_allclose(record["depth"], view.depth, atol=5.1e-4)
    assert record["edge_mask"].all()
