"""Writes folders like those of Taskonomy, of rendered rooms."""

import dataclasses
import functools

import numpy as np
from PIL import Image

from keras_s4t.data.synth_rooms.rendering.edges import soften_edges
from keras_s4t.data.synth_rooms.sample import render_scene

SIZE = 64
VIEWS = {
    "train": [
        "allensville/point_7_view_0",
        "allensville/point_7_view_12",
        "beechwood/point_7_view_0",
    ],
    "validation": ["collierville/point_0_view_1"],
    "test": ["ihlen/point_30_view_2"],
}
# The folders, and what the names of their files end in.
SUFFIXES = {
    "rgb": "rgb",
    "depth_zbuffer": "depth_zbuffer",
    "normal": "normal",
    "edge_occlusion": "edge_occlusion",
    "segment_semantic": "segmentsemantic",
}
# Where nothing was measured; its borders are within blocks of 2 x 2 pixels.
HOLE = (slice(11, 24), slice(5, 31))
UNCERTAIN = (slice(30, 41), slice(31, 46))
# Wall, floor, table, chair, sofa, bed, cabinet, tv and plant are background,
# dining table, chair, couch, bed, tv and potted plant.
LOOKUP = np.zeros(256, "uint8")
LOOKUP[:9] = [1, 1, 7, 3, 4, 6, 1, 9, 5]


@dataclasses.dataclass
class Labels:
    """What is known about a view.

    Attributes:
        image: uint8 `(size, size, 3)`.
        ids: uint8 `(size, size)`, of Taskonomy, 0 uncertain.
        depth: float `(size, size, 1)`, meters.
        normals: float `(size, size, 3)`, canonical.
        edge: float `(size, size, 1)` in [0, 2.5].
        known: bool `(size, size, 1)`, where there is geometry.
    """

    image: np.ndarray
    ids: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    edge: np.ndarray
    known: np.ndarray


@functools.cache
def make_labels(index):
    sample = render_scene("source", "train", index, SIZE)
    known = np.ones((SIZE, SIZE, 1), bool)
    known[HOLE] = False
    edges = sample.edges.astype("float32")[..., None]
    ids = LOOKUP[sample.rendering.class_id]
    ids[UNCERTAIN] = 0
    labels = Labels(
        image=sample.image,
        ids=ids,
        depth=sample.rendering.depth[..., None],
        normals=sample.rendering.normals,
        edge=2.5 * soften_edges(edges, 0.8),
        known=known,
    )
    assert {0, 1} < set(np.unique(ids)) and edges.mean() > 0.02
    return labels


def write(root):
    """Writes a folder.

    Args:
        root: Path.

    Returns:
        dict of `Labels` by id.
    """
    ids = [view for views in VIEWS.values() for view in views]
    labels = {view: make_labels(index) for index, view in enumerate(ids)}
    for view in ids:
        for domain, array in encode(labels[view]).items():
            path = file(root, view, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
    return labels


def write_table(root, split_of, subset="tiny", newline="\r"):
    """Writes a table of splits.

    Args:
        root: Path.
        split_of: dict from building to `"train"`, `"val"` or `"test"`.
        subset: str.
        newline: str. That of the published tables is a carriage return.
    """
    splits = ("train", "val", "test")
    lines = [",".join(["id", *splits])]
    for building, split in split_of.items():
        lines.append(
            ",".join([building, *(str(+(split == s)) for s in splits)])
        )
    path = root / "splits_taskonomy" / f"train_val_test_{subset}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((newline.join(lines) + newline).encode())


def split_of_buildings():
    """The splits of the buildings that are written."""
    short = {"train": "train", "validation": "val", "test": "test"}
    return {
        view.split("/")[0]: short[split]
        for split, views in VIEWS.items()
        for view in views
    }


def file(root, view, domain):
    building, name = view.split("/")
    suffix = SUFFIXES[domain]
    folder = root / domain / "taskonomy" / building
    return folder / f"{name}_domain_{suffix}.png"


def encode(labels):
    """Arrays by domain, with the encodings of Taskonomy."""
    depth = np.rint(512 * labels.depth)
    # Right, down and away from the camera.
    normals = np.rint(127.5 * (labels.normals * [1, -1, -1] + 1))
    edge = np.rint(409.6 * labels.edge) * labels.known
    return {
        "rgb": labels.image,
        "depth_zbuffer": np.where(labels.known, depth, 65535)
        .astype("uint16")
        .squeeze(-1),
        "normal": np.where(labels.known, normals, 128).astype("uint8"),
        "edge_occlusion": edge.astype("uint16").squeeze(-1),
        "segment_semantic": labels.ids,
    }
