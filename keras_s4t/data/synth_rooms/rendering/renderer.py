"""Renders radiance and geometry buffers of a packed scene."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.rendering.edges import neighbors
from keras_s4t.data.synth_rooms.rendering.hits import describe_hits
from keras_s4t.data.synth_rooms.rendering.intersection import intersect
from keras_s4t.data.synth_rooms.rendering.shading import shade
from keras_s4t.data.synth_rooms.rendering.vectors import dot
from keras_s4t.data.synth_rooms.rendering.vectors import rotate_rows
from keras_s4t.data.synth_rooms.rendering.visibility import visibility

SHADOW_SAMPLES = (2, 1, 2)
SHADOW_FILTER_RADIUS = 2
# Positions inside a pixel of additional color samples.
EXTRA_SAMPLES = ((0.125, 0.375), (0.875, 0.625), (0.375, 0.875))


@dataclasses.dataclass
class Rendering:
    """Buffers of one picture. Labels are sampled at pixel centers.

    Attributes:
        radiance: float32 `(size, size, 3)`, linear RGB, antialiased.
        depth: float32 `(size, size)`, meters along the optical axis.
        normals: float32 `(size, size, 3)`, camera frame (x right, y up, z
            toward the camera), unit.
        part: int `(size, size)`, part of the packed scene. A face of the shell
            is `-1 - face`.
        instance: int `(size, size)`.
        class_id: int `(size, size)`.
    """

    radiance: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    part: np.ndarray
    instance: np.ndarray
    class_id: np.ndarray


def render(packed, camera):
    """Renders a `PackedScene` as seen by a `Camera`."""
    size = camera.size
    origins, directions = camera.rays()
    distances, part = intersect(packed, origins, directions)
    hits = describe_hits(packed, origins, directions, distances, part)
    normals = rotate_rows(hits.normal, camera.rotation)
    rendering = Rendering(
        radiance=np.empty((size, size, 3), np.float32),
        depth=(-dot(directions.T, camera.rotation[:, 2]) * distances).reshape(
            size, size
        ),
        normals=normals.reshape(size, size, 3),
        part=part.reshape(size, size),
        instance=hits.instance.reshape(size, size),
        class_id=hits.class_id.reshape(size, size),
    )
    visible = visibility(packed, hits.point, hits.normal, SHADOW_SAMPLES)
    visible = _smooth_on_surfaces(visible, part, hits.normal, size)
    radiance = shade(
        packed, directions, distances, hits, visible, camera.pixel_size
    )
    pixels = np.flatnonzero(_changes_surface(rendering).ravel())
    extra = _extra_samples(packed, camera, pixels, part, visible)
    radiance[pixels] = (radiance[pixels] + extra) / (1 + len(EXTRA_SAMPLES))
    rendering.radiance = radiance.reshape(size, size, 3)
    return rendering


def _smooth_on_surfaces(visible, part, normal, size):
    """Box filter of visibility over pixels of the same part and face."""
    face = np.round(dot(normal, np.array([1.7, 2.3, 3.1], np.float32)))
    surface = (part * 8 + (face.astype(int) & 7)).reshape(size, size)
    visible = visible.reshape(size, size, -1)
    for axis in (1, 0):
        total = visible.copy()
        count = np.ones((size, size, 1), np.float32)
        for shift in range(1, SHADOW_FILTER_RADIUS + 1):
            other, one = neighbors(axis, shift)
            same = surface[one] == surface[other]
            same = same.astype(np.float32)[..., None]
            total[one] += same * visible[other]
            total[other] += same * visible[one]
            count[one] += same
            count[other] += same
        visible = total / count
    return visible.reshape(size * size, -1)


def _changes_surface(rendering):
    """Mask of pixels at a border between parts or at a crease."""
    part, normals = rendering.part, rendering.normals
    mask = np.zeros(part.shape, bool)
    for one, other in neighbors(0), neighbors(1):
        cosine = (normals[one] * normals[other]).sum(-1)
        change = (part[one] != part[other]) | (cosine < 0.9)
        mask[one] |= change
        mask[other] |= change
    return mask


def _extra_samples(packed, camera, pixels, part, visible):
    """Sum of the radiance of additional rays through given pixels."""
    count = len(EXTRA_SAMPLES)
    rays = [camera.rays(*place, pixels) for place in EXTRA_SAMPLES]
    origins = np.concatenate([o for o, _ in rays], 1)
    directions = np.concatenate([d for _, d in rays], 1)
    distances, new_part = intersect(packed, origins, directions)
    hits = describe_hits(packed, origins, directions, distances, new_part)
    # Rays that hit the surface of the pixel reuse its smoothed visibility.
    new_visible = np.tile(visible[pixels], (count, 1))
    other = np.flatnonzero(new_part != np.tile(part[pixels], count))
    new_visible[other] = visibility(
        packed, hits.point[other], hits.normal[other], seed=3
    )
    radiance = shade(
        packed, directions, distances, hits, new_visible, camera.pixel_size
    )
    return radiance.reshape(count, len(pixels), 3).sum(0)
