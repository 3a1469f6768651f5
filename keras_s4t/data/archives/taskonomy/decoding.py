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

Images are reduced by integer factors. Ids and masks take the nearest pixel,
others the mean of the valid pixels.
"""

import numpy as np
from PIL import Image

from keras_s4t.data.archives.decoding import opened
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
    except ValueError as error:
        raise UnreadableViewError(str(error)) from error
    if image.mode not in _MODES[domain]:
        raise UnreadableViewError(
            f"{path} must be of the mode {_MODES[domain][0]}. "
            f"Received: {image.mode}"
        )
    return array.reshape(*array.shape[:2], -1)


def encode_view(arrays, tasks, size, edge_scale=EDGE_SCALE):
    """Encodes the arrays of a view as a stored record, without `id`.

    Args:
        arrays: Result of `read_view` for the `domains_of` the tasks.
        tasks: Names of tasks.
        size: As of `TaskonomyFolder`.
        edge_scale: As of `TaskonomyFolder`.

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
    record = {"image": _mean(arrays["rgb"], factor).round().astype("uint8")}
    for task in tasks:
        _, encode = _TASKS[task]
        record.update(encode(arrays, factor, edge_scale))
    return record


def domains_of(tasks):
    """Domains of the image and of the labels of tasks."""
    domains = {domain for task in tasks for domain in _TASKS[task][0]}
    return ["rgb", *sorted(domains)]


def _semseg(arrays, factor, edge_scale):
    del edge_scale
    ids = _nearest(arrays["segment_semantic"], factor)
    ids = np.where(ids == UNCERTAIN, IGNORE_CLASS, ids)
    return {"semseg": stored.encode_semseg(ids)}


def _depth(arrays, factor, edge_scale):
    del edge_scale
    units = arrays["depth_zbuffer"]
    known = _is_known(units)
    meters = _mean(units, factor, known) / DEPTH_UNITS
    return {"depth": stored.encode_depth(meters, _nearest(known, factor))}


def _normals(arrays, factor, edge_scale):
    del edge_scale
    codes = arrays["normal"]
    # 255 times the vectors, in integers. Vectors shorter than 0.5 are missing.
    doubled = 2 * codes.astype("int32") - 255
    squares = np.einsum("ijk,ijk->ij", doubled, doubled)[..., None]
    known = squares >= 127.5**2
    mean = _mean(codes, factor, known) / 127.5 - 1
    mean *= [1, -1, -1]
    return {"normals": stored.encode_normals(mean, _nearest(known, factor))}


def _edge(arrays, factor, edge_scale):
    known = _is_known(arrays["depth_zbuffer"])
    strength = _mean(arrays["edge_occlusion"], factor, known) / edge_scale
    return stored.encode_edge(strength, _nearest(known, factor))


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


def _mean(array, factor, known=None):
    """Mean of the known pixels in blocks of `factor` x `factor`."""
    if known is None:
        return _sum(array, factor) / factor**2
    array = np.where(known, array, 0)
    return _sum(array, factor) / np.maximum(_sum(known, factor), 1)


def _sum(array, factor):
    """Sum over blocks in float64. Rows are summed first, which is faster."""
    offsets = range(factor)
    rows = sum(array[i::factor].astype("uint32") for i in offsets)
    return sum(rows[:, j::factor].astype("float64") for j in offsets)
