"""Description of a room for the ray caster.

The world frame has x right, y forward and z up, in meters. The interior of the
room is `[0, width] x [0, depth] x [0, height]`.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Material:
    """Appearance of a surface.

    Attributes:
        kind: str, a texture name.
        color: three floats, linear RGB.
        second_color: three floats, linear RGB.
        frequency: float, texture features per meter.
        contrast: float in `[0, 1]`, maximum weight of the second color.
        gloss: float, strength of highlights.
        emission: float, strength of emitted light.
        axis: int, 1 rotates the texture by 90 degrees on horizontal faces.
        offset: three floats, meters, shift of the texture.
    """

    kind: str
    color: tuple
    second_color: tuple
    frequency: float
    contrast: float
    gloss: float
    emission: float
    axis: int
    offset: tuple


@dataclasses.dataclass(frozen=True)
class Part:
    """A primitive that is aligned with the axes of its group.

    Attributes:
        shape: int, `BOX`, `FRUSTUM` or `ELLIPSOID`.
        low: three floats, meters. Box: lower corner. Frustum: x and y of the
            axis, height of the lower cap. Ellipsoid: center.
        high: three floats, meters. Box: upper corner. Frustum: lower radius,
            upper radius, height of the upper cap. Ellipsoid: radii.
        material: int, index into the scene's materials.
    """

    shape: int
    low: tuple
    high: tuple
    material: int


@dataclasses.dataclass
class Group:
    """Parts that share a rigid frame and belong to one instance.

    Attributes:
        rotation: float64 `(3, 3)`, world from local.
        position: float64 `(3,)`, meters.
        instance: int.
        class_id: int.
        parts: list of `Part`.
    """

    rotation: np.ndarray
    position: np.ndarray
    instance: int
    class_id: int
    parts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Light:
    """An area light.

    Attributes:
        position: float64 `(3,)`, its center, meters.
        half_width: float64 `(3,)`, from the center to the side.
        half_height: float64 `(3,)`, from the center to the top.
        normal: float64 `(3,)`, direction of emission; `None` for a disk that
            emits in all directions.
        color: float64 `(3,)`, linear RGB times power.
    """

    position: np.ndarray
    half_width: np.ndarray
    half_height: np.ndarray
    normal: np.ndarray | None
    color: np.ndarray


@dataclasses.dataclass(frozen=True)
class Ambient:
    """Indirect light.

    Attributes:
        level: float, brightness.
        floor_material: int, material that tints surfaces facing down.
        wall_material: int, material that tints surfaces facing up.
    """

    level: float
    floor_material: int
    wall_material: int


@dataclasses.dataclass(frozen=True)
class Footprint:
    """An occupied axis-aligned rectangle of the floor.

    Attributes:
        x: float, center, meters.
        y: float, center, meters.
        width: float, extent along x, meters.
        depth: float, extent along y, meters.
        height: float, meters; 0 if the camera may be placed there.
    """

    x: float
    y: float
    width: float
    depth: float
    height: float


@dataclasses.dataclass(frozen=True)
class Scene:
    """A furnished room.

    Attributes:
        room_type: str.
        size: float64 `(3,)`, width, depth and height, meters.
        groups: list of `Group`.
        materials: list of `Material`.
        shell: list of six ints, materials of the faces -x, +x, -y, +y, floor
            and ceiling.
        lights: list of two `Light`, the ceiling lamp and the window.
        ambient: `Ambient`.
        footprints: list of `Footprint`.
    """

    room_type: str
    size: np.ndarray
    groups: list
    materials: list
    shell: list
    lights: list
    ambient: Ambient
    footprints: list
