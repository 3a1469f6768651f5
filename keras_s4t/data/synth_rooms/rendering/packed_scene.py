"""A scene as flat arrays for the ray caster."""

import operator

import numpy as np

from keras_s4t.data.synth_rooms.rendering.primitives import ELLIPSOID
from keras_s4t.data.synth_rooms.rendering.primitives import FRUSTUM
from keras_s4t.data.synth_rooms.rendering.primitives import SHAPES
from keras_s4t.data.synth_rooms.rendering.textures import TEXTURE_KINDS

BOUND_MARGIN = 1e-3


class PackedScene:
    """Flat arrays of a scene.

    The parts of a group are adjacent and sorted by shape.

    Args:
        scene: `Scene`.

    Attributes:
        part_low, part_high: float32 `(parts, 3)`, see `Part`.
        part_shape, part_material: int `(parts,)`.
        part_instance, part_class, part_group: int `(parts,)`.
        group_rotation: float32 `(groups, 3, 3)`, world from local.
        group_position: float32 `(groups, 3)`, meters.
        group_spans: list of dicts, one per group, from shape to `(first part,
            last part + 1)`.
        bound_center: float32 `(groups, 3)`, centers of bounding spheres.
        bound_radius: float32 `(groups, 1)`, their radii plus a margin.
        material_*: float32 arrays with one row per material. `material_kind`
            (index into `TEXTURE_KINDS`) and `material_axis` are int.
        shell: int `(6,)`, materials of the faces of the room.
    """

    def __init__(self, scene):
        self.scene = scene
        self.size = scene.size.astype(np.float32)
        self.shell = np.array(scene.shell)
        self._pack_parts(scene.groups)
        self._pack_materials(scene.materials)

    def _pack_parts(self, groups):
        rows, bounds, self.group_spans = [], [], []
        for index, group in enumerate(groups):
            parts = sorted(group.parts, key=operator.attrgetter("shape"))
            bounds.append(_bounding_sphere(group))
            self.group_spans.append(_spans(parts, start=len(rows)))
            rows += [(part, group, index) for part in parts]
        self.part_low = np.array([p.low for p, _, _ in rows], np.float32)
        self.part_high = np.array([p.high for p, _, _ in rows], np.float32)
        self.part_shape = np.array([p.shape for p, _, _ in rows])
        self.part_material = np.array([p.material for p, _, _ in rows])
        self.part_instance = np.array([g.instance for _, g, _ in rows])
        self.part_class = np.array([g.class_id for _, g, _ in rows])
        self.part_group = np.array([index for _, _, index in rows])
        self.group_rotation = np.array([g.rotation for g in groups], np.float32)
        self.group_position = np.array([g.position for g in groups], np.float32)
        self.bound_center = np.array([c for c, _ in bounds], np.float32)
        self.bound_radius = np.array([[r] for _, r in bounds], np.float32)

    def _pack_materials(self, materials):
        self.material_kind = np.array(
            [TEXTURE_KINDS.index(m.kind) for m in materials]
        )
        self.material_axis = np.array([m.axis for m in materials])
        for name in (
            "color",
            "second_color",
            "frequency",
            "contrast",
            "gloss",
            "emission",
            "offset",
        ):
            values = np.array([getattr(m, name) for m in materials], np.float32)
            setattr(self, f"material_{name}", values)


def _spans(parts, start):
    """Index ranges of the parts of each shape in a group."""
    shapes = np.array([part.shape for part in parts])
    spans = {}
    for shape in SHAPES:
        first = start + int((shapes < shape).sum())
        stop = start + int((shapes <= shape).sum())
        if first < stop:
            spans[shape] = (first, stop)
    return spans


def _bounding_sphere(group):
    """Returns center (world) and radius of a sphere around a group."""
    low, high = np.full(3, 1e9), np.full(3, -1e9)
    for part in group.parts:
        part_low, part_high = _bounding_box(part)
        low, high = np.minimum(low, part_low), np.maximum(high, part_high)
    center = group.rotation @ ((low + high) / 2) + group.position
    return center, np.linalg.norm(high - low) / 2 + BOUND_MARGIN


def _bounding_box(part):
    low, high = np.array(part.low, float), np.array(part.high, float)
    if part.shape == FRUSTUM:
        radius = max(high[0], high[1])
        return (
            np.array([low[0] - radius, low[1] - radius, low[2]]),
            np.array([low[0] + radius, low[1] + radius, high[2]]),
        )
    if part.shape == ELLIPSOID:
        return low - high, low + high
    return low, high
