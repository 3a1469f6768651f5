"""Intersection of rays with boxes, capped cones and ellipsoids.

Rays are in the local frame of the primitives. Each function takes `count` rays
and `parts` primitives of one shape. It returns the distance along each ray to
the entry into each primitive, an array of shape `(parts, count)`, `MISS` where
there is none. Rays have shape `(3, count)`, so that operations run over long
contiguous rows. `low` and `high` have shape `(parts, 3)`, see `Part`.
"""

import numpy as np

BOX, FRUSTUM, ELLIPSOID = SHAPES = (0, 1, 2)

MISS = np.float32(1e9)
NEAREST = np.float32(1e-4)
PARALLEL = np.float32(1e-7)


def nonzero(direction):
    """Replaces components that are too small to divide by."""
    return np.where(np.abs(direction) < PARALLEL, PARALLEL, direction)


def box_distance(origins, directions, low, high):
    """Distance to axis-aligned boxes, by the slab method."""
    inverse = 1.0 / nonzero(directions)
    entry = leave = None
    for k in range(3):
        first = (low[:, k : k + 1] - origins[k]) * inverse[k]
        second = (high[:, k : k + 1] - origins[k]) * inverse[k]
        near = np.minimum(first, second)
        far = np.maximum(first, second, out=first)
        entry = near if k == 0 else np.maximum(entry, near, out=entry)
        leave = far if k == 0 else np.minimum(leave, far, out=leave)
    entry[(entry > leave) | (entry < NEAREST)] = MISS
    return entry


def ellipsoid_distance(origins, directions, center, radii):
    """Distance to axis-aligned ellipsoids, scaled to unit spheres."""
    a = b = c = 0
    for k in range(3):
        scale = 1 / radii[:, k : k + 1]
        start = (origins[k] - center[:, k : k + 1]) * scale
        along = directions[k] * scale
        a, b, c = a + along * along, b + start * along, c + start * start
    discriminant = b * b - a * (c - 1)
    distance = (-b - np.sqrt(np.maximum(discriminant, 0))) / a
    distance[(discriminant <= 0) | (distance < NEAREST)] = MISS
    return distance


def frustum_distance(origins, directions, base, top):
    """Distance to upright capped cones, to the lateral surface or a cap."""
    axis_x, axis_y, z0 = (base[:, k : k + 1] for k in range(3))
    r0, r1, z1 = (top[:, k : k + 1] for k in range(3))
    slope = (r1 - r0) / (z1 - z0)
    x, y, z = origins[0] - axis_x, origins[1] - axis_y, origins[2]
    dx, dy, dz = directions[0], directions[1], nonzero(directions[2])
    radius = r0 + slope * (z - z0)
    a = dx * dx + dy * dy - slope * slope * dz * dz
    b = x * dx + y * dy - slope * dz * radius
    discriminant = b * b - a * (x * x + y * y - radius * radius)
    a = np.where(np.abs(a) < 1e-9, np.float32(1e-9), a)
    root = np.sqrt(np.maximum(discriminant, 0))
    best = np.full(discriminant.shape, MISS)
    for t in ((-b - root) / a, (-b + root) / a):
        height = z + t * dz
        on_mantle = (discriminant > 0) & (height >= z0) & (height <= z1)
        best = np.where(on_mantle & (t > NEAREST) & (t < best), t, best)
    for cap_height, cap_radius in ((z0, r0), (z1, r1)):
        t = (cap_height - z) / dz
        px, py = x + t * dx, y + t * dy
        on_cap = px * px + py * py <= cap_radius * cap_radius
        best = np.where(on_cap & (t > NEAREST) & (t < best), t, best)
    return best


DISTANCE = {
    BOX: box_distance,
    FRUSTUM: frustum_distance,
    ELLIPSOID: ellipsoid_distance,
}
