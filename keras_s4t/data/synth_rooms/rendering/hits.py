"""Position, normal, material, class and instance of ray hits."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.classes import CEILING_INSTANCE
from keras_s4t.data.synth_rooms.classes import CLASS_IDS
from keras_s4t.data.synth_rooms.classes import FLOOR_INSTANCE
from keras_s4t.data.synth_rooms.classes import WALL_INSTANCE
from keras_s4t.data.synth_rooms.rendering.primitives import BOX
from keras_s4t.data.synth_rooms.rendering.primitives import ELLIPSOID
from keras_s4t.data.synth_rooms.rendering.primitives import FRUSTUM
from keras_s4t.data.synth_rooms.rendering.primitives import nonzero
from keras_s4t.data.synth_rooms.rendering.vectors import rotate_rows

# Faces of the shell in the order -x, +x, -y, +y, floor, ceiling.
FACE_NORMALS = np.array(
    [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]],
    np.float32,
)
FLOOR_FACE = 4
WALL, FLOOR = CLASS_IDS["wall"], CLASS_IDS["floor"]
FACE_CLASSES = np.array([WALL, WALL, WALL, WALL, FLOOR, WALL])
FACE_INSTANCES = np.array(
    [WALL_INSTANCE] * 4 + [FLOOR_INSTANCE, CEILING_INSTANCE]
)


@dataclasses.dataclass
class Hits:
    """Attributes of `count` hits.

    Attributes:
        point: float32 `(count, 3)`, world frame, meters.
        normal: float32 `(count, 3)`, world frame, unit, outward.
        local_point: float32 `(count, 3)`, frame of the part's group.
        local_normal: float32 `(count, 3)`, frame of the part's group.
        material: int `(count,)`.
        class_id: int `(count,)`.
        instance: int `(count,)`.
    """

    point: np.ndarray
    normal: np.ndarray
    local_point: np.ndarray
    local_normal: np.ndarray
    material: np.ndarray
    class_id: np.ndarray
    instance: np.ndarray


def describe_hits(packed, origins, directions, distances, parts):
    """Computes the `Hits` that `intersect` found for these rays."""
    count = len(distances)
    hits = Hits(
        point=(origins + directions * distances).T,
        normal=np.empty((count, 3), np.float32),
        local_point=np.empty((count, 3), np.float32),
        local_normal=np.empty((count, 3), np.float32),
        material=np.empty(count, int),
        class_id=np.empty(count, int),
        instance=np.empty(count, int),
    )
    on_part = parts >= 0
    _describe_shell(packed, hits, ~on_part, -1 - parts[~on_part])
    _describe_parts(packed, hits, on_part, parts[on_part], directions.T)
    return hits


def _describe_shell(packed, hits, where, face):
    hits.normal[where] = hits.local_normal[where] = FACE_NORMALS[face]
    hits.local_point[where] = hits.point[where]
    hits.material[where] = packed.shell[face]
    hits.class_id[where] = FACE_CLASSES[face]
    hits.instance[where] = FACE_INSTANCES[face]


def _describe_parts(packed, hits, where, part, directions):
    group = packed.part_group[part]
    rotation = packed.group_rotation[group]
    offset = hits.point[where] - packed.group_position[group]
    point = rotate_rows(offset, rotation)
    normal = np.zeros_like(point)
    low, high = packed.part_low[part], packed.part_high[part]
    shape = packed.part_shape[part]
    m = shape == BOX
    if m.any():
        direction = rotate_rows(directions[where][m], rotation[m])
        normal[m] = _box_normal(point[m], direction, low[m], high[m])
    m = shape == ELLIPSOID
    if m.any():
        normal[m] = _ellipsoid_normal(point[m], low[m], high[m])
    m = shape == FRUSTUM
    if m.any():
        normal[m] = _frustum_normal(point[m], low[m], high[m])
    hits.normal[where] = rotate_rows(normal, rotation.transpose(0, 2, 1))
    hits.local_normal[where] = normal
    hits.local_point[where] = point
    hits.material[where] = packed.part_material[part]
    hits.class_id[where] = packed.part_class[part]
    hits.instance[where] = packed.part_instance[part]


def _box_normal(point, direction, low, high):
    """Normal of the entry face, whose slab is entered last."""
    entered = np.where(direction > 0, point - low, point - high)
    axis = np.abs(entered / nonzero(direction)).argmin(1)
    rows = np.arange(len(axis))
    normal = np.zeros_like(point)
    normal[rows, axis] = -np.sign(direction[rows, axis])
    return normal


def _ellipsoid_normal(point, center, radii):
    gradient = (point - center) / radii**2
    return gradient / np.linalg.norm(gradient, axis=1, keepdims=True)


def _frustum_normal(point, base, top):
    """Normal of the lateral surface, or of a cap if it is nearer."""
    z0, r0, r1, z1 = base[:, 2], top[:, 0], top[:, 1], top[:, 2]
    x, y, z = (point - base).T
    slope = (r1 - r0) / (z1 - z0)
    radius = np.hypot(x, y)
    normal = np.stack([x, y, -slope * radius], 1)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal /= np.maximum(length, 1e-6)
    to_mantle = np.abs(radius - (r0 + slope * z)) / np.sqrt(1 + slope**2)
    to_base, to_top = np.abs(z), np.abs(point[:, 2] - z1)
    on_cap = np.minimum(to_base, to_top) < to_mantle
    up = np.where(to_top < to_base, np.float32(1), np.float32(-1))
    normal[on_cap] = 0
    normal[on_cap, 2] = up[on_cap]
    return normal
