"""Intersection of rays with a room.

Culling has two levels. A ray is tested against the bounding spheres of groups
of parts that share a frame, then against the parts of the groups it may hit.
"""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.primitives import DISTANCE
from keras_s4t.data.synth_rooms.rendering.primitives import MISS
from keras_s4t.data.synth_rooms.rendering.primitives import PARALLEL
from keras_s4t.data.synth_rooms.rendering.primitives import nonzero
from keras_s4t.data.synth_rooms.rendering.vectors import products
from keras_s4t.data.synth_rooms.rendering.vectors import rotate_columns

# Rays per chunk, such that temporary arrays fit into the CPU cache.
CHUNK = 8192


def intersect(packed, origins, directions):
    """Finds the nearest hit of rays that start inside the room.

    Args:
        packed: `PackedScene`.
        origins: float32 array of shape `(3, count)`, world frame, meters.
        directions: float32 array of shape `(3, count)`, unit vectors.

    Returns:
        Tuple of the distances, float32 `(count,)` in meters, and the hit parts,
        int `(count,)`. A face of the room's shell is `-1 - face`, with faces in
        the order -x, +x, -y, +y, floor, ceiling.
    """
    chunks = [
        _intersect_chunk(packed, origins[:, chunk], directions[:, chunk])
        for chunk in _chunks(directions.shape[1])
    ]
    distances, parts = zip(*chunks, strict=True)
    return np.concatenate(distances), np.concatenate(parts)


def occluded(packed, origins, directions, limits):
    """Tests whether rays hit a part at a distance less than `limits`.

    The rays are as in `intersect`, the limits in meters. The room's shell is
    convex and never occludes.
    """
    result = np.zeros(directions.shape[1], bool)
    for chunk in _chunks(directions.shape[1]):
        _mark_occluded(
            packed,
            origins[:, chunk],
            directions[:, chunk],
            limits[chunk],
            result[chunk],
        )
    return result


def _chunks(count):
    starts = range(0, max(count, 1), CHUNK)
    return [slice(start, start + CHUNK) for start in starts]


def _intersect_chunk(packed, origins, directions):
    distance, part = _shell_exit(packed, origins, directions)
    candidates = _may_touch(packed, origins, directions, distance)
    for group, spans in enumerate(packed.group_spans):
        rays = np.flatnonzero(candidates[group])
        if not len(rays):
            continue
        local = _to_local(packed, group, origins, directions, rays)
        for first, distances in _part_distances(packed, spans, local):
            nearest = distances.min(0)
            closer = np.flatnonzero(nearest < distance[rays])
            if len(closer):
                hit = rays[closer]
                distance[hit] = nearest[closer]
                part[hit] = first + distances[:, closer].argmin(0)
    return distance, part


def _mark_occluded(packed, origins, directions, limits, result):
    candidates = _may_touch(packed, origins, directions, limits)
    for group, spans in enumerate(packed.group_spans):
        rays = np.flatnonzero(candidates[group] & ~result)
        if not len(rays):
            continue
        local = _to_local(packed, group, origins, directions, rays)
        for _, distances in _part_distances(packed, spans, local):
            result[rays[distances.min(0) < limits[rays]]] = True


def _shell_exit(packed, origins, directions):
    """Distance to the walls, floor and ceiling, and the hit face."""
    far_side = np.where(directions > 0, packed.size[:, None], np.float32(0))
    distances = (far_side - origins) * (1.0 / nonzero(directions))
    distances = np.where(np.abs(directions) < PARALLEL, MISS, distances)
    axis = distances.argmin(0)
    positive = np.take_along_axis(directions, axis[None], 0)[0] > 0
    return distances.min(0), -1 - (2 * axis + positive)


def _may_touch(packed, origins, directions, limits):
    """Mask `(groups, count)` of rays that may hit a group before the limit."""
    center, radius = packed.bound_center, packed.bound_radius
    along = products(center, directions) - (origins * directions).sum(0)
    squared = (origins * origins).sum(0) - 2 * products(center, origins)
    squared += (center**2).sum(1)[:, None]
    squared -= along * along
    return (squared < radius**2) & (along > -radius) & (along - radius < limits)


def _part_distances(packed, spans, local):
    """Yields first part and distances `(parts, rays)` per shape of a group."""
    for shape, (first, stop) in spans.items():
        low, high = packed.part_low[first:stop], packed.part_high[first:stop]
        yield first, DISTANCE[shape](*local, low, high)


def _to_local(packed, group, origins, directions, rays):
    """Selected rays in the frame of a group."""
    to_local = packed.group_rotation[group].T
    position = packed.group_position[group][:, None]
    return (
        rotate_columns(to_local, np.take(origins, rays, 1) - position),
        rotate_columns(to_local, np.take(directions, rays, 1)),
    )
