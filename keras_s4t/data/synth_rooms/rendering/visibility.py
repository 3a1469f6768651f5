"""Soft shadows and ambient occlusion by a few rays per point."""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.intersection import occluded
from keras_s4t.data.synth_rooms.rendering.vectors import dot

# Distance in meters at which surfaces occlude ambient light.
AMBIENT_REACH = 0.7

# Index of the ambient light, after the ceiling lamp and the window.
AMBIENT = 2


def visibility(packed, points, normals, samples=(1, 1, 1), seed=0):
    """Estimates the unoccluded fraction of each light at every point.

    Args:
        packed: `PackedScene`.
        points: float32 array of shape `(count, 3)`, world frame, meters.
        normals: float32 array of shape `(count, 3)`, world frame, unit.
        samples: three ints, rays per point for the ceiling lamp, the window
            and the ambient light.
        seed: int. Seed of the sampled positions on the lights.

    Returns:
        float32 array of shape `(count, 3)` in `[0, 1]`.
    """
    # Offset from the surface, so that rays do not hit it.
    origins = (points + normals * np.float32(2e-3)).T
    normals = np.ascontiguousarray(normals.T)
    batches = []
    for light, light_samples in enumerate(samples):
        for sample in range(light_samples):
            if light == AMBIENT:
                rays = _ambient_rays(normals, sample, light_samples, seed)
            else:
                rays = _light_rays(
                    packed.scene.lights[light],
                    origins,
                    normals,
                    _stratified(
                        len(points), 10 * light + seed, sample, light_samples
                    ),
                )
            batches.append((light, light_samples, *rays))
    return _trace(packed, origins, batches)


def jitter(count, key):
    """Random numbers in `[0, 1)`, reproducible from an int `key`."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761)
    x = x + np.uint32(key * 40503 + 977)
    x ^= x >> np.uint32(15)
    x *= np.uint32(2246822519)
    x ^= x >> np.uint32(13)
    x *= np.uint32(3266489917)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def _stratified(count, key, sample, samples):
    """A stratified and an independent random number per point."""
    first = (sample + jitter(count, key + sample)) / samples
    return first, jitter(count, key + sample + 5)


def _light_rays(light, origins, normals, numbers):
    """Rays to random positions on a light, from the points that face it."""
    first, second = numbers
    if light.normal is None:
        radius, angle = np.sqrt(second), first * np.float32(2 * np.pi)
        across, along = radius * np.cos(angle), radius * np.sin(angle)
    else:
        across, along = 2 * first - 1, 2 * second - 1
    place = (
        light.position[:, None]
        + across * light.half_width[:, None]
        + along * light.half_height[:, None]
    )
    offset = place.astype(np.float32) - origins
    facing = (offset * normals).sum(0) > 0
    if light.normal is not None:
        facing &= dot(offset.T, light.normal.astype(np.float32)) < 0
    rays = np.flatnonzero(facing)
    offset = offset[:, rays]
    distance = np.sqrt((offset * offset).sum(0))
    return rays, offset / distance, distance - np.float32(5e-3)


def _ambient_rays(normals, sample, samples, seed):
    """Cosine-distributed rays in the hemisphere above every point."""
    count = normals.shape[1]
    turn = (sample + jitter(count, 70 + sample + seed)) / samples
    angle = np.float32(2 * np.pi) * turn
    spread = jitter(count, 80 + sample + seed)
    tangent, bitangent = _tangents(normals)
    radius = np.sqrt(spread)
    directions = (
        (radius * np.cos(angle)) * tangent
        + (radius * np.sin(angle)) * bitangent
        + np.sqrt(1 - spread) * normals
    ).astype(np.float32)
    limits = np.full(count, AMBIENT_REACH, np.float32)
    return np.arange(count), directions, limits


def _tangents(normals):
    """Two unit vectors orthogonal to each normal (Duff et al., 2017)."""
    x, y, z = normals
    sign = np.where(z >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + z)
    b = x * y * a
    tangent = np.stack([1 + sign * x**2 * a, sign * b, -sign * x])
    return tangent, np.stack([b, sign + y**2 * a, -y])


def _trace(packed, origins, batches):
    """Traces all rays together and averages them per point and light."""
    blocked = occluded(
        packed,
        np.concatenate([origins[:, rays] for _, _, rays, _, _ in batches], 1),
        np.concatenate([directions for *_, directions, _ in batches], 1),
        np.concatenate([limits for *_, limits in batches]),
    )
    visible = np.zeros((origins.shape[1], 3), np.float32)
    start = 0
    for light, samples, rays, _, _ in batches:
        stop = start + len(rays)
        visible[rays, light] += ~blocked[start:stop] / np.float32(samples)
        start = stop
    return visible
