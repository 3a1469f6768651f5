"""Conversion of Taskonomy's files to the encoding of `readers/stored.py`.

| domain | on disk | meaning | missing |
|---|---|---|---|
| `rgb` | 8 bits, 3 channels | RGB | |
| `depth_zbuffer` | 16 bits | 1/512 m along the axis | 0 and from 64500 |
| `normal` | 8 bits, 3 channels | `v = x / 127.5 - 1`, axes right, down and \
away from the camera | `v` shorter than 0.5 |
| `edge_occlusion` | 16 bits | strength of a blurred derivative of depth | \
where depth is |
| `segment_semantic` | 8 bits | class ids | 0 |

Records may be smaller than the files by integer factors; see `encode_view`.
"""

import dataclasses

import numpy as np
from PIL import Image

from keras_s4t.data.archives.decoding import opened
from keras_s4t.data.archives.decoding import read_ids
from keras_s4t.data.images import resize_array
from keras_s4t.data.readers import stored
from keras_s4t.tasks.label import IGNORE_CLASS

# Modes of Pillow by domain. Older versions call the 16-bit mode "I".
_MODES = {
    "rgb": ("RGB",),
    "depth_zbuffer": ("I;16", "I"),
    "normal": ("RGB",),
    "edge_occlusion": ("I;16", "I"),
    "segment_semantic": ("L", "P"),
}
DEPTH_UNITS = 512.0  # per meter
MISSING_DEPTH = 64500
UNCERTAIN = 0
DOMAIN_OF_IDS = "segment_semantic"
#: Strength in units of the files that becomes 1: 0.00625 of their range. The
#: authors of Taskonomy divide by the same value, but do not clip.
EDGE_SCALE = 0.00625 * 2**16


class UnreadableViewError(ValueError):
    """A file of a view cannot be read or has an unexpected format."""


def read_view(root, view, domains):
    """Reads the files of a `View`, integer arrays by domain.

    Raises:
        UnreadableViewError: As of `read_domain`, or if the files differ in
            size.
    """
    arrays = {}
    for domain in domains:
        arrays[domain] = read_domain(view.file(root, domain), domain)
    sizes = {array.shape[:2] for array in arrays.values()}
    if len(sizes) > 1:
        raise UnreadableViewError(
            f"The files of {view.id} must have one size. Received: {sizes}"
        )
    return arrays


def read_domain(path, domain):
    """Reads one file as an array of shape `(height, width, channels)`.

    Raises:
        UnreadableViewError: If the file is damaged, or has the wrong number of
            bits or channels.
    """
    try:
        with opened(path) as file:
            image = Image.open(file)
            array = np.asarray(image)
        if DOMAIN_OF_IDS == domain:
            array = read_ids(path)
    except ValueError as error:
        raise UnreadableViewError(str(error)) from error
    if image.mode not in _MODES[domain]:
        raise UnreadableViewError(
            f"{path} must be of the mode {_MODES[domain][0]}. "
            f"Received: {image.mode}"
        )
    return array.reshape(*array.shape[:2], -1)


@dataclasses.dataclass(frozen=True)
class Units:
    """What the numbers in the files are.

    Attributes:
        depth: float, units of depth per meter. 512 for Taskonomy; other
            sources that are laid out alike have others, and no file says
            which: views of Habitat-Matterport are plausible at 8192 alone.
        edge: float, strength of edges that becomes 1:
            `edge = min(x / units.edge, 1)`.

    Raises:
        ValueError: If a number is not positive.
    """

    depth: float = DEPTH_UNITS
    edge: float = EDGE_SCALE

    def __post_init__(self):
        if not (self.depth > 0 and self.edge > 0):
            raise ValueError(
                "Units of depth and edges must be positive. "
                f"Received: depth={self.depth}, edge={self.edge}"
            )


UNITS = Units()


def encode_view(arrays, tasks, size, units=UNITS):
    """Encodes the arrays of a view as a stored record, without `id`.

    A smaller record is what `load` makes of a larger one: the image is resized
    with a triangle filter, and so are edges, over their known pixels.
    Everything else is the nearest pixel, since an average across an occlusion
    or a corner is a depth or a direction that nothing has.

    Args:
        arrays: Result of `read_view` for the `domains_of` the tasks.
        tasks: Names of tasks.
        size: As of `TaskonomyFolder`.
        units: `Units`.

    Raises:
        ValueError: If `size` does not divide the sides of the files.
    """
    height, width = arrays["rgb"].shape[:2]
    factor = height // size if size > 0 else 0
    if not factor or (height, width) != (factor * size, factor * size):
        raise ValueError(
            "`size` must divide the sides of the images, which must be "
            f"square. Received: size={size} for {height} x {width} pixels"
        )
    image = resize_array(arrays["rgb"], (size, size))
    record = {"image": np.clip(np.rint(image), 0, 255).astype("uint8")}
    for task in tasks:
        _, encode = _TASKS[task]
        record.update(encode(arrays, factor, units))
    return record


def domains_of(tasks):
    """Domains of the image and of the labels of tasks."""
    domains = {domain for task in tasks for domain in _TASKS[task][0]}
    return ["rgb", *sorted(domains)]


def _semseg(arrays, factor, units):
    del units
    ids = _nearest(arrays["segment_semantic"], factor)
    ids = np.where(ids == UNCERTAIN, IGNORE_CLASS, ids)
    return {"semseg": stored.encode_semseg(ids)}


def _depth(arrays, factor, units):
    codes = _nearest(arrays["depth_zbuffer"], factor)
    return {"depth": stored.encode_depth(codes / units.depth, _is_known(codes))}


def _normals(arrays, factor, units):
    del units
    vectors = _nearest(arrays["normal"], factor) / 127.5 - 1
    return {"normals": stored.encode_normals(vectors * [1, -1, -1])}


def _edge(arrays, factor, units):
    known = _is_known(arrays["depth_zbuffer"])
    strength = np.minimum(arrays["edge_occlusion"] / units.edge, 1)
    size = [length // factor for length in known.shape[:2]]
    share = resize_array(known, size)
    mean = resize_array(strength * known, size) / np.maximum(share, 1e-6)
    return stored.encode_edge(mean, _nearest(known, factor))


_TASKS = {
    "semseg": (("segment_semantic",), _semseg),
    "depth": (("depth_zbuffer",), _depth),
    "normals": (("normal",), _normals),
    "edge": (("edge_occlusion", "depth_zbuffer"), _edge),
}


def _is_known(depth):
    return (depth > 0) & (depth < MISSING_DEPTH)


def _nearest(array, factor):
    return array[factor // 2 :: factor, factor // 2 :: factor]
